"""dagster.postgres.yaml and the setting that puts it in force, with a real server on loopback."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import psutil
import pytest
import yaml

from tests.tiktok_assets.running import PROJECT, Running, free_port
from tiktok_assets.settings import Settings

_USER = "postgres"
_INITIALISE = """
from tiktok_assets.settings import Settings
from tiktok_assets.up import _initialise_storage
_initialise_storage()
"""


def _yaml(name: str) -> dict:
    return yaml.safe_load((PROJECT / name).read_text())


def test_both_files_are_equal_but_for_the_storage() -> None:
    postgres = _yaml("dagster.postgres.yaml")
    assert postgres.pop("storage")["postgres"]["postgres_url"] == {
        "env": "TIKTOK_ASSETS_DATABASE_URL"
    }
    assert postgres == _yaml("dagster.yaml")


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg2"])
def test_the_driver_is_the_one_that_dagster_postgres_knows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, scheme: str
) -> None:
    monkeypatch.setenv("TIKTOK_ASSETS_DATABASE_URL", f"{scheme}://me:p%40ss@db.test:5433/dagster")
    settings = Settings(data_dir=tmp_path)
    told = settings.database_url.get_secret_value()
    assert told == "postgresql+psycopg2://me:p%40ss@db.test:5433/dagster"
    assert "p%40ss" not in repr(settings)
    assert (settings.dagster_home() / "dagster.yaml").samefile(PROJECT / "dagster.postgres.yaml")


@pytest.mark.parametrize("url", ["mysql://me@db.test/dagster", "db.test"])
def test_another_database_is_refused(tmp_path: Path, url: str) -> None:
    with pytest.raises(ValueError, match="is no "):
        Settings(data_dir=tmp_path, database_url=url)


def test_the_folder_of_sqlite_is_refused_where_postgres_is_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TIKTOK_ASSETS_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("TIKTOK_ASSETS_DATABASE_URL", "postgresql://me@db.test/dagster")
    monkeypatch.setenv("DAGSTER_HOME", str(PROJECT))
    with pytest.raises(RuntimeError, match=f"set it to {Settings().dagster_home()}"):
        dg.DagsterInstance.get()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a fresh server."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    programs = shutil.which("initdb") or (found and str(found[-1] / "initdb"))
    if not programs:
        pytest.skip("no Postgres server is installed here (Debian: apt install postgresql)")
    initdb, postgres = (Path(programs).with_name(name) for name in ("initdb", "postgres"))
    folder = tmp_path_factory.mktemp("postgres") / "data"
    folder.mkdir()
    as_user: dict = {}
    if os.geteuid() == 0:  # it refuses to run as root
        import pwd

        try:
            user = pwd.getpwnam(_USER)
        except KeyError:
            user = pwd.getpwnam("nobody")
        as_user = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
        os.chown(folder, user.pw_uid, user.pw_gid)
        for above in folder.parents:
            if above == Path("/tmp") or not above.is_relative_to("/tmp"):
                break
            above.chmod(above.stat().st_mode | 0o011)
    port = free_port()
    subprocess.run(
        [initdb, "-D", folder, "-U", _USER, "--auth", "trust", "--no-sync"],
        **as_user,
        cwd="/",
        check=True,
        capture_output=True,
    )
    command = [postgres, "-D", folder, "-h", "127.0.0.1", "-p", str(port)]
    with (folder.parent / "log").open("wb") as log:
        running = subprocess.Popen(
            [*command, "-c", "unix_socket_directories=", "-c", "fsync=off"],
            **as_user,
            cwd="/",
            stdout=log,
            stderr=log,
        )
    url = f"postgresql://{_USER}@127.0.0.1:{port}/postgres"
    try:
        _wait_for(url)
        yield url
    finally:
        running.terminate()
        running.wait(20)


def _wait_for(url: str) -> None:
    import psycopg2
    from tenacity import retry, stop_after_delay, wait_fixed

    retry(stop=stop_after_delay(30), wait=wait_fixed(0.1), reraise=True)(psycopg2.connect)(
        url
    ).close()


@pytest.mark.slow
def test_several_processes_may_initialise_a_fresh_database_at_once(
    server: str, tmp_path: Path
) -> None:
    url = _fresh(server, "at_once")
    data = tmp_path / "data"
    environment = os.environ | {
        "TIKTOK_ASSETS_DATA_DIR": str(data),
        "TIKTOK_ASSETS_DATABASE_URL": url,
    }
    environment["DAGSTER_HOME"] = str(Settings(data_dir=data, database_url=url).dagster_home())
    started = [
        subprocess.Popen(
            [sys.executable, "-c", _INITIALISE],
            cwd=PROJECT,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for _ in range(3)
    ]
    said = [process.communicate(timeout=120)[0] for process in started]
    assert [process.returncode for process in started] == [0, 0, 0], said
    assert not list(data.rglob("*.db")), "nothing is kept in SQLite"


def _fresh(server: str, name: str) -> str:
    import psycopg2

    connection = psycopg2.connect(server)
    connection.autocommit = True
    connection.cursor().execute(f"CREATE DATABASE {name}")
    connection.close()
    return server.removesuffix("postgres") + name


@pytest.mark.slow
def test_up_runs_a_job_with_its_state_in_postgres(
    server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TIKTOK_ASSETS_DATABASE_URL", _fresh(server, "up"))
    monkeypatch.delenv("DAGSTER_HOME", raising=False)
    running = Running(tmp_path)
    try:
        running.wait_until_ready()
        run = running.finished(running.launch("short"))
        assert run["status"] == "SUCCESS", running.logs()
        assert {step["status"] for step in run["stepStats"]} == {"SUCCESS"}
    finally:
        left: set[psutil.Process] = running.stop()
    assert not left
    assert not list(running.data.rglob("*.db")), "nothing is kept in SQLite"
