"""Runs networks in the `.tflite` format under LiteRT, on the CPU."""

from __future__ import annotations

import threading
from collections.abc import Callable

import numpy as np

#: Runs one input (with its batch dimension) and gives the outputs by name.
TfliteNetwork = Callable[[np.ndarray], dict[str, np.ndarray]]


def open_tflite(content: bytes) -> TfliteNetwork:
    """A network from the bytes of its file, with one thread: these nets take a few milliseconds.

    It may be called from several threads; they take turns, since an interpreter has one set of
    tensors. LiteRT opens no connection and keeps no statistics (held by tests/analyzers/models/
    test_offline.py); MediaPipe's own package, which does, is not used.
    """
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_content=content, num_threads=1)
    interpreter.allocate_tensors()
    [source] = interpreter.get_input_details()
    outputs = interpreter.get_output_details()
    turn = threading.Lock()

    def run(picture: np.ndarray) -> dict[str, np.ndarray]:
        with turn:
            interpreter.set_tensor(source["index"], picture)
            interpreter.invoke()
            return {each["name"]: interpreter.get_tensor(each["index"]) for each in outputs}

    return run
