import pytest

from analyzers.memory import available_bytes


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
