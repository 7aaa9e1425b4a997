"""A tethered process ends with its parent."""

import subprocess
import sys

import psutil
import pytest

_PARENT = """
import subprocess, sys, time
code = (
    "from resources.tether import die_with_parent; die_with_parent()\\n"
    "import os, time; print(os.getpid(), flush=True); time.sleep(60)"
)
subprocess.Popen([sys.executable, "-c", code])
time.sleep(60)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="needs prctl(2)")
def test_tethered_process_ends_with_its_parent() -> None:
    parent = subprocess.Popen([sys.executable, "-c", _PARENT], stdout=subprocess.PIPE, text=True)
    assert parent.stdout
    child = psutil.Process(int(parent.stdout.readline()))
    assert child.is_running()
    parent.kill()
    parent.wait()
    parent.stdout.close()
    _, left = psutil.wait_procs([child], timeout=10)
    for process in left:
        process.kill()
    assert not left
