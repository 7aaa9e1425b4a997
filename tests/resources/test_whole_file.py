import os

import pytest

from resources.whole_file import write_whole


def test_a_file_is_synced_before_it_takes_its_name(tmp_path, monkeypatch):
    file = tmp_path / "small.json"
    file.write_bytes(b"before")
    seen = []
    real = os.fsync

    def fsync(descriptor):
        seen.append(file.read_bytes())
        real(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    write_whole(file, b"after")
    assert seen == [b"before"]
    assert file.read_bytes() == b"after"
    assert [p.name for p in tmp_path.iterdir()] == ["small.json"]


def test_what_stood_before_stays_where_writing_fails(tmp_path, monkeypatch):
    file = tmp_path / "small.json"
    file.write_bytes(b"before")

    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        write_whole(file, b"after")
    assert file.read_bytes() == b"before"
    assert [p.name for p in tmp_path.iterdir()] == ["small.json"]
