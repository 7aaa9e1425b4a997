"""Turns a detector's PyTorch weights into a faster runtime, in a process of its own.

`python -m resources.model_conversion <weights> <runtime> <options as JSON>` writes the converted
model beside the weights, as Ultralytics names it. The caller has held the names in the weights'
pickle against their list: Ultralytics runs it.

For YOLO26n in OpenVINO, two threads, CPU-ms a frame (best of 30): a dynamic shape costs 14.7 at
640x384 in batches of 8, 14.9 in batches of 4 and 19.4 one by one; a fixed 640x384 one by one costs
16.2, a fixed 640x640 26.5. One dynamic model serves portrait and landscape and is not slower.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path

from analyzers.models import runtime


def convert(weights: Path, target_runtime: str, options: Mapping[str, object]) -> Path:
    """Export through Ultralytics and return the folder it wrote."""
    runtime.prepare()
    from ultralytics import YOLO

    return Path(YOLO(weights).export(format=target_runtime, device="cpu", **options))


if __name__ == "__main__":
    convert(Path(sys.argv[1]), sys.argv[2], json.loads(sys.argv[3]))
