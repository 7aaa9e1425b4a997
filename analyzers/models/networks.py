"""Runs a vision network's file in the runtime that was settled on: OpenVINO or onnxruntime."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

from analyzers.cores import available_cores
from analyzers.models.base import ModelIdentity

#: Runs one float32 batch (n, channels, height, width) and gives the first output, float32.
#: May be called from several threads at once.
Network = Callable[[np.ndarray], np.ndarray]


def open_network(identity: ModelIdentity, files: Mapping[str, Path]) -> Network:
    """Open `files[identity.runtime]` where there is a converted one, or else the `.onnx` file.

    Raises `ValueError` for a runtime that is not here, or that cannot serve the device.
    """
    openers = {"openvino": _openvino, "onnxruntime": _onnxruntime}
    if identity.runtime not in openers:
        raise ValueError(
            f"{identity.model_id} cannot run in {identity.runtime!r}; "
            f"choose one of {', '.join(openers)}"
        )
    path = files.get(identity.runtime) or _only(files, ".onnx", identity)
    return openers[identity.runtime](identity, path)


def _only(files: Mapping[str, Path], suffix: str, identity: ModelIdentity) -> Path:
    found = [path for path in files.values() if path.suffix == suffix]
    if len(found) != 1:
        raise ValueError(
            f"{identity.model_id} has {len(found)} {suffix} files and no one for "
            f"{identity.runtime}; run `tiktok-assets models pull` or choose another runtime"
        )
    return found[0]


def _openvino(identity: ModelIdentity, path: Path) -> Network:
    import openvino

    if identity.device != "cpu":
        raise ValueError(
            f"{identity.model_id}: OpenVINO runs here on the CPU, not on {identity.device}; "
            "choose the runtime torch or the device cpu"
        )
    source = next(path.glob("*.xml")) if path.is_dir() else path
    compiled = openvino.Core().compile_model(
        source, "CPU", {"INFERENCE_NUM_THREADS": available_cores()}
    )

    def run(batch: np.ndarray) -> np.ndarray:
        # A request of its own for each call: they are cheap, and one cannot be shared by threads.
        request = compiled.create_infer_request()
        request.infer([batch])
        return np.array(request.get_output_tensor(0).data)

    return run


def _onnxruntime(identity: ModelIdentity, path: Path) -> Network:
    import onnxruntime

    on_gpu = identity.device != "cpu"
    provider = "CUDAExecutionProvider" if on_gpu else "CPUExecutionProvider"
    if provider not in onnxruntime.get_available_providers():
        raise ValueError(
            f"{identity.model_id}: this onnxruntime cannot use {identity.device}; install "
            "onnxruntime-gpu, or choose the runtime torch or the device cpu"
        )
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = available_cores()
    session = onnxruntime.InferenceSession(path, options, providers=[provider])
    if session.get_providers()[0] != provider:  # it goes to the CPU by itself, with a warning only
        raise ValueError(f"{identity.model_id}: onnxruntime could not start on {identity.device}")
    name = session.get_inputs()[0].name
    return lambda batch: session.run(None, {name: batch})[0]
