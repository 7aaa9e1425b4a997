import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from resources.decode_child import MediaError, NotAVideo
from resources.drop_folder import DropFolder, Sighting
from resources.media import MediaLibrary
from tests.made_media import write_video

ROOT = Path(__file__).resolve().parents[2]


def _opens(path, limits):
    pass


class Place:
    """A drop folder in a scratch folder, and a clock that the test sets."""

    def __init__(self, folder: Path, check=_opens, settle_s=5.0):
        self.drop, self.rejected = folder / "drop", folder / "rejected"
        self.drop.mkdir(exist_ok=True)
        self.library = MediaLibrary(folder)
        self.folder = DropFolder(
            [self.drop],
            self.library,
            self.rejected,
            folder / "state" / "downloads.sqlite",
            settle_s,
            check,
        )
        self.now_s = 1000.0
        self.sightings: dict[str, Sighting] = {}

    def look(self, known=(), most=20, budget_s=20.0):
        intake = self.folder.look(
            self.sightings, known.__contains__, most, self.now_s + budget_s, lambda: self.now_s
        )
        self.sightings = intake.sightings
        return intake

    def put(self, name: str, content: bytes = b"one") -> Path:
        path = self.drop / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return path


@pytest.fixture
def place(tmp_path):
    return Place(tmp_path)


def test_a_file_is_taken_when_it_lay_still(place):
    path = place.put("clip.mp4")
    assert not place.look().taken
    place.now_s += 4
    assert not place.look().taken
    place.now_s += 2
    assert place.look().taken.keys() == {str(path)}
    assert path.exists()
    assert place.look().taken == {}


def test_a_file_that_grows_is_waited_for(place):
    place.put("clip.mp4")
    place.look()
    for length in range(1, 4):
        place.now_s += 6
        place.put("clip.mp4", b"x" * length * 10)
        assert not place.look().taken
    place.now_s += 6
    assert len(place.look().taken) == 1


def test_unfinished_hidden_and_other_files_are_left_alone(place):
    for name in (
        "a.mp4.part", "b.tmp", "c.mp4.crdownload", "d.mp4.ytdl", ".e.mp4", ".f/g.mp4", "h.txt",
        "i.info.json", "j.mp4", "j.mp4.part",
    ):  # fmt: skip
        place.put(name)
    place.look()
    place.now_s += 10
    intake = place.look()
    assert not intake.taken
    assert not intake.sightings


def test_a_folder_dropped_as_a_whole_is_taken(place):
    place.put("2026/november/clip.MOV")
    place.look()
    place.now_s += 6
    assert list(place.look().taken.values()) == ["clip-7692c3ad"]


def test_the_same_bytes_under_another_name_are_one_video(place):
    place.put("clip.mp4")
    place.put("copy.mp4")
    place.look()
    place.now_s += 6
    intake = place.look()
    assert list(intake.taken.values()) == list(intake.known.values()) == ["clip-7692c3ad"]
    assert list(place.folder.wanted_runs().values()) == ["clip-7692c3ad"]


def test_a_video_that_is_there_already_gets_no_run(place):
    place.put("clip.mp4")
    place.look()
    place.now_s += 6
    assert place.look(known={"clip-7692c3ad"}).known
    assert not place.folder.wanted_runs()


def test_a_file_that_was_replaced_is_another_video(place):
    place.put("clip.mp4", b"one")
    place.look()
    place.now_s += 6
    first = place.look().taken
    place.put("clip.mp4", b"another")
    place.look()
    place.now_s += 6
    second = place.look().taken
    assert first.keys() == second.keys()
    assert first != second
    assert len(place.folder.wanted_runs()) == 2  # the first one's run is still to be requested


def test_what_is_no_video_is_put_aside_with_the_reason(tmp_path):
    def refuse(path, limits):
        raise NotAVideo(path.name, "no video stream", "give a video")

    place = Place(tmp_path, refuse)
    for folder in ("a", "b"):
        place.put(f"{folder}/song.mp4")
    place.look()
    place.now_s += 6
    assert len(place.look().rejected) == 2
    assert sorted(p.name for p in place.rejected.iterdir()) == [
        "song (2).mp4", "song (2).mp4.txt", "song.mp4", "song.mp4.txt",
    ]  # fmt: skip
    assert (
        "song.mp4: no video stream; give a video." in (place.rejected / "song.mp4.txt").read_text()
    )
    assert not place.library.video_ids()
    assert not list(place.drop.rglob("*.mp4"))


def test_what_cannot_be_moved_away_is_not_asked_again(tmp_path, monkeypatch):
    asked = []

    def refuse(path, limits):
        asked.append(path.name)
        raise NotAVideo(path.name, "no video stream", "give a video")

    def read_only(*_):
        raise PermissionError("read-only")

    monkeypatch.setattr("resources.drop_folder.shutil.move", read_only)
    place = Place(tmp_path, refuse)
    place.put("song.mp4")
    for _ in range(4):
        place.look()
        place.now_s += 6
    assert asked == ["song.mp4"]


def test_a_file_that_makes_trouble_is_tried_again_and_keeps_nobody_waiting(tmp_path):
    troubled = {"a.mp4": 2, "b.mp4": 99}

    def check(path, limits):
        if troubled.get(path.name, 0) > 0:
            troubled[path.name] -= 1
            raise MediaError(path.name, "the decoder crashed on it", "leave it out")

    place = Place(tmp_path, check)
    for name in ("a.mp4", "b.mp4", "c.mp4"):
        place.put(name, name.encode())
    place.look()
    place.now_s += 6
    first = place.look()
    assert [Path(p).name for p in first.taken] == ["c.mp4"]
    assert len(first.troubles) == 2
    place.look()
    third = place.look()
    assert [Path(p).name for p in third.taken] == ["a.mp4"]
    assert [Path(p).name for p in third.rejected] == ["b.mp4"]


def test_no_file_is_begun_when_the_time_is_up(tmp_path):
    place = Place(tmp_path, settle_s=0.0)

    def slow(path, limits):
        place.now_s += 8.0

    place.folder._check = slow
    for number in range(10):
        place.put(f"{number}.mp4", b"%d" % number)
    assert len(place.look(budget_s=20.0).taken) == 3


def test_a_run_is_wanted_until_it_is_there(place):
    place.put("clip.mp4")
    place.look()
    place.now_s += 6
    place.look()
    (key,) = place.folder.wanted_runs()
    place.look()
    assert list(place.folder.wanted_runs()) == [key]
    place.folder.runs_are_there([key])
    place.look()
    assert not place.folder.wanted_runs()


def test_what_is_gone_is_forgotten(place):
    path = place.put("clip.mp4")
    place.look()
    place.now_s += 6
    place.look()
    place.folder.runs_are_there(place.folder.wanted_runs())
    path.unlink()
    place.look()
    with place.folder._engine.connect() as connection:
        assert not list(connection.exec_driver_sql("select * from taken"))


def test_a_real_video_is_taken_and_a_song_is_not(tmp_path, broken_dir):
    from resources.probe import check_opens

    place = Place(tmp_path, check_opens, settle_s=0.0)
    write_video(place.drop / "clip.mp4", seconds=0.5)
    place.put("text.mp4", b"this is no video")
    place.put("song.mp4", (broken_dir / "ax_sample_audio_only.mp4").read_bytes())
    intake = place.look()
    assert [Path(p).name for p in intake.taken] == ["clip.mp4"]
    assert sorted(Path(p).name for p in intake.rejected) == ["song.mp4", "text.mp4"]


@pytest.mark.slow
def test_ten_thousand_files_are_taken_in_parts_none_twice_none_lost(tmp_path):
    """The taking process is killed in between, at no particular point, and begins anew."""
    drop = tmp_path / "drop"
    drop.mkdir()
    for number in range(10_000):
        (drop / f"{number:05d}.mp4").write_bytes(b"%d" % number)
    script = (
        "import os, sys, time; from pathlib import Path\n"
        "os.fsync = lambda _: None\n"  # the process is killed here, not the machine
        "from tests.resources.test_drop_folder import Place\n"
        "place = Place(Path(sys.argv[1]), settle_s=0.0)\n"
        "print('ready', flush=True)\n"
        "while (intake := place.look(most=1000)).taken:\n"
        "    wanted = place.folder.wanted_runs()\n"
        "    with Path(sys.argv[1], 'requested').open('a') as file:\n"
        "        file.writelines(f'{key} {video}\\n' for key, video in wanted.items())\n"
        "    place.folder.runs_are_there(wanted)\n"
    )
    kills = 0
    while True:
        child = subprocess.Popen(
            [sys.executable, "-c", script, str(tmp_path)], cwd=ROOT, stdout=subprocess.PIPE
        )
        assert child.stdout is not None
        assert child.stdout.readline() == b"ready\n"
        if kills < 3:
            time.sleep(1.0 + 0.37 * kills)
            os.kill(child.pid, signal.SIGKILL)
            kills += 1
        if child.wait() == 0:
            break
    lines = (tmp_path / "requested").read_text().splitlines()
    asked = dict(line.split() for line in lines)  # one key may be asked for twice: Dagster knows it
    assert len(asked) == len(set(asked.values())) == 10_000
    assert len(MediaLibrary(tmp_path).video_ids()) == 10_000
