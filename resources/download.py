"""The program that downloads what is behind one URL, in a process of its own.

It reads a request, one JSON object, from standard input and writes JSON lines to standard output:
`{"at_bytes": ..., "total_bytes": ...}` and `{"said": ...}` on the way, and at the end `{"ok": ...}`
or `{"error": {"kind": ..., "reason": ...}}`. A crash, a hang or a hostile answer costs no more than
this one URL.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import resource
import sys
import time
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from resources.address_guard import AddressGuard, forbid_native_clients

forbid_native_clients()

import av  # noqa: E402
from yt_dlp import YoutubeDL  # noqa: E402
from yt_dlp.networking import Request, Response  # noqa: E402
from yt_dlp.networking.exceptions import RequestError  # noqa: E402
from yt_dlp.utils import make_archive_id, sanitize_filename  # noqa: E402

from resources.download_errors import Unwanted, failure  # noqa: E402
from resources.slideshow import write_slideshow  # noqa: E402
from resources.stream_copy import join  # noqa: E402
from resources.tether import die_with_parent  # noqa: E402
from resources.tiktok_pictures import PICTURES, TikTokIE  # noqa: E402
from resources.video_files import VIDEO_SUFFIXES  # noqa: E402
from resources.web_address import refusal  # noqa: E402

Tell = Callable[[dict[str, Any]], None]

_TELL_EVERY_S = 0.5
_MOST_MEMORY_BYTES = 4 * 1024**3
_MOST_PICTURE_BYTES = 50_000_000
#: What says nothing of the video, is long, or may hold addresses signed for one user.
_LEFT_OUT = frozenset(
    {"automatic_captions", "cookies", "formats", "fragments", "heatmap", "http_headers",
     "requested_downloads", "requested_formats", "subtitles", "thumbnails", "url", "urls",
     "manifest_url", "fragment_base_url", "downloader_options", PICTURES}
)  # fmt: skip
#: Extractors for any page: they take the end of the URL for an id, which others may have as well.
_NO_IDS = ("Generic", "HTML5MediaEmbed")
#: By PyAV's name of the container, where a file has no suffix of a video; MP4 for all others.
_SUFFIXES = {"matroska,webm": ".mkv", "mpegts": ".ts", "avi": ".avi", "flv": ".flv",
             "asf": ".wmv", "mpeg": ".mpg", "ogg": ".ogv"}  # fmt: skip


class _Web(YoutubeDL):
    """yt-dlp, asked only for pages of hosts on the list."""

    def __init__(self, params: dict[str, Any], hosts: list[str], guard: AddressGuard) -> None:
        self._hosts, self._guard = hosts, guard
        self._pages: set[str] = set()
        super().__init__(params)
        self.add_info_extractor(TikTokIE())

    def extract_info(self, url: str, *args: Any, **kwargs: Any) -> Any:
        """The same, after a look at the URL: redirects and embedded videos come here as well."""
        self._check(url)
        self._pages.add(url.partition("#")[0])
        return super().extract_info(url, *args, **kwargs)

    def urlopen(self, req: Request | str) -> Response:
        """The same; a page may redirect to what is on the list, a video's file to anywhere."""
        asked = req if isinstance(req, str) else req.url
        if asked.partition("#")[0] not in self._pages:
            return super().urlopen(req)
        with self._guard.only(self._hosts):  # so that nobody else is even asked
            response = super().urlopen(req)
        self._check(response.url)  # by a proxy, which looks up the hosts itself
        return response

    def _check(self, url: str) -> None:
        if why := refusal(url.partition("#__youtubedl_smuggle")[0], self._hosts):
            raise Unwanted("refused", f"{url} is not taken: {why}")


class _Log:
    """yt-dlp's logger: what it says goes to the parent."""

    def __init__(self, tell: Tell) -> None:
        self._tell = tell

    def debug(self, message: str) -> None:
        """Progress of the extraction; it shows that things move."""
        self._tell({})

    info = debug

    def warning(self, message: str) -> None:
        """Worth a line in the log."""
        self._tell({"said": message})

    def error(self, message: str) -> None:
        """Raised as well."""


def download(request: Mapping[str, Any], tell: Tell, guard: AddressGuard) -> list[dict[str, Any]]:
    """Download the videos behind `request["url"]` into `request["folder"]`.

    Returns for each: `video` and `info` (names in the folder; both null for one that is in the
    archive), `archive_id` ("" where the site has no ids of its own) and `title`. Raises `Unwanted`
    and whatever yt-dlp raises.
    """
    folder = Path(request["folder"])
    folder.mkdir(parents=True, exist_ok=True)
    with _Web(_parameters(request, tell), request["hosts"], guard) as web:
        found = web.extract_info(request["url"], download=False)
        if not found:
            raise Unwanted("unavailable", "no video was found behind the URL")
        return [_one(web, info, request, folder, tell) for info in _videos(web, found, request)]


def _parameters(request: Mapping[str, Any], tell: Tell) -> dict[str, Any]:
    most_bytes = request["most_mb"] * 1e6
    told_s = 0.0

    def on_progress(state: dict[str, Any]) -> None:
        nonlocal told_s
        at = state.get("downloaded_bytes") or 0
        total = state.get("total_bytes") or state.get("total_bytes_estimate")
        if max(at, state.get("total_bytes") or 0) > most_bytes:
            raise Unwanted("refused", f"larger than {request['most_mb']:g} MB (urls.most_mb)")
        if time.monotonic() - told_s >= _TELL_EVERY_S or state.get("status") == "finished":
            told_s = time.monotonic()
            tell({"at_bytes": at, "total_bytes": total})

    cookies = request["cookies_file"]
    return {
        "logger": _Log(tell),
        "quiet": True,
        "noprogress": True,
        "color": "no_color",
        "progress_hooks": [on_progress],
        "format": request["format"],
        "format_sort": request["format_sort"],
        "noplaylist": True,
        "extract_flat": "in_playlist",
        "playlistend": request["most_videos"] + 1,
        "proxy": request["proxy"],  # "" is none, whatever the environment says
        # A copy in memory: yt-dlp writes the file anew at the end, several at once would spoil it.
        "cookiefile": io.StringIO(_text(cookies)) if cookies else None,
        "socket_timeout": request["socket_timeout_s"],
        "retries": 2,
        "extractor_retries": 1,
        "fragment_retries": 3,
        "skip_unavailable_fragments": False,
        "continuedl": True,
        "external_downloader": {"default": "native"},
        "cachedir": False,
        "enable_file_urls": False,
    }


def _text(cookies_file: str) -> str:
    try:
        return Path(cookies_file).read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise Unwanted("refused", f"the cookies cannot be read: {error}") from error


def _videos(
    web: YoutubeDL, found: dict[str, Any], request: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """What was found as single videos: a post may have several."""
    if "entries" not in found:
        return [found]
    entries = [entry for entry in found["entries"] or () if entry]
    if len(entries) > request["most_videos"]:
        raise Unwanted(
            "refused",
            f"this is a list of more than {request['most_videos']} videos (urls.most_videos): "
            "give the URLs of the videos that are wanted",
        )
    videos = []
    for entry in entries:
        if entry.get("_type") in ("url", "url_transparent"):
            entry = web.extract_info(entry["url"], download=False, ie_key=entry.get("ie_key"))
        if entry:
            videos.append(entry)
    if not videos:
        raise Unwanted("unavailable", "no video was found behind the URL")
    return videos


def _one(
    web: _Web, info: dict[str, Any], request: Mapping[str, Any], folder: Path, tell: Tell
) -> dict[str, Any]:
    if "entries" in info:
        raise Unwanted("refused", "this is a list of lists: give the URLs of the videos")
    if info.get("is_live"):
        raise Unwanted("unavailable", "this is a live stream; try again when it is over")
    extractor = str(info.get("extractor_key") or "url")
    own_ids = extractor not in _NO_IDS
    archive_id = make_archive_id(extractor, str(info["id"])) if own_ids else ""
    answer = {"title": info.get("title") or "", "archive_id": archive_id}
    if archive_id in request["archive"]:
        return {**answer, "video": None, "info": None}
    stem = _stem(info, "" if own_ids else str(info.get("webpage_url") or request["url"]))
    video = (
        _slideshow(web, info, folder / f"{stem}.mp4", tell)
        if info.get(PICTURES)
        else _video(web, info, folder / stem)
    )
    sidecar = folder / f"{video.stem}.info.json"
    kept = web.sanitize_info(info, remove_private_keys=True)
    kept = {key: value for key, value in kept.items() if key not in _LEFT_OUT}
    kept["list_tags"] = request["tags"]
    sidecar.write_text(json.dumps(kept, ensure_ascii=False, indent=1), encoding="utf-8")
    return {**answer, "video": video.name, "info": sidecar.name}


def _stem(info: Mapping[str, Any], url: str) -> str:
    """A file name that is this video's alone; `url` is of one that has no id of its own."""
    if url:
        names = [str(info["id"]), hashlib.sha256(url.encode()).hexdigest()[:8]]
    else:
        names = [str(info.get(key) or "") for key in ("extractor_key", "uploader", "id")]
    stem = "-".join(sanitize_filename(name, restricted=True)[:60] for name in names if name)
    return stem.strip(".-_") or "video"


def _video(web: _Web, info: dict[str, Any], path: Path) -> Path:
    """Download the chosen formats; picture and sound that come apart are put into one file."""
    chosen = info.get("requested_formats") or [info]
    parts = [_fetch(web, {**info, **part, "requested_formats": None}, path) for part in chosen]
    container, has_video = _look_into(parts[0])
    if not has_video:
        sound_only = "it has sound but no picture" if container else "it is no video"
        raise Unwanted("unsupported", f"what is behind the URL cannot be used: {sound_only}")
    in_pieces = any(str(part.get("protocol") or "").startswith("m3u8") for part in chosen)
    if len(parts) > 1 or (in_pieces and container == "mpegts"):
        target = _mendable(path, parts)
    else:
        suffix = parts[0].suffix.lower()
        if suffix not in VIDEO_SUFFIXES:
            suffix = _SUFFIXES.get(container, ".mp4")
        target = path.with_name(f"{path.name}{suffix}")
        parts[0].replace(target)
    for part in parts:
        part.unlink(missing_ok=True)
    return target


def _mendable(path: Path, parts: list[Path]) -> Path:
    """The parts as one MP4, or Matroska where MP4 has no place for their codecs."""
    for suffix in (".mp4", ".mkv"):
        target = path.with_name(path.name + suffix)
        try:
            join(parts, target)
        except (av.error.FFmpegError, ValueError):
            target.unlink(missing_ok=True)
            if suffix == ".mkv":
                raise
        else:
            break
    return target


def _fetch(web: _Web, info: dict[str, Any], path: Path) -> Path:
    """Download one format, or go on with what is there of it."""
    suffix = re.sub(r"\W", "", str(info.get("ext") or ""))[:8] or "bin"
    form = sanitize_filename(str(info.get("format_id") or ""), restricted=True)[:40]
    target = path.with_name(f"{path.name}.{form}.{suffix}")
    done, _ = web.dl(str(target), info)
    if not done or not target.is_file():
        raise Unwanted("network", f"{urlsplit(info['url']).hostname} gave no whole file")
    return target


def _look_into(path: Path) -> tuple[str, bool]:
    """The container's name, "" for a file that is none, and whether there is a moving picture."""
    try:
        with av.open(str(path)) as source:
            still = av.stream.Disposition.attached_pic
            moving = any(not (s.disposition & still) for s in source.streams.video)
            return source.format.name, moving and "_pipe" not in source.format.name
    except av.error.FFmpegError:
        return "", False


def _slideshow(web: _Web, info: dict[str, Any], target: Path, tell: Tell) -> Path:
    """Download pictures and sound, and make a video of them."""
    pictures = []
    for number, urls in enumerate(info[PICTURES]):
        tell({})
        pictures.append(_picture(web, info, urls, target.with_name(f"{target.stem}.{number}")))
    sound = _fetch(web, info, target.with_suffix("")) if info.get("vcodec") == "none" else None
    try:
        write_slideshow(pictures, sound, target, lambda number: tell({}))
    except OSError as error:
        raise Unwanted("unsupported", f"a picture cannot be read: {error}") from error
    return target


def _picture(web: _Web, info: Mapping[str, Any], urls: list[str], target: Path) -> Path:
    headers = info.get("http_headers") or {}
    for url in urls:
        try:
            with web.urlopen(Request(url, headers=headers)) as response:
                data = response.read(_MOST_PICTURE_BYTES + 1)
        except (RequestError, OSError):  # the same picture lies in several places
            if url == urls[-1]:
                raise
            continue
        if len(data) > _MOST_PICTURE_BYTES:
            raise Unwanted("refused", f"a picture is larger than {_MOST_PICTURE_BYTES} bytes")
        target.write_bytes(data)
        break
    return target


def main() -> None:
    """Answer the request on standard input."""
    die_with_parent()
    # A page or picture without end is to cost this process, not the machine.
    resource.setrlimit(resource.RLIMIT_AS, (_MOST_MEMORY_BYTES, _MOST_MEMORY_BYTES))
    request = json.load(sys.stdin)
    # What libraries print must not come between the messages.
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)

    def tell(message: dict[str, Any]) -> None:
        print(json.dumps(message), file=out, flush=True)

    guard = AddressGuard(request["private_networks"], urlsplit(request["proxy"]).hostname or "")
    guard.install()
    tell({})
    try:
        tell({"ok": download(request, tell, guard)})
    except Exception as error:
        why = failure(error, guard)
        if why.kind == "bug":
            tell({"said": traceback.format_exc()})
        tell({"error": vars(why)})


if __name__ == "__main__":
    main()
