"""Makes the speech of this folder: three texts, read by the voice of the sample video.

    python -m tests.accuracy.speech.make_speech

The voice is the model in the package hibari-tts 0.2.1 (Apache-2.0; it is nobody's recorded voice),
taken from the registry as sample/make_sample.py takes it. The texts are this project's own. Texts
and sound: CC0-1.0. Each is stored as Opus at 32 kbit/s, with 0.4 s of silence between sentences.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import av
import numpy as np

from sample.make_sample import VOICE, VOICE_HZ, fetch
from tests.accuracy.made_speech import READ_ALOUD

FOLDER = Path(__file__).parent
PAUSE_S = 0.4


def encode(path: Path, sound: np.ndarray, rate_hz: int) -> None:
    """Write mono sound as Opus."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libopus", rate=48000, layout="mono")
        stream.bit_rate = 32000
        resampler = av.AudioResampler(format="flt", layout="mono", rate=48000, frame_size=960)
        frame = av.AudioFrame.from_ndarray(sound[None].astype(np.float32), "flt", "mono")
        frame.sample_rate = rate_hz
        for part in [*resampler.resample(frame), *resampler.resample(None)]:
            container.mux(stream.encode(part))
        container.mux(stream.encode(None))


def main() -> None:
    """Read all texts."""
    with tempfile.TemporaryDirectory() as temporary:
        sys.path.insert(0, str(fetch(VOICE, Path(temporary))))
        from hibari import Hibari  # from the unpacked wheel

        narrator = Hibari()
        for name, sentences in READ_ALOUD.items():
            pieces = [np.zeros(round(PAUSE_S * VOICE_HZ), np.float32)]
            for sentence in sentences:
                pieces += [narrator(sentence, seed=0), pieces[0]]
            sound = np.concatenate(pieces)
            encode(FOLDER / f"{name}.opus", 0.5 * sound / np.abs(sound).max(), VOICE_HZ)


if __name__ == "__main__":
    main()
