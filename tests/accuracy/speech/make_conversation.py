"""Makes the voices of this folder that talk over each other in tests: three, of Flite.

    python -m tests.accuracy.speech.make_conversation

Needs Flite 2.2 (`apt install flite`; CMU's own licence, like BSD's), whose voices slt, rms and awb
were built from readings for CMU ARCTIC. The texts are this project's own. Texts and sound: CC0-1.0.
"""

from __future__ import annotations

import subprocess
import tempfile
import wave
from pathlib import Path

import numpy as np

from tests.accuracy.made_overlaps import BETWEEN_S, SAID
from tests.accuracy.speech.make_speech import FOLDER, encode


def spoken(voice: str, text: str, path: Path) -> tuple[np.ndarray, int]:
    """What Flite says, mono float32, and its rate."""
    subprocess.run(["flite", "-voice", voice, "-t", text, "-o", str(path)], check=True)
    with wave.open(str(path)) as file:
        raw = file.readframes(file.getnframes())
        return np.frombuffer(raw, np.int16).astype(np.float32) / 2**15, file.getframerate()


def main() -> None:
    """Say all sentences in each voice."""
    with tempfile.TemporaryDirectory() as temporary:
        for voice, sentences in SAID.items():
            pieces: list[np.ndarray] = []
            for sentence in sentences:
                sound, rate_hz = spoken(voice, sentence, Path(temporary) / "spoken.wav")
                pieces += [sound, np.zeros(round(BETWEEN_S * rate_hz), np.float32)]
            whole = np.concatenate(pieces)
            encode(FOLDER / f"{voice}.opus", 0.5 * whole / np.abs(whole).max(), rate_hz)


if __name__ == "__main__":
    main()
