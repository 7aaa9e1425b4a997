"""The library: registration, sidecars, the cache, and a decoder that misbehaves."""

import errno
import hashlib
import json
import multiprocessing
import os
import pickle
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import psutil
import pytest

from analyzers.progress import Cancelled, Task, run_task
from resources import decode_child, ladder_cache, media
from resources.decode_child import run_decoder
from resources.ladder_cache import LadderCache
from resources.media import DecodeLimits, LadderSettings, MediaError, MediaLibrary, open_video
from resources.sidecar import read_metadata
from tests.resources.clips import make_clip, moving, scramble, tone


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    return make_clip(
        tmp_path_factory.mktemp("clip") / "My Clip ☀ #1.mp4", count=20, samples=tone(0.6)
    )


@pytest.fixture
def library(tmp_path):
    return MediaLibrary(tmp_path / "data")


def ladders(library_dir):
    return [p for p in (library_dir / "data/cache/ladder").iterdir() if p.is_dir()]


# Registration


def test_when_a_file_was_made_is_not_when_it_was_published():
    tags = {"creation_time": "2018-11-01T04:34:53.000000Z"}
    assert read_metadata(None, tags) == ({"created_at": "2018-11-01T04:34:53+00:00"}, "")
    assert read_metadata(None, {"creation_time": "yesterday"}) == ({}, "")


def test_the_video_id_is_a_slug_and_the_hash(library, clip):
    video_id = library.register(clip)
    assert video_id == f"my-clip-1-{library.source(video_id).sha256[:8]}"
    assert library.video_ids() == [video_id]
    assert library.path(video_id).read_bytes() == clip.read_bytes()
    assert library.path(video_id).name == f"{video_id}.mp4"


def test_the_same_bytes_are_the_same_video(library, clip, tmp_path):
    again = tmp_path / "other name.MP4"
    again.write_bytes(clip.read_bytes())
    first = library.register(clip)
    assert library.register(again) == first
    assert library.register(library.path(first)) == first
    assert library.video_ids() == [first]


def test_a_video_of_a_library_without_an_index_keeps_its_id(library, clip):
    video_id = library.register(clip)
    for note in (library.path(video_id).parent / ".sha256").iterdir():
        note.unlink()
    assert library.register(clip) == video_id


def test_two_files_with_the_same_eight_digits_are_two_videos(library, clip, tmp_path):
    video_id = library.register(clip)
    record = library.path(video_id).with_suffix(".source.json")
    other = tmp_path / "same" / clip.name
    other.parent.mkdir()
    other.write_bytes(b"others")
    digits = hashlib.sha256(b"others").hexdigest()
    record.rename(record.with_name(record.name.replace(video_id[-8:], digits[:8])))
    assert library.register(other) == f"my-clip-1-{digits[:16]}"


def test_a_name_without_letters_gets_one(library, tmp_path):
    path = tmp_path / "☀☀.mp4"
    path.write_bytes(b"x")
    assert library.register(path).startswith("video-")


def test_a_file_is_copied_where_it_cannot_be_linked(library, clip, monkeypatch):
    def refuse(*_):
        raise OSError(errno.EXDEV, "another file system")

    monkeypatch.setattr(os, "link", refuse)
    video_id = library.register(clip)
    assert library.path(video_id).read_bytes() == clip.read_bytes()
    assert library.path(video_id).stat().st_nlink == 1
    assert not list(library.path(video_id).parent.glob(".new-*"))


def test_an_unknown_file_and_an_unknown_id_are_named(library, tmp_path):
    with pytest.raises(MediaError, match=r"nothing\.mp4: cannot be read"):
        library.register(tmp_path / "nothing.mp4")
    with pytest.raises(KeyError, match="no-such-12345678"):
        library.path("no-such-12345678")


def test_a_file_that_changed_or_went_is_named(library, clip, tmp_path):
    path = tmp_path / "clip.mp4"
    path.write_bytes(clip.read_bytes())
    video_id = library.register(path)
    with path.open("ab") as file:
        file.write(b"more")
    with pytest.raises(MediaError, match=r"^clip\.mp4: its bytes are gone or changed"):
        library.probe(video_id)
    library.path(video_id).unlink()
    with pytest.raises(MediaError, match="gone or changed"), library.open(video_id):
        pass
    path.write_bytes(clip.read_bytes())
    assert library.register(path) == video_id
    assert library.probe(video_id).codec == "h264"


def test_a_sidecar_becomes_metadata(library, clip, tmp_path):
    path = tmp_path / "clip.mp4"
    path.write_bytes(clip.read_bytes())
    said = {
        "title": "A title",
        "uploader": "someone",
        "description": "Look! #Cats #fyp",
        "tags": ["cats", "funny"],
        "list_tags": ["for the study"],
        "timestamp": 1700000000,
        "view_count": 12,
        "like_count": 3,
        "track": "A song",
        "artist": "A band",
        "webpage_url": "https://example.org/v/1",
    }
    path.with_suffix(".info.json").write_text(json.dumps(said))
    with library.open(library.register(path)) as video:
        metadata = video.info.metadata
    assert metadata["title"] == "A title"
    assert metadata["author"] == "someone"
    assert metadata["hashtags"] == ["cats", "funny", "fyp"]
    assert metadata["list_tags"] == ["for the study"]
    assert metadata["published_at"] == "2023-11-14T22:13:20+00:00"
    assert (metadata["view_count"], metadata["like_count"]) == (12, 3)
    assert (metadata["track"], metadata["artist"]) == ("A song", "A band")
    assert metadata["original_name"] == "clip.mp4"


def test_a_broken_sidecar_is_a_warning(library, clip, tmp_path):
    path = tmp_path / "clip.mp4"
    path.write_bytes(clip.read_bytes())
    path.with_suffix(".info.json").write_text("{")
    with library.open(library.register(path)) as video:
        assert any("sidecar" in w for w in video.info.warnings)


# The cache


def test_a_second_open_decodes_nothing(library, clip, monkeypatch):
    video_id = library.register(clip)
    with library.open(video_id) as video:
        first = np.array(video.thumbs.pixels)
    monkeypatch.setattr("resources.media.run_decoder", None)
    with library.open(video_id) as video:
        np.testing.assert_array_equal(video.thumbs.pixels, first)


def test_other_settings_are_another_ladder(library, clip, tmp_path):
    video_id = library.register(clip)
    with library.open(video_id):
        pass
    other = MediaLibrary(tmp_path / "data", LadderSettings(analysis_rate_hz=10))
    with other.open(video_id) as video:
        assert len(video.analysis) == 7
    assert len(ladders(tmp_path)) == 2


def test_what_is_open_is_not_evicted_and_a_miss_is_rebuilt(library, clip, tmp_path):
    video_id = library.register(clip)
    with library.open(video_id) as video:
        assert library.evict(0) == []
        assert video.detail[0].shape == (72, 128, 3)
    assert len(library.evict(0)) == 1
    assert ladders(tmp_path) == []
    assert list((tmp_path / "data/cache/ladder").iterdir()) == []
    with library.open(video_id) as video:
        assert len(video.thumbs) == 20


def test_eviction_begins_with_what_was_used_longest_ago(tmp_path):
    def build(folder):
        (folder / "data").write_bytes(b"x" * 1000)
        return {}

    cache = LadderCache(tmp_path, max_bytes=10**6)
    for age_s, key in enumerate("abc"):
        with cache.open(key, build) as (folder, _):
            pass
        os.utime(folder / "ladder.json", (time.time() - 100 + age_s,) * 2)
    with cache.open("a", build):
        pass
    assert cache.evict(1500) == ["b", "c"]


def test_eviction_measures_each_ladder_once(tmp_path, monkeypatch):
    measured = []
    real = ladder_cache.size_bytes
    monkeypatch.setattr(ladder_cache, "size_bytes", lambda f: measured.append(f.name) or real(f))
    cache = LadderCache(tmp_path, max_bytes=10**6)
    for key in "abc":
        with cache.open(key, lambda folder: {}):
            pass
    measured.clear()
    cache.evict(10**6)
    assert sorted(measured) == ["a", "b", "c"]


def test_a_ladder_is_on_the_disk_before_it_has_its_name(tmp_path, monkeypatch):
    synced = []

    def sync(path):
        if path.is_file():
            synced.append(path.relative_to(tmp_path).as_posix())
        elif path.name == "k.partial":
            assert not (tmp_path / "k").exists()
            synced.append("folder")

    monkeypatch.setattr(ladder_cache, "sync", sync)

    def build(folder):
        (folder / "rung.npy").write_bytes(b"x")
        (folder / "detail").mkdir()
        (folder / "detail" / "0.jpg").write_bytes(b"y")
        return {}

    with LadderCache(tmp_path, 10**6).open("k", build) as (folder, _):
        assert folder.name == "k"
    assert sorted(synced) == [
        "folder",
        "k.partial/detail/0.jpg",
        "k.partial/ladder.json",
        "k.partial/rung.npy",
    ]


def test_a_ladder_whose_description_lost_its_content_is_built_again(library, clip, tmp_path):
    video_id = library.register(clip)
    with library.open(video_id):
        pass
    (ladder,) = ladders(tmp_path)
    (ladder / "ladder.json").write_bytes(b"")
    with library.open(video_id) as video:
        assert len(video.thumbs) == 20


@pytest.mark.parametrize("torn", [b"", b"\0" * 200, b'{"video_id": "my-'])
@pytest.mark.parametrize("which", ["record", "index"])
def test_a_record_that_lost_its_content_is_told_and_mended_by_registering(
    library, clip, tmp_path, which, torn
):
    video_id = library.register(clip)
    source = library.source(video_id)
    folder = tmp_path / "data" / "library"
    place = {
        "record": folder / f"{video_id}.source.json",
        "index": folder / ".sha256" / source.sha256,
    }[which]
    place.write_bytes(torn)
    if which == "record":
        with pytest.raises(MediaError, match="record in the library is damaged; register its file"):
            library.source(video_id)
    same = tmp_path / "the same under another name.mp4"
    same.write_bytes(clip.read_bytes())
    assert library.register(same) == video_id
    assert library.source(video_id) == source
    assert library.video_ids() == [video_id]
    assert place.read_bytes() != torn


def test_a_link_rewritten_in_place_at_the_same_size_is_seen(library, clip, tmp_path):
    original = tmp_path / "linked.mp4"
    original.write_bytes(clip.read_bytes())
    video_id = library.register(original)
    assert original.stat().st_nlink == 2
    with library.open(video_id):
        pass
    content = bytearray(original.read_bytes())
    content[-1] ^= 255
    with original.open("r+b") as file:  # the library's bytes change with it
        file.write(content)
    with (
        pytest.raises(MediaError, match="changed since it was registered"),
        library.open(video_id),
    ):
        pass
    assert library.register(clip) == video_id
    with library.open(video_id):
        pass


def test_a_link_that_was_only_touched_is_hashed_once_again(library, clip, monkeypatch):
    video_id = library.register(clip)
    path = library.path(video_id)
    os.utime(path, (path.stat().st_atime, path.stat().st_mtime + 10))
    hashed = []
    real = media._sha256
    monkeypatch.setattr(media, "_sha256", lambda p: hashed.append(p) or real(p))
    for _ in range(2):
        with library.open(video_id):
            pass
    assert hashed == [path]


def test_the_bound_holds_after_each_build(tmp_path):
    def build(folder):
        (folder / "data").write_bytes(b"x" * 1000)
        return {}

    cache = LadderCache(tmp_path, max_bytes=2500)
    for key in "abcde":
        with cache.open(key, build):
            pass
    assert sum(p.is_dir() for p in tmp_path.iterdir()) == 2


def test_threads_that_ask_at_once_decode_once(tmp_path):
    builds = []

    def build(folder):
        builds.append(1)
        time.sleep(0.2)
        (folder / "data").write_bytes(b"x")
        return {"built": len(builds)}

    def read():
        with LadderCache(tmp_path, 10**6).open("key", build) as (_, meta):
            seen.append(meta)

    seen = []
    threads = [threading.Thread(target=read) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert builds == [1]
    assert seen == [{"built": 1}] * 6


def _open_and_report(data_dir, path, results):
    with open_video(path, data_dir) as video:
        results.put((os.getpid(), float(video.thumbs.pixels.mean())))


def test_processes_that_ask_at_once_decode_once(tmp_path, clip):
    context = multiprocessing.get_context("spawn")
    results = context.Queue()
    children = [
        context.Process(target=_open_and_report, args=(tmp_path / "data", clip, results))
        for _ in range(2)
    ]
    for child in children:
        child.start()
    seen = [results.get(timeout=60) for _ in children]
    for child in children:
        child.join(20)
        assert child.exitcode == 0
    assert seen[0][1] == seen[1][1]
    assert len(ladders(tmp_path)) == 1


def test_a_decode_that_failed_or_was_killed_leaves_nothing_whole(tmp_path):
    cache = LadderCache(tmp_path, 10**6)

    def fail(folder):
        (folder / "thumbs.npy").write_bytes(b"half")
        raise RuntimeError("cut short")

    with pytest.raises(RuntimeError), cache.open("key", fail):
        pass
    assert not [p for p in tmp_path.iterdir() if p.is_dir()]

    (tmp_path / "key.partial").mkdir()  # as a killed process leaves it
    (tmp_path / "key.partial" / "thumbs.npy").write_bytes(b"half")

    def build(folder):
        assert list(folder.iterdir()) == []
        return {"whole": True}

    with cache.open("key", build) as (folder, meta):
        assert meta == {"whole": True}
        assert folder.name == "key"
    (tmp_path / "other.partial").mkdir()
    cache.evict(10**6)
    assert not (tmp_path / "other.partial").exists()


# A decoder that misbehaves


@pytest.fixture
def as_child(monkeypatch):
    """Replace the decoder's program by another one."""

    def replace(program):
        monkeypatch.setattr(decode_child, "_COMMAND", [sys.executable, "-c", program])

    return replace


def failure(library, clip):
    with pytest.raises(MediaError) as caught, library.open(library.register(clip)):
        pass
    assert ladders(library._folder.parents[1]) == []
    return str(caught.value)


def test_a_crash_is_one_sentence(library, clip, as_child):
    as_child("import os; os.abort()")
    assert failure(library, clip) == (
        f"{clip.name}: the decoder crashed on it (SIGABRT); convert the file anew, or leave it out."
    )


def test_an_exception_in_the_decoder_is_one_sentence(library, clip, as_child):
    as_child("raise ValueError('unheard of')")
    message = failure(library, clip)
    assert "ValueError: unheard of" in message
    assert "\n" not in message


def test_ctrl_c_in_a_terminal_does_not_reach_the_decoder(library, clip, as_child):
    as_child("import os; raise ValueError(os.getpgrp() == os.getpgid(os.getppid()))")
    assert "ValueError: False" in failure(library, clip)


def test_a_hang_is_ended(tmp_path, clip, as_child):
    library = MediaLibrary(tmp_path / "data", limits=DecodeLimits(stall_timeout_s=0.5))
    as_child("import time; time.sleep(60)")
    started = time.monotonic()
    assert "stood still" in failure(library, clip)
    assert time.monotonic() - started < 5


def test_a_decode_that_goes_on_for_ever_is_ended(tmp_path, clip, as_child):
    limits = DecodeLimits(stall_timeout_s=0.5, timeout_per_video_s=1.0)
    library = MediaLibrary(tmp_path / "data", limits=limits)
    as_child(
        'import time\nprint(\'{"load_s": 0.3, "duration_s": 3}\', flush=True)\n'
        "while True: print('{\"at_s\": 1}', flush=True); time.sleep(0.1)"
    )
    started = time.monotonic()
    assert "took longer than" in failure(library, clip)
    assert time.monotonic() - started < 5


def test_want_of_memory_is_one_sentence(tmp_path, clip):
    library = MediaLibrary(tmp_path / "data", limits=DecodeLimits(memory_bytes=30 * 1024**2))
    assert "needs more than 0.029 GiB of memory" in failure(library, clip)


def test_a_full_disk_is_one_sentence(tmp_path, clip):
    if not Path("/dev/full").exists():
        pytest.skip("this system has no /dev/full")
    folder = tmp_path / "ladder"
    folder.mkdir()
    (folder / "motion.npy").symlink_to("/dev/full")
    request = {"what": "ladder", "folder": str(folder), "settings": LadderSettings().model_dump()}
    with pytest.raises(MediaError, match=r"clip: the disk is full; free space"):
        run_decoder(request, clip, "clip", DecodeLimits())


def test_who_waits_for_anothers_decode_is_alive_and_can_be_stopped(tmp_path):
    cache = LadderCache(tmp_path, 10**9)
    building, built = threading.Event(), threading.Event()

    def build(_):
        building.set()
        built.wait(20)
        return {}

    def decode():
        with cache.open("key", build):
            pass

    other = threading.Thread(target=decode)
    other.start()
    building.wait(20)
    task = Task("audio")
    seen = task.last_progress
    threading.Timer(0.5, task.cancel).start()
    try:
        with run_task(task), pytest.raises(Cancelled), cache.open("key", build):
            pass
        assert not built.is_set()
        assert task.last_progress > seen + 0.3
    finally:
        built.set()
        other.join()


def test_a_task_that_is_cancelled_ends_its_decode(library, clip, as_child):
    as_child("import time; time.sleep(60)")
    task = Task("frames")
    threading.Timer(0.3, task.cancel).start()
    started = time.monotonic()
    with run_task(task), pytest.raises(Cancelled), library.open(library.register(clip)):
        pass
    assert time.monotonic() - started < 5


def test_progress_is_told(library, tmp_path):
    path = make_clip(tmp_path / "clip.mp4", count=300, paint=moving(640, 360))
    task = Task("frames")
    with run_task(task), library.open(library.register(path)):
        pass
    assert task.share == 1


def test_a_full_disk_is_one_sentence_in_the_parent_too(library, clip, monkeypatch):
    def refuse(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    video_id = library.register(clip)
    monkeypatch.setattr(Path, "rename", refuse)
    with pytest.raises(MediaError, match="the disk is full"), library.open(video_id):
        pass
    assert ladders(library._folder.parents[1]) == []


@pytest.mark.skipif(sys.platform != "linux", reason="other systems let orphans live")
def test_a_decoder_dies_with_its_parent(tmp_path):
    path = make_clip(tmp_path / "long.mp4", count=900, paint=moving(320, 180))
    program = (
        "import sys; from resources.media import open_video\n"
        "with open_video(sys.argv[1], sys.argv[2]): pass"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", program, str(path), str(tmp_path / "data")],
        cwd=Path(decode_child.__file__).parents[1],
    )
    cache = tmp_path / "data/cache/ladder"
    until = time.monotonic() + 30
    while not list(cache.glob("*.partial/thumbs.npy")) and time.monotonic() < until:
        time.sleep(0.02)
    (decoder,) = psutil.Process(parent.pid).children()
    parent.kill()
    parent.wait()
    psutil.wait_procs([decoder], timeout=5)
    assert not decoder.is_running() or decoder.status() == psutil.STATUS_ZOMBIE
    assert not list(cache.glob("*/ladder.json"))


def test_a_playlist_opens_no_address(library, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.2)
        address = "http://{}:{}/a.ts".format(*server.getsockname())
        playlist = tmp_path / "clip.m3u8"
        playlist.write_text(f"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n{address}\n")
        with pytest.raises(MediaError, match="a playlist, not a media file"):
            library.probe(library.register(playlist))
        with pytest.raises(TimeoutError):
            server.accept()


def test_the_current_folder_is_not_imported(library, clip, tmp_path, monkeypatch):
    (tmp_path / "resources").mkdir()
    (tmp_path / "resources/__init__.py").write_text("raise RuntimeError('the wrong package')")
    monkeypatch.chdir(tmp_path)
    assert library.probe(library.register(clip)).codec == "h264"


def test_an_error_survives_pickling():
    error = MediaError("a.mp4", "no video stream", "give another")
    assert str(pickle.loads(pickle.dumps(error))) == str(error)


def test_ten_times_the_length_takes_no_more_memory(tmp_path):
    peaks = []
    for count in (40, 400):
        path = make_clip(tmp_path / f"{count}.mp4", count=count, paint=moving(640, 360))
        program = (
            "import resource, sys; from pathlib import Path; from resources import decode\n"
            "decode.build_ladder(Path(sys.argv[1]), Path(sys.argv[2]), "
            f"{LadderSettings().model_dump()!r}, 2)\n"
            "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
        )
        folder = tmp_path / f"ladder{count}"
        folder.mkdir()
        peaks.append(int(_run(program, path, folder)))
    assert peaks[1] < 1.1 * peaks[0]


def _run(program, *arguments):
    return subprocess.run(
        [sys.executable, "-c", program, *map(str, arguments)],
        check=True,
        capture_output=True,
        text=True,
        cwd=Path(decode_child.__file__).parents[1],
    ).stdout


def test_a_corrupt_file_says_how_many_frames_it_lost(library, tmp_path):
    path = make_clip(
        tmp_path / "hurt.mkv", count=60, options={"preset": "ultrafast", "g": "10", "crf": "20"}
    )
    scramble(path, 0.4, 0.45)
    with library.open(library.register(path)) as video:
        lost = video.info.corrupt_frame_count
        assert lost > 0
        assert f"corrupt frames were left out ({lost})" in video.info.warnings


def test_reading_building_and_evicting_at_once_never_shows_half_a_ladder(tmp_path):
    def build(folder):
        for name in "abc":
            (folder / name).write_bytes(b"x" * 100)
        return {"names": "abc"}

    def read(seed):
        cache = LadderCache(tmp_path, 10**6)
        random = np.random.default_rng(seed)
        try:
            for _ in range(60):
                with cache.open(f"key{random.integers(3)}", build) as (folder, meta):
                    for name in meta["names"]:
                        assert (folder / name).stat().st_size == 100
                if random.random() < 0.3:
                    cache.evict(0)
        except BaseException as error:
            failures.append(error)

    failures: list[BaseException] = []
    threads = [threading.Thread(target=read, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert failures == []
    LadderCache(tmp_path, 10**6).evict(0)
    assert list(tmp_path.iterdir()) == []
