import ctypes

import psutil
import pytest

from analyzers.memory import available_bytes, give_back_free


def _write(root, files):
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    return root


def _group(folder, most, used, stat):
    return {
        f"{folder}/memory.max": f"{most}\n",
        f"{folder}/memory.current": f"{used}\n",
        f"{folder}/memory.stat": f"{stat}\n",
    }


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({}, None),
        ({"proc/self/cgroup": "0::/a/b\n",
          **_group("sys/fs/cgroup/a/b", "max", 5, "anon 1")}, None),
        ({"proc/self/cgroup": "0::/a/b\n",
          **_group("sys/fs/cgroup/a", "1000", 400, "anon 300")}, 600),
        ({"proc/self/cgroup": "0::/a/b\n",
          **_group("sys/fs/cgroup/a/b", "900", 800, "active_file 100\ninactive_file 50"),
          **_group("sys/fs/cgroup/a", "1000", 400, "anon 1")}, 250),
        ({"proc/self/cgroup": "4:cpu:/x\n3:memory:/c\n",
          "sys/fs/cgroup/memory/c/memory.limit_in_bytes": "1000\n",
          "sys/fs/cgroup/memory/c/memory.usage_in_bytes": "900\n",
          "sys/fs/cgroup/memory/c/memory.stat": "active_file 9\ntotal_inactive_file 20\n"}, 120),
        ({"proc/self/cgroup": "0::/\n", **_group("sys/fs/cgroup", "10", 40, "anon 1")}, 0),
    ],
)  # fmt: skip
def test_available_memory_follows_the_control_group(tmp_path, monkeypatch, files, expected):
    free = 8_000_000_000
    monkeypatch.setattr(
        "analyzers.memory.psutil.virtual_memory", lambda: type("M", (), {"available": free})
    )
    assert available_bytes(_write(tmp_path, files)) == (free if expected is None else expected)


def test_what_was_freed_in_small_pieces_goes_back_to_the_system():
    """Pieces that are freed below one that is kept stay in the heap until they are given back."""
    if not hasattr(ctypes.CDLL(None), "malloc_trim"):
        pytest.skip("the C library is not glibc")
    process = psutil.Process()
    pieces = [bytes(100_000) for _ in range(2000)]
    kept = [bytes(600) for _ in range(1000)]
    del pieces
    before = process.memory_info().rss
    give_back_free()
    assert process.memory_info().rss < before - 100e6
    assert len(kept) == 1000
