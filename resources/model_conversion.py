"""Turns PyTorch weights into a faster runtime, in a process of its own.

`python -m resources.model_conversion <weights> <runtime> <options as JSON>` writes the converted
model beside the weights, in `<stem>_<runtime>_model/`. The caller has held the names in the
weights' pickle against their list: Ultralytics runs it.

The option `by` names a function `module:function` that takes the weights and the other options and
does it; without it Ultralytics exports.

For YOLO26n in OpenVINO, two threads, CPU-ms a frame (best of 30): a dynamic shape costs 14.7 at
640x384 in batches of 8, 14.9 in batches of 4 and 19.4 one by one; a fixed 640x384 one by one costs
16.2, a fixed 640x640 26.5. One dynamic model serves portrait and landscape and is not slower.
"""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Mapping
from pathlib import Path

from analyzers.models import runtime


def convert(weights: Path, target_runtime: str, options: Mapping[str, object]) -> Path:
    """Convert and return the folder that was written."""
    runtime.prepare()
    others = {name: value for name, value in options.items() if name != "by"}
    if "by" in options:
        module, _, function = str(options["by"]).partition(":")
        converter = getattr(importlib.import_module(module), function)
        return Path(converter(weights, **others))
    from ultralytics import YOLO

    return Path(YOLO(weights).export(format=target_runtime, device="cpu", **others))


if __name__ == "__main__":
    convert(Path(sys.argv[1]), sys.argv[2], json.loads(sys.argv[3]))
