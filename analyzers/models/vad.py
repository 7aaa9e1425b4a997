"""Where somebody speaks: Silero VAD v6 (https://github.com/snakers4/silero-vad) in onnxruntime."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from analyzers import progress
from analyzers.models.base import Model, ModelIdentity

if TYPE_CHECKING:
    from analyzers.models.lending import ModelChoice

SAMPLE_RATE_HZ = 16000
#: Samples that one probability stands for.
WINDOW = 512
WINDOW_S = WINDOW / SAMPLE_RATE_HZ
#: Samples before each window that the network sees with it.
_CONTEXT = 64
#: Size of the network's memory, which goes from window to window.
_STATE = 128
#: Windows of one call, about a minute, so that length costs no memory.
_BLOCK = 2000


class VoiceDetector(Model):
    """Tells for every 32 ms of sound how probable a voice is. Safe to call from several threads."""

    def __init__(self, identity: ModelIdentity, session: Any) -> None:
        super().__init__(identity)
        self._session = session

    def probabilities(self, sound: np.ndarray) -> np.ndarray:
        """Speech probability of each window of `WINDOW` samples, float32 (ceil(n / WINDOW),).

        `sound`: mono float32 at 16 kHz, shape (n,).
        """
        count = -(-len(sound) // WINDOW)
        found = np.empty(count, np.float32)
        hidden = cell = np.zeros((1, 1, _STATE), np.float32)
        tail = np.zeros(_CONTEXT, np.float32)
        for first in range(0, count, _BLOCK):
            progress.checkpoint(first, count)
            part = np.asarray(sound[first * WINDOW : (first + _BLOCK) * WINDOW], np.float32)
            windows = np.pad(part, (0, -len(part) % WINDOW)).reshape(-1, WINDOW)
            before = np.vstack([tail, windows[:-1, -_CONTEXT:]])
            tail = windows[-1, -_CONTEXT:]
            scores, hidden, cell = self._session.run(
                None, {"input": np.hstack([before, windows]), "h": hidden, "c": cell}
            )
            found[first : first + len(windows)] = scores.reshape(-1)
            self.served(len(windows))
        return found


def load_silero(
    identity: ModelIdentity, files: Mapping[str, Path], choice: ModelChoice
) -> VoiceDetector:
    """Loader of Silero VAD: one ONNX file, run on one thread of the CPU (1 CPU-ms per second)."""
    import onnxruntime

    [path] = files.values()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    return VoiceDetector(identity, session)
