import importlib
import os
import subprocess
import sys
import threading
import time

import pytest

from analyzers.models import runtime


def _in_a_process(code, **environment):
    # Other tests of this process may have prepared it, also for the same bits every time.
    set_by_us = {*runtime.environment(), "CUBLAS_WORKSPACE_CONFIG", "NVIDIA_TF32_OVERRIDE"}
    clean = {k: v for k, v in os.environ.items() if k not in set_by_us}
    return subprocess.run(
        [sys.executable, "-c", code],
        env={**clean, **environment},
        check=True,
        capture_output=True,
        text=True,
        timeout=120,
    ).stdout.split()


@pytest.mark.parametrize(("cores", "threads"), [(1, 1), (2, 2), (4, 2), (8, 2), (16, 4), (64, 16)])
def test_a_model_gets_a_part_of_the_cores(monkeypatch, cores, threads):
    monkeypatch.delenv("TIKTOK_ASSETS_MODEL_THREADS", raising=False)
    monkeypatch.setattr(runtime, "cpu_count", lambda: cores)
    assert runtime.model_threads() == threads
    assert runtime.environment()["OMP_NUM_THREADS"] == str(threads)
    monkeypatch.setenv("TIKTOK_ASSETS_MODEL_THREADS", "3")
    assert runtime.model_threads() == 3


def test_libraries_take_their_thread_budget(tmp_path):
    code = """
import numpy, cv2
from analyzers.models.runtime import prepare
prepare(); prepare()
import torch, threadpoolctl
blas = {p["num_threads"] for p in threadpoolctl.threadpool_info() if p["user_api"] == "blas"}
print(torch.get_num_threads(), cv2.getNumThreads(), *blas)
"""
    environment = {"TIKTOK_ASSETS_MODEL_THREADS": "1", "TIKTOK_ASSETS_DATA_DIR": str(tmp_path)}
    assert set(_in_a_process(code, **environment)) == {"1"}


def test_libraries_are_offline_and_silent_and_keep_out_of_the_home(tmp_path):
    code = """
import analyzers.models, sys
from analyzers.models.runtime import prepare
prepare()
import openvino, openvino.tools.ovc, huggingface_hub.constants as hub, ultralytics.utils as yolo
import onnxruntime, faster_whisper, pathlib
model = pathlib.Path(faster_whisper.__file__).parent / "assets" / "silero_vad_v6.onnx"
onnxruntime.InferenceSession(model)
print(type(openvino.tools.ovc.telemetry).__module__.rpartition(".")[2])
print(hub.HF_HUB_OFFLINE, hub.HF_HUB_DISABLE_TELEMETRY, yolo.ONLINE, yolo.AUTOINSTALL)
"""
    home, data = tmp_path / "home", tmp_path / "data"
    home.mkdir()
    environment = {"HOME": str(home), "TIKTOK_ASSETS_DATA_DIR": str(data)}
    said = _in_a_process(code, **environment)
    assert said == ["telemetry_stub", "True", "True", "False", "False"]
    assert list(home.iterdir()) == []  # OpenVINO and onnxruntime would leave an id of the machine
    assert (data / "cache" / "ultralytics").is_dir()


def test_what_the_user_set_stays(tmp_path):
    code = """
import os
from analyzers.models.runtime import prepare
prepare()
print(os.environ["OMP_NUM_THREADS"])
"""
    environment = {"OMP_NUM_THREADS": "7", "TIKTOK_ASSETS_DATA_DIR": str(tmp_path)}
    assert _in_a_process(code, **environment) == ["7"]


def test_a_gpu_computes_in_tf32_or_the_same_bits_every_time(tmp_path):
    code = """
import torch
from analyzers.models.runtime import prepare
prepare()
import os
print(torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32)
print(torch.are_deterministic_algorithms_enabled(), os.environ.get("CUBLAS_WORKSPACE_CONFIG"))
print(torch.cuda.is_initialized())
"""
    data = {"TIKTOK_ASSETS_DATA_DIR": str(tmp_path)}
    fast = _in_a_process(code, **data)
    assert fast == ["True", "True", "False", "None", "False"]
    exact = _in_a_process(code, TIKTOK_ASSETS_DETERMINISTIC="1", **data)
    assert exact == ["False", "False", "True", ":4096:8", "False"]


def test_a_library_that_another_thread_imports_is_waited_for(tmp_path, monkeypatch):
    """Half of torch has no `backends`: a model that another thread loaded then failed to load."""
    (tmp_path / "slow_library.py").write_text("import time\ntime.sleep(0.3)\nbackends = 1\n")
    monkeypatch.syspath_prepend(tmp_path)
    assert runtime.imported("slow_library") is None
    thread = threading.Thread(target=importlib.import_module, args=["slow_library"])
    thread.start()
    while "slow_library" not in sys.modules:
        time.sleep(0.01)
    found = runtime.imported("slow_library")
    thread.join()
    assert found.backends == 1
    assert runtime.imported("no_such_library") is None
