"""What a piece of work costs: wall-clock and CPU time, child processes included."""

import resource
import time
from typing import TypedDict


class Cost(TypedDict):
    """Seconds."""

    wall_s: float
    cpu_s: float


class CostMeter:
    """Measures from its making on. CPU time of child processes counts once they have ended."""

    def __init__(self) -> None:
        self._wall_s, self._cpu_s = time.perf_counter(), _cpu_s()

    def read(self) -> Cost:
        """What was spent since."""
        return Cost(wall_s=time.perf_counter() - self._wall_s, cpu_s=_cpu_s() - self._cpu_s)


def _cpu_s() -> float:
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime
