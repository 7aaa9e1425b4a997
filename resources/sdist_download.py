"""Downloads an sdist without running anything of it, in a process of its own.

`python -m resources.sdist_download name==version folder`. `pip download` would run the build
backend of an sdist to learn its metadata. pip offers no other command that uses the user's indexes,
certificates and credentials, so this asks its own finder and session for the archive.
"""

from __future__ import annotations

import sys
from pathlib import Path

_CHUNK_BYTES = 1 << 20


def download_sdist(requirement: str, folder: Path) -> Path:
    """Fetch the archive of `name==version` and return where it lies.

    Raises `LookupError` where no index of pip's configuration has it.
    """
    from pip._internal.commands.download import DownloadCommand
    from pip._internal.utils.misc import redact_auth_from_url

    name, _, version = requirement.partition("==")
    command = DownloadCommand("download", "")
    options, _ = command.parse_args(["--no-deps", "--no-binary=:all:", requirement])
    with command.main_context():
        session = command.get_default_session(options)
        finder = command._build_package_finder(options, session)
        found = [c for c in finder.find_all_candidates(name) if str(c.version) == version]
        if not found:
            raise LookupError(f"no index has an sdist of {requirement}")
        link = found[0].link
        response = session.get(
            link.url_without_fragment, headers={"Accept-Encoding": "identity"}, stream=True
        )
        if response.status_code != 200:
            raise LookupError(
                f"{redact_auth_from_url(link.url_without_fragment)}: {response.status_code}"
            )
        target = folder / Path(link.filename).name
        with target.open("wb") as out:
            for chunk in response.iter_content(_CHUNK_BYTES):
                out.write(chunk)
    return target


if __name__ == "__main__":
    try:
        download_sdist(sys.argv[1], Path(sys.argv[2]))
    except LookupError as error:
        sys.exit(f"ERROR: {error}")
