"""Analyzers that take their process with them, as another package would offer them.

They come in by the entry point of third-party analyzers, so that every process finds them: the one
a person starts and the one of its own that a crashing analyzer is put into.
"""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from analyzers.registry import builtin
from resources.media import MediaLibrary
from resources.result_store import ResultStore
from tests.made_media import write_video
from tests.tiktok_assets.running import PROJECT
from tiktok_assets.crash_ledger import ISOLATE_AFTER
from tiktok_assets.errors import TransientError, failure
from tiktok_assets.isolated import ProcessLost, analyze_isolated

_ANALYZERS = """
import os
import time
from pathlib import Path

from analyzers.progress import checkpoint
from tests.analyzers.made import Brightness

FOLDER = Path(__file__).parent

class Shining(Brightness):
    "Well behaved."
    name = "shining"

class Aborting(Brightness):
    "Does what a file says."
    name = "aborting"
    stall_limit_s = 60.0

    def analyze(self, video, upstream):
        with (FOLDER / "pids").open("a") as file:
            file.write(f"{os.getpid()}\\n")
        if (FOLDER / "abort").exists():
            os.abort()
        if (FOLDER / "raise").exists():
            raise ValueError("the lens cap is on")
        if (FOLDER / "lose").exists():
            raise ConnectionResetError("the store has hung up")
        if (FOLDER / "slow").exists():
            for number in range(30):
                checkpoint(number, 30)
                time.sleep(0.5)
        if (FOLDER / "sleep").exists():
            time.sleep(60)
        return super().analyze(video, upstream)

def made():
    return [Shining, Aborting]
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package that offers the analyzers, and settings under which they are all there is."""
    (tmp_path / "aborting_analyzers.py").write_text(_ANALYZERS)
    about = tmp_path / "aborting_analyzers-1.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: aborting-analyzers\nVersion: 1\n")
    (about / "entry_points.txt").write_text(
        "[tiktok_assets.analyzers]\naborting = aborting_analyzers:made\n"
    )
    off = {cls.name: {"enabled": False} for cls in builtin()}
    for name, value in {
        "PYTHONPATH": os.pathsep.join([str(tmp_path), str(PROJECT)]),
        "TIKTOK_ASSETS_ANALYZERS": json.dumps(off),
        "TIKTOK_ASSETS_DATA_DIR": str(tmp_path),
        "DAGSTER_HOME": str(PROJECT),
        "COLUMNS": "200",
    }.items():
        monkeypatch.setenv(name, value)
    return tmp_path


def _analyze(video: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tiktok_assets", "analyze", str(video)],
        cwd=video.parent,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )


@pytest.mark.slow
def test_an_analyzer_that_aborts_is_isolated_then_given_up_and_the_others_stand(folder):
    video = write_video(folder / "clip.mp4")
    (folder / "abort").touch()
    died = _analyze(video)
    assert died.returncode == -signal.SIGABRT, died.stdout
    (note,) = (folder / "state" / "crashes" / "aborting").glob("*.json")
    note.write_text(json.dumps(json.loads(note.read_text()) | {"deaths": ISOLATE_AFTER - 1}))

    ended = _analyze(video)
    assert ended.returncode == 1, ended.stdout
    store = ResultStore(url=str(folder / "results"))
    (video_id,) = store.video_ids("shining")
    told = store.failure("aborting", video_id).error
    assert told.startswith(f"aborting of {video_id}: ")
    assert "in a process of its own it crashed that one too (SIGABRT)" in told
    assert "The other analyzers are not affected" in told
    assert told in ended.stdout
    document = store.read_json("production_document", video_id)
    assert document["metadata"]["failed_analyzers"] == {"aborting": told}
    assert document["analyzer_results"]["shining"]["status"] == "ok"
    assert len(set((folder / "pids").read_text().split())) == 2


@pytest.fixture
def video_id(folder: Path) -> str:
    """A registered video."""
    return MediaLibrary(folder).register(write_video(folder / "clip.mp4"))


@pytest.mark.slow
def test_a_process_of_its_own_stores_the_result_tells_its_error_and_has_a_limit(folder, video_id):
    analyze_isolated("aborting", video_id, 60)
    store = ResultStore(url=str(folder / "results"))
    assert store.read("aborting", video_id).segments.num_rows == 2
    (folder / "raise").touch()
    with pytest.raises(RuntimeError, match=r"^ValueError: the lens cap is on$"):
        analyze_isolated("aborting", video_id, 60)
    (folder / "raise").unlink()
    (folder / "lose").touch()
    with pytest.raises(TransientError, match=r"^ConnectionResetError: the store has hung up$") as e:
        analyze_isolated("aborting", video_id, 60)
    assert failure("aborting", video_id, e.value, "Try it.").allow_retries
    (folder / "lose").unlink()
    (folder / "slow").touch()
    analyze_isolated("aborting", video_id, 12)  # it takes longer, and goes on
    (folder / "slow").unlink()
    (folder / "sleep").touch()
    with pytest.raises(ProcessLost, match="showed no progress for 12 s and was stopped"):
        analyze_isolated("aborting", video_id, 12)
    last = int((folder / "pids").read_text().split()[-1])
    assert not psutil.pid_exists(last)


_INTERRUPTED = """
import signal, sys, threading, time
from analyzers.progress import Task, run_task
from tiktok_assets.isolated import analyze_isolated

def work():
    try:
        with run_task(task):
            analyze_isolated("aborting", sys.argv[1], 60)
    except BaseException as error:
        print(type(error).__name__)

task = Task("aborting")
interrupted = threading.Event()
signal.signal(signal.SIGINT, lambda *_: interrupted.set())
step = threading.Thread(target=work)
step.start()
interrupted.wait()
time.sleep(1)  # the executor does not see it at once
task.cancel()
step.join()
"""


@pytest.mark.slow
def test_ctrl_c_is_no_crash_of_the_process_of_its_own(folder, video_id):
    (folder / "sleep").touch()
    command = [sys.executable, "-c", _INTERRUPTED, video_id]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as parent:
        while not (folder / "pids").exists():
            assert parent.poll() is None
            time.sleep(0.05)
        os.killpg(parent.pid, signal.SIGINT)  # as a terminal does
        said, _ = parent.communicate(timeout=30)
    assert said == "Cancelled\n"
    assert not psutil.pid_exists(int((folder / "pids").read_text()))
