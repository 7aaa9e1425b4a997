"""How many CPU cores this process may use."""

from __future__ import annotations

import os
from pathlib import Path, PurePosixPath


def available_cores(root: Path = Path("/")) -> int:
    """Cores this process may use: its CPU affinity, cut down to its cgroup's CPU quota.

    A container on a large host sees all of the host's cores and gets only its quota of them
    (https://docs.kernel.org/admin-guide/cgroup-v2.html#cpu-interface-files). A part of a core
    counts as a whole one. `root` is the file system that holds `proc` and `sys`, for tests.
    """
    cores = (
        len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    )
    quota = min(_quotas(root), default=float(cores))
    return max(1, min(cores, -int(-quota // 1)))


def _quotas(root: Path) -> list[float]:
    """CPU quotas, in cores, of the process's control groups and of all groups above them."""
    try:
        lines = (root / "proc/self/cgroup").read_text().splitlines()
    except OSError:
        return []
    quotas = []
    for line in lines:
        hierarchy, controllers, path = line.split(":", 2)
        group = PurePosixPath(path.lstrip("/"))
        if hierarchy == "0":
            base = root / "sys/fs/cgroup"
        elif "cpu" in controllers.split(","):
            base = root / "sys/fs/cgroup/cpu"
        else:
            continue
        for folder in {group, *group.parents}:
            quotas += _quota(base / folder)
    return quotas


def _quota(group: Path) -> list[float]:
    try:
        if (group / "cpu.max").exists():  # version 2: "200000 100000", or "max 100000"
            quota, period = (group / "cpu.max").read_text().split()
        else:  # version 1: -1 is no quota
            quota = (group / "cpu.cfs_quota_us").read_text().strip()
            period = (group / "cpu.cfs_period_us").read_text().strip()
    except OSError:  # a group outside this container cannot be seen
        return []
    return [] if quota in ("max", "-1") else [int(quota) / int(period)]
