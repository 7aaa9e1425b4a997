"""Runs a vision network's file in the runtime that was settled on: OpenVINO or onnxruntime."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from analyzers.models.base import ModelIdentity
from analyzers.models.runtime import model_threads

#: Runs one float32 batch (n, channels, height, width) and gives the first output, float32.
#: May be called from several threads at once.
Network = Callable[[np.ndarray], np.ndarray]
#: The same for a network of several outputs, in its own order.
ManyOutputNetwork = Callable[[np.ndarray], list[np.ndarray]]


def open_network(
    identity: ModelIdentity, files: Mapping[str, Path]
) -> tuple[ModelIdentity, Network]:
    """As `open_many_output_network`, for who wants the first output."""
    identity, network = open_many_output_network(identity, files)
    return identity, lambda batch: network(batch)[0]


def open_many_output_network(
    identity: ModelIdentity, files: Mapping[str, Path]
) -> tuple[ModelIdentity, ManyOutputNetwork]:
    """Open `files[identity.runtime]` where there is a converted one, or else the `.onnx` file.

    OpenVINO computes in bfloat16 where the CPU has instructions for it (YOLO26n: 16 CPU-ms a frame
    instead of 26, boxes the same to the eye); the identity that comes back says which.

    Raises `ValueError` for a runtime that is not here, or that cannot serve the device.
    """
    openers = {"openvino": _openvino, "onnxruntime": _onnxruntime}
    if identity.runtime not in openers:
        raise ValueError(
            f"{identity.model_id} cannot run in {identity.runtime!r}; "
            f"choose one of {', '.join(openers)}"
        )
    path = files.get(identity.runtime) or _onnx_file(identity, files)
    return openers[identity.runtime](identity, path)


def _onnx_file(identity: ModelIdentity, files: Mapping[str, Path]) -> Path:
    found = [path for path in files.values() if path.suffix == ".onnx"]
    if len(found) != 1:
        raise ValueError(
            f"{identity.model_id} has {len(found)} .onnx files where {identity.runtime} needs one; "
            "choose another runtime"
        )
    return found[0]


def _openvino(identity: ModelIdentity, path: Path) -> tuple[ModelIdentity, ManyOutputNetwork]:
    import openvino

    if identity.device != "cpu":
        raise ValueError(
            f"{identity.model_id}: OpenVINO runs here on the CPU, not on {identity.device}; "
            "choose the runtime torch or the device cpu"
        )
    core = openvino.Core()
    precision = "bf16" if "BF16" in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES") else "f32"
    compiled = core.compile_model(
        next(path.glob("*.xml")) if path.is_dir() else path,
        "CPU",
        {"INFERENCE_PRECISION_HINT": precision, "INFERENCE_NUM_THREADS": model_threads()},
    )

    def run(batch: np.ndarray) -> list[np.ndarray]:
        # A request of its own for each call: they are cheap, and one cannot be shared by threads.
        return list(compiled.create_infer_request().infer([batch]).to_tuple())

    return replace(identity, runtime=f"openvino-{precision}"), run


def _onnxruntime(identity: ModelIdentity, path: Path) -> tuple[ModelIdentity, ManyOutputNetwork]:
    import onnxruntime

    provider = "CPUExecutionProvider" if identity.device == "cpu" else "CUDAExecutionProvider"
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = model_threads()
    # Idle threads must not spin: other steps want the core.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    known = provider in onnxruntime.get_available_providers()
    session = onnxruntime.InferenceSession(path, options, providers=[provider]) if known else None
    # It takes the CPU by itself, with no more than a warning, where the GPU's start failed.
    if session is None or session.get_providers()[0] != provider:
        raise ValueError(
            f"{identity.model_id}: this onnxruntime cannot use {identity.device}; install "
            "onnxruntime-gpu, or choose the device cpu"
        )
    [source] = session.get_inputs()
    return identity, lambda batch: session.run(None, {source.name: batch})
