"""What can be heard: YAMNet (https://github.com/tensorflow/models/tree/master/research/audioset).

A MobileNet trained on AudioSet (Gemmeke et al., "Audio Set: an ontology and human-labeled dataset
for audio events", ICASSP 2017): 521 classes, several of which can be true at once. Its file holds
the names of the classes as well.
"""

from __future__ import annotations

import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from analyzers import progress
from analyzers.models.base import Model, ModelIdentity
from analyzers.models.litert import open_tflite

if TYPE_CHECKING:
    from analyzers.models.lending import ModelChoice

SAMPLE_RATE_HZ = 16000
#: Samples that the network hears at once, 0.975 s.
WINDOW = 15600
WINDOW_S = WINDOW / SAMPLE_RATE_HZ
CLASS_COUNT = 521
_NAMES = "yamnet_label_list.txt"


class SoundEventClassifier(Model):
    """Tells of a second of sound how probable each of AudioSet's classes is.

    `classes`: their names. The probabilities are those of the network: they are not calibrated, and
    classes that are rare in AudioSet seldom come near 1. Safe to call from several threads.
    """

    def __init__(self, identity: ModelIdentity, network: Any, classes: Sequence[str]) -> None:
        super().__init__(identity)
        self.classes = tuple(classes)
        self._network = network

    def probabilities(self, sound: np.ndarray, starts: Sequence[int]) -> np.ndarray:
        """Probabilities of `classes` in the `WINDOW` samples from each start on, float32 (n, 521).

        `sound`: mono float32 at 16 kHz, shape (n,). What lies before or after it is silence.
        """
        found = np.zeros((len(starts), len(self.classes)), np.float32)
        for number, start in enumerate(starts):
            progress.checkpoint(number, len(starts))
            [window] = windows_of(sound, [start])
            [found[number]] = next(iter(self._network(window).values()))
        self.served(len(starts))
        return found


def windows_of(sound: np.ndarray, starts: Sequence[int]) -> list[np.ndarray]:
    """The `WINDOW` samples from each start on, float32; what lies before or after is silence."""
    windows = []
    for start in starts:
        part = np.asarray(sound[max(0, start) : max(0, start + WINDOW)], np.float32)
        before = min(WINDOW, max(0, -start))
        windows.append(np.pad(part, (before, WINDOW - before - len(part))))
    return windows


def load_yamnet(
    identity: ModelIdentity, files: Mapping[str, Path], choice: ModelChoice
) -> SoundEventClassifier:
    """Loader of YAMNet's `.tflite` file, on the CPU (1.4 CPU-ms for a second of sound).

    Raises `ValueError` for a file without the names of its classes.
    """
    [path] = files.values()
    try:
        with zipfile.ZipFile(path) as attached:
            names = attached.read(_NAMES).decode().split("\n")
    except (zipfile.BadZipFile, KeyError) as error:
        raise ValueError(f"{path.name} of {identity.model_id} names no classes: {error}") from error
    classes = [name.strip() for name in names if name.strip()]
    if len(classes) != CLASS_COUNT:
        raise ValueError(f"{path.name} of {identity.model_id} names {len(classes)} classes")
    return SoundEventClassifier(identity, open_tflite(path.read_bytes()), classes)
