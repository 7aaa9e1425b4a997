"""A network written in torch, in OpenVINO on the CPU: traced at pull time, compiled when loaded."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from analyzers.models.base import ModelIdentity
from analyzers.models.runtime import model_threads

if TYPE_CHECKING:
    import torch
    from torch import nn

#: A shape; -1 is any length.
Shape = tuple[int, ...]


def save_graph(
    network: nn.Module, example: Sequence[torch.Tensor], shapes: Sequence[Shape], weights: Path
) -> Path:
    """Trace a network with example inputs and write its graph into a folder beside its weights."""
    import openvino
    import torch

    traced = torch.jit.trace(network, tuple(example), check_trace=False)
    graph = openvino.convert_model(traced, example_input=tuple(example), input=list(shapes))
    folder = weights.with_name(f"{weights.stem}_openvino_model")
    openvino.save_model(graph, folder / f"{weights.stem}.xml", compress_to_fp16=False)
    return folder


def cpu_precision() -> str:
    """The fastest precision of this CPU's instructions: bf16 or f32."""
    import openvino

    able = openvino.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    return "bf16" if "BF16" in able else "f32"


def compiled(
    identity: ModelIdentity, folder: Path, precision: str = "f32"
) -> Callable[..., np.ndarray]:
    """The graph as a function of arrays; it may be called from several threads.

    Raises `ValueError` for another device than the CPU.
    """
    import openvino

    if identity.device != "cpu":
        raise ValueError(
            f"{identity.model_id}: OpenVINO runs here on the CPU, not on {identity.device}; "
            "choose the runtime torch or the device cpu"
        )
    model = openvino.Core().compile_model(
        next(folder.glob("*.xml")),
        "CPU",
        {"INFERENCE_PRECISION_HINT": precision, "INFERENCE_NUM_THREADS": model_threads()},
    )

    def run(*inputs: np.ndarray) -> np.ndarray:
        # A request of its own for each call: they are cheap, and one cannot be shared by threads.
        return np.asarray(model.create_infer_request().infer(list(inputs))[0])

    return run
