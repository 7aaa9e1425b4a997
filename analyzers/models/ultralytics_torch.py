"""Networks of Ultralytics as they are published, in torch."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from analyzers.models.base import ModelIdentity
from analyzers.models.networks import ManyOutputNetwork


def in_torch(
    identity: ModelIdentity, files: Mapping[str, Path], task: str, fault: Callable[[Any], str]
) -> ManyOutputNetwork:
    """Load the one file of a network for a task (`detect`, `pose`, `segment`).

    The network gives its finished outputs, without the raw ones they come from. `fault` says what
    is wrong with the loaded model, or ""; what it says is raised as `ValueError`.
    """
    import torch
    from ultralytics import YOLO

    [weights] = files.values()
    model: Any = YOLO(weights, task=task).model
    if wrong := fault(model):
        raise ValueError(f"{identity.model_id} {wrong}")
    model = model.fuse(verbose=False).eval().to(identity.device)

    def run(batch: np.ndarray) -> list[np.ndarray]:
        with torch.inference_mode():
            finished, _raw = model(torch.from_numpy(batch).to(identity.device))
        outputs = finished if isinstance(finished, tuple) else (finished,)
        return [output.float().cpu().numpy() for output in outputs]

    return run
