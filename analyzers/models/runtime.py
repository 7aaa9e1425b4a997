"""Devices, runtimes, thread budgets, and the switches that keep ML libraries quiet and offline."""

from __future__ import annotations

import ctypes
import importlib
import os
import sys
from functools import cache
from pathlib import Path
from types import ModuleType

from threadpoolctl import threadpool_limits

from analyzers.cores import available_cores
from analyzers.models.weights import ModelSpec, data_dir

_SILENT = {
    "ORT_DISABLE_TELEMETRY": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "DO_NOT_TRACK": "1",
}


#: Environment variable: 1 asks a GPU for the same bits every time.
DETERMINISTIC = "TIKTOK_ASSETS_DETERMINISTIC"


class DeviceUnavailable(RuntimeError):
    """The device or runtime asked for cannot be used here; nothing falls back by itself."""


def cpu_count() -> int:
    """Cores this process may use."""
    return available_cores()


def model_threads() -> int:
    """Threads that one model's runtime may use; TIKTOK_ASSETS_MODEL_THREADS overrides it.

    About as many steps as cores run at once, so each library gets a part of the cores: two at
    least, which lets the last step of a run finish sooner, and a quarter on larger machines.
    """
    if given := os.environ.get("TIKTOK_ASSETS_MODEL_THREADS"):
        return max(1, int(given))
    cores = cpu_count()
    return min(cores, max(2, cores // 4))


def environment() -> dict[str, str]:
    """The variables that libraries read when they are imported, for this process or a child."""
    threads = str(model_threads())
    return {
        # Threads: torch and OpenMP, BLAS libraries, OpenCV, numba.
        "OMP_NUM_THREADS": threads,
        "OPENBLAS_NUM_THREADS": threads,
        "MKL_NUM_THREADS": threads,
        "OPENCV_FOR_THREADS_NUM": threads,
        "NUMBA_NUM_THREADS": threads,
        # Waiting OpenMP threads must not spin: other steps want the core.
        "OMP_WAIT_POLICY": "PASSIVE",
        **_gpu_arithmetic(),
        # Look for CUDA without creating a context, so that a worker can still fork.
        "PYTORCH_NVML_BASED_CUDA_CHECK": "1",
        **_SILENT,
        # Offline.
        "HF_HUB_OFFLINE": "1",
        "TRANSFORMERS_OFFLINE": "1",
        "YOLO_OFFLINE": "true",
        "YOLO_AUTOINSTALL": "false",
        "YOLO_VERBOSE": "false",
        # What they keep goes below the data folder, not into the user's home.
        "YOLO_CONFIG_DIR": str(data_dir() / "cache" / "ultralytics"),
        "NUMBA_CACHE_DIR": str(data_dir() / "cache" / "numba"),
        "MPLCONFIGDIR": str(data_dir() / "cache" / "matplotlib"),
    }


def prepare() -> None:
    """Set the switches above, before heavy libraries are imported; may be called again.

    What the user set stays. Libraries that are already imported get their thread count by call.
    """
    numba_started = "numba" in sys.modules  # it raises when its variables change afterwards
    for name, value in environment().items():
        if not (numba_started and name.startswith("NUMBA_")):
            os.environ.setdefault(name, value)
    Path(os.environ["YOLO_CONFIG_DIR"]).mkdir(parents=True, exist_ok=True)
    block_telemetry()
    threads = model_threads()
    threadpool_limits(threads)
    if cv2 := imported("cv2"):
        cv2.setNumThreads(threads)
    if torch := imported("torch"):
        torch.set_num_threads(threads)
        _set_gpu_arithmetic(torch)


def imported(name: str) -> ModuleType | None:
    """A module that was imported already, whole: waits for a thread that is at it."""
    return importlib.import_module(name) if sys.modules.get(name) is not None else None


def deterministic() -> bool:
    """Whether a GPU is to give the same bits every time."""
    return os.environ.get(DETERMINISTIC, "0") not in ("", "0")


def _gpu_arithmetic() -> dict[str, str]:
    """TensorFloat-32 for what is computed in single precision, or else the same bits every time.

    TF32 rounds the factors of a product to 10 bits, as many as half precision has
    (https://docs.nvidia.com/cuda/cublas/#tf32). cuBLAS needs a workspace of its own for each stream
    to be deterministic (https://docs.nvidia.com/cuda/cublas/#results-reproducibility).
    """
    if deterministic():
        return {"CUBLAS_WORKSPACE_CONFIG": ":4096:8", "NVIDIA_TF32_OVERRIDE": "0"}
    return {"TORCH_ALLOW_TF32_CUBLAS_OVERRIDE": "1"}


def _set_gpu_arithmetic(torch: ModuleType) -> None:
    """The same for torch, where it is imported already; neither call makes a CUDA context."""
    exact = deterministic()
    torch.backends.cuda.matmul.allow_tf32 = not exact
    torch.backends.cudnn.allow_tf32 = not exact
    torch.backends.cudnn.benchmark = False  # it times kernels: the fastest is another each time
    torch.use_deterministic_algorithms(exact, warn_only=True)


def block_telemetry() -> None:
    """Keep libraries from reporting to their makers; before they are imported.

    onnxruntime (since 1.29) sends events and keeps a device id unless its variable is set when it
    starts. `import openvino` sends an event as well and has no variable for it: with its telemetry
    package unimportable it takes its own empty stub.
    """
    os.environ.update(_SILENT)
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
    if onnxruntime := imported("onnxruntime"):
        onnxruntime.disable_telemetry_events()


@cache
def cuda_available() -> bool:
    """Whether torch can use an NVIDIA GPU here; torch is only imported where a driver is."""
    try:
        ctypes.CDLL("nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1")
    except OSError:
        return False
    prepare()
    import torch

    _set_gpu_arithmetic(torch)
    return bool(torch.cuda.is_available())


def settle_device(asked: str, spec: ModelSpec) -> str:
    """The device that `auto` means for a model here, or the one asked for."""
    if asked == "auto":
        return "cuda:0" if "cuda" in spec.runtimes and cuda_available() else "cpu"
    device = "cuda:0" if asked == "cuda" else asked
    kind = device.partition(":")[0]
    if kind not in spec.runtimes:
        raise DeviceUnavailable(
            f"model {spec.model_id} runs on {', '.join(spec.runtimes)}, not on {asked}; "
            "set its device to auto"
        )
    if kind == "cuda" and not cuda_available():
        raise DeviceUnavailable(
            f"{asked} was asked for {spec.model_id}, but torch sees no NVIDIA GPU here; "
            "set its device to cpu or auto"
        )
    return device


def settle_runtime(asked: str, device: str, spec: ModelSpec) -> str:
    """The runtime that `auto` means for a model on a device, or the one asked for."""
    offered = spec.runtimes["cuda" if device.startswith("cuda") else "cpu"]
    if asked == "auto":
        return offered[0]
    if asked not in offered:
        raise DeviceUnavailable(
            f"model {spec.model_id} has no runtime {asked} on {device}; it has {', '.join(offered)}"
        )
    return asked
