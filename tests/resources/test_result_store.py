import json
import uuid

import pyarrow.dataset as pads
import pyarrow.parquet as pq
import pytest
from moto.server import ThreadedMotoServer

from analyzers.run import RunRecord, run_analyzer
from resources import file_store
from resources.result_store import PROVENANCE_KEY, ResultMissing, ResultStore
from tests.analyzers.made import brightness, made_video


@pytest.fixture(scope="module")
def s3():
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture(params=["local", "memory", "s3"])
def store(request, tmp_path, monkeypatch):
    if request.param == "local":
        return ResultStore(url=str(tmp_path / "results"))
    if request.param == "memory":
        return ResultStore(url=f"memory://{uuid.uuid4().hex}")
    for name, value in {
        "AWS_ENDPOINT_URL": request.getfixturevalue("s3"),
        "AWS_ACCESS_KEY_ID": "made",
        "AWS_SECRET_ACCESS_KEY": "made",
        "AWS_DEFAULT_REGION": "us-east-1",
    }.items():
        monkeypatch.setenv(name, value)
    import s3fs

    bucket = f"b{uuid.uuid4().hex}"
    s3fs.S3FileSystem(skip_instance_cache=True).mkdir(bucket)
    return ResultStore(url=f"s3://{bucket}/results")


def _write(store, video):
    result, record = run_analyzer(brightness(), video, {})
    return result, store.write(brightness(), video, result, record)


def test_what_is_written_is_read_back_equal(store):
    video = made_video()
    result, _ = _write(store, video)
    again = store.read("brightness", video.id)
    assert again.observations.equals(result.observations)
    assert again.segments.equals(result.segments)
    assert again.summary == result.summary
    assert again.files == {"txt": b"bright enough"}
    brightness().check(again, video.grid)


def test_a_not_applicable_result_is_stored_too(store):
    video = made_video()
    answer = brightness().not_applicable(video, "no light")
    store.write(brightness(), video, answer, RunRecord(0.1, 25.0, ()))
    again = store.read("brightness", video.id)
    assert (again.status, again.reason) == ("not_applicable", "no light")
    assert again.segments.equals(answer.segments)
    brightness().check(again, video.grid)


def test_files_of_the_result_before_do_not_stay_as_if_they_were_this_ones(store):
    video = made_video()
    _write(store, video)
    assert store.read_file("brightness", video.id, "txt") == b"bright enough"
    store.write(
        brightness(), video, brightness().not_applicable(video, "dark"), RunRecord(0.1, 25, ())
    )
    with pytest.raises(FileNotFoundError):
        store.read_file("brightness", video.id, "txt")


def test_many_videos_are_listed_and_kept_apart(store):
    for number in range(3):
        _write(store, made_video(video_id=f"v{number}-00000000", seed=number))
    assert store.video_ids("brightness") == [f"v{n}-00000000" for n in range(3)]
    assert store.video_ids("nothing") == []
    levels = {store.read("brightness", v).summary["level"] for v in store.video_ids("brightness")}
    assert len(levels) == 3


def test_a_missing_result_is_named(store):
    assert not store.has("brightness", "v-00000000")
    with pytest.raises(ResultMissing, match="no result of brightness for v-00000000"):
        store.read("brightness", "v-00000000")


def test_a_failure_stands_until_the_next_success(store):
    video = made_video()
    store.write_failure("brightness", video.id, "the lamp broke")
    assert store.failure("brightness", video.id).error == "the lamp broke"
    _write(store, video)
    assert store.failure("brightness", video.id) is None


def test_provenance_is_in_the_json_and_the_footer(store):
    video = made_video()
    _, document = _write(store, video)
    stored = store.read_json("brightness", video.id)
    assert stored == document
    assert stored["models"] == [
        {
            "role": "light_meter", "model_id": "mean", "sha256": "0" * 64, "device": "cpu",
            "runtime": "numpy", "calls": 1, "items": len(video.analysis),
        }
    ]  # fmt: skip
    assert stored["settings"] == {"threshold": 0.5}
    table = store._read_table(store._path("brightness", "segments", video.id))
    footer = json.loads(table.schema.metadata[PROVENANCE_KEY])
    assert footer["source_sha256"] == video.info.sha256
    assert footer["analyzer_version"] == "1"
    assert table.schema.field("level").metadata[b"description"] == b"Mean over the second"


def test_tables_of_two_attempts_are_never_mixed(store):
    video = made_video()
    _, document = _write(store, video)
    path = store._path("brightness", "json", video.id)
    store._files.put({path: json.dumps({**document, "result_id": "another"}).encode()})
    with pytest.raises(ResultMissing, match="belong to another attempt"):
        store.read("brightness", video.id)


def test_a_folder_reads_as_one_dataset(tmp_path):
    store = ResultStore(url=str(tmp_path))
    for number in range(2):
        _write(store, made_video(video_id=f"v{number}-00000000"))
    table = pads.dataset(tmp_path / "brightness" / "observations").to_table()
    assert set(table["video_id"].to_pylist()) == {"v0-00000000", "v1-00000000"}


def test_a_failed_write_leaves_what_stood(tmp_path, monkeypatch):
    store = ResultStore(url=str(tmp_path))
    video = made_video()
    first, _ = _write(store, video)

    room = iter([True, True])

    def full(_):
        if not next(room, False):
            raise OSError(28, "No space left on device")

    monkeypatch.setattr("resources.file_store.os.fsync", full)
    with pytest.raises(OSError, match="No space left"):
        _write(store, made_video(seed=9))
    monkeypatch.undo()
    assert store.read("brightness", video.id).summary == first.summary
    assert not list(tmp_path.rglob("*.tmp"))


def test_parquet_is_compressed_and_readable_by_path(tmp_path):
    store = ResultStore(url=str(tmp_path))
    video = made_video()
    _write(store, video)
    where = store.location("brightness", "segments", video.id)
    assert pq.read_metadata(where).num_rows == 3


def test_json_torn_by_a_loss_of_power_is_no_result_and_is_replaced(tmp_path):
    store = ResultStore(url=str(tmp_path))
    video = made_video()
    _write(store, video)
    (tmp_path / "brightness" / "json" / f"{video.id}.json").write_bytes(b"")
    with pytest.raises(ResultMissing, match=r"brightness for .* is damaged; materialize"):
        store.read("brightness", video.id)
    _write(store, video)
    assert store.read("brightness", video.id).status == "ok"
    (tmp_path / "brightness" / "segments" / f"{video.id}.parquet").write_bytes(b"")
    with pytest.raises(ResultMissing, match=r"segments of brightness for .* gone or damaged"):
        store.read("brightness", video.id)
    store.write_failure("brightness", video.id, "the lens cap is on")
    (tmp_path / "brightness" / "failures" / f"{video.id}.json").write_bytes(b"")
    assert "the note of why is damaged" in store.failure("brightness", video.id).error


def test_files_and_their_folders_are_synced_in_order(tmp_path, monkeypatch):
    store = ResultStore(url=str(tmp_path))
    seen = []
    monkeypatch.setattr(file_store, "sync", lambda folder: seen.append(folder.name))
    _write(store, made_video())
    assert sorted(seen) == ["files", "json", "observations", "segments"]
