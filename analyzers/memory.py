"""How much memory this process may still take, and giving back what it does not use."""

from __future__ import annotations

import ctypes
from contextlib import suppress
from pathlib import Path, PurePosixPath

import psutil

_FILE_CACHE = ("active_file", "inactive_file")


def available_bytes(root: Path = Path("/")) -> int:
    """Memory that can still be taken: what the host has free, or what the control group leaves.

    A container sees its host's memory and is killed at its own limit
    (https://docs.kernel.org/admin-guide/cgroup-v2.html#memory-interface-files). The cache of files,
    which decoding fills and the kernel gives back, counts as free, as in the host's figure. `root`
    is the file system that holds `proc` and `sys`, for tests.
    """
    return max(0, min(psutil.virtual_memory().available, *_headrooms(root), 1 << 60))


def give_back_free() -> None:
    """Give the heap's free pages back to the system, where the C library is glibc.

    glibc keeps what a thread freed for that thread, and steps run on many: see malloc_trim(3).
    """
    with suppress(AttributeError):  # another C library has no such call
        ctypes.CDLL(None).malloc_trim(0)


def _headrooms(root: Path) -> list[int]:
    """What the process's control groups, and all groups above them, leave, in bytes."""
    try:
        lines = (root / "proc/self/cgroup").read_text().splitlines()
    except OSError:
        return []
    headrooms = []
    for line in lines:
        hierarchy, controllers, path = line.split(":", 2)
        group = PurePosixPath(path.lstrip("/"))
        if hierarchy == "0":
            base, prefix = root / "sys/fs/cgroup", ""
            limit, usage = "memory.max", "memory.current"
        elif "memory" in controllers.split(","):
            base, prefix = root / "sys/fs/cgroup/memory", "total_"
            limit, usage = "memory.limit_in_bytes", "memory.usage_in_bytes"
        else:
            continue
        for folder in {group, *group.parents}:
            try:
                most = (base / folder / limit).read_text().strip()
                used = int((base / folder / usage).read_text())
                parts = dict(
                    line.split()
                    for line in (base / folder / "memory.stat").read_text().splitlines()
                )
            except OSError:  # a group outside this container cannot be seen
                continue
            if most != "max":
                cached = sum(int(parts.get(f"{prefix}{kind}", 0)) for kind in _FILE_CACHE)
                headrooms.append(int(most) - used + cached)
    return headrooms
