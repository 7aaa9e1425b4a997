"""Turns a detector's PyTorch weights into a faster runtime, in a process of its own.

`python -m resources.model_conversion <weights> <runtime> <options as JSON>` writes the converted
model beside the weights, as Ultralytics names it, and prints nothing. The caller has checked the
weights, and sets the environment (`analyzers.models.runtime.environment`).
"""

from __future__ import annotations

import json
import sys
from pathlib import Path


def convert(weights: Path, runtime: str, options: dict[str, object]) -> Path:
    """Export through Ultralytics and return the folder it wrote."""
    from ultralytics import YOLO
    from ultralytics.utils import SETTINGS

    SETTINGS.update({"sync": False})
    return Path(YOLO(weights).export(format=runtime, device="cpu", **options))


if __name__ == "__main__":
    convert(Path(sys.argv[1]), sys.argv[2], json.loads(sys.argv[3]))
