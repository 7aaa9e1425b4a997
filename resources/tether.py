"""Ties the life of a process to that of the one that started it."""

from __future__ import annotations

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1  # prctl(2)
_libc = ctypes.CDLL(None)  # loaded here, since the call may come between fork and exec


def die_with_parent(number: signal.Signals = signal.SIGKILL) -> None:
    """Have the kernel send this process a signal when the thread that started it ends.

    Linux only; elsewhere it does nothing.
    """
    if sys.platform != "linux":
        return
    parent = os.getppid()
    _libc.prctl(_PR_SET_PDEATHSIG, number)
    if os.getppid() != parent:  # it was gone before this was set
        os._exit(1)
