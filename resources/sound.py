"""The sound of a video as it is written: two rates, sample 0 at the first frame's time."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler

from resources.rungs import GrowingArray

SPEECH_RATE_HZ = 16000
MUSIC_RATE_HZ = 44100
#: Timestamps may be off by this much before silence is put in or samples are left out.
_TOLERANCE_S = 0.05
#: A mix that has less than this part of its louder channel's energy has cancelled itself out.
_CANCELLED = 0.01
#: No silence is longer than this; a jump beyond it is a broken timestamp.
_LONGEST_GAP_S = 3600.0


class _Track:
    """One rate of the sound."""

    def __init__(self, path: Path, rate_hz: int, channels: int) -> None:
        self.path, self.rate_hz, self.channels = path, rate_hz, channels
        shape = () if channels == 1 and rate_hz == SPEECH_RATE_HZ else (channels,)
        self._array = GrowingArray(path, shape, "float32")
        self._position: int | None = None
        self.resampler = self._new_resampler()

    def _new_resampler(self) -> AudioResampler:
        layout = "mono" if self.channels == 1 else "stereo"
        return AudioResampler(format="flt", layout=layout, rate=self.rate_hz)

    def seek(self, time_s: float) -> None:
        """The next samples start here; silence fills what is missing."""
        target = round(time_s * self.rate_hz)
        if self._position is None:
            self._position = min(target, 0)
        while self._position < target:
            count = min(target - self._position, self.rate_hz)
            self._write(np.zeros((count, self.channels), np.float32))

    def add(self, frame: AudioFrame | None) -> None:
        """Resample and write one frame; None flushes."""
        for part in self.resampler.resample(frame):
            self._write(part.to_ndarray().reshape(-1, self.channels))
        if frame is None:
            self.resampler = self._new_resampler()

    def _write(self, samples: np.ndarray) -> None:
        assert self._position is not None
        early = min(len(samples), max(0, -self._position))
        self._position += len(samples)
        samples = samples[early:]
        if not np.isfinite(samples).all():  # a broken float stream
            samples = np.nan_to_num(samples, posinf=0.0, neginf=0.0)
        self._array.append(samples[:, 0] if self._array.item_shape == () else samples)

    def close(self, end_s: float) -> int:
        """Cut at the video's end and complete the file; returns the number of samples."""
        self._array.close(keep=round(end_s * self.rate_hz))
        if not self._array.length:
            self.path.unlink()
        return self._array.length


class Sound:
    """Both rates of the chosen stream."""

    def __init__(self, folder: Path, stream: Any, first_frame_s: float) -> None:
        """`first_frame_s` is the time in the file of the first presented video frame."""
        context = stream.codec_context
        self._codec, self._rate_hz = context.name, context.sample_rate
        self._channels = context.channels
        mixed = 2 if context.channels > 1 else 1
        self._tracks = (
            _Track(folder / "audio_16k.npy", SPEECH_RATE_HZ, 1),
            _Track(folder / "audio_44k.npy", MUSIC_RATE_HZ, mixed),
        )
        self._first_frame_s = first_frame_s
        self._next_s: float | None = None
        self._shift_s = 0.0
        self._layout: tuple[Any, ...] | None = None
        self.bad_packets = 0
        self.gaps = 0

    def add(self, frame: AudioFrame) -> None:
        """Take one decoded frame."""
        if not frame.samples or not frame.sample_rate:
            return
        stamp = frame.pts
        time_s = (
            float(stamp * frame.time_base) - self._first_frame_s + self._shift_s
            if stamp is not None and frame.time_base
            else (self._next_s or 0.0)
        )
        if self._next_s is None and abs(time_s) > _LONGEST_GAP_S:
            # The stream's times have nothing to do with the picture's.
            self._shift_s -= time_s
            time_s = 0.0
        if self._next_s is not None:
            ahead_s = time_s - self._next_s
            if ahead_s < -_TOLERANCE_S or ahead_s > _LONGEST_GAP_S:
                # Sound cannot run over itself: the count of samples is the better clock.
                self._shift_s -= ahead_s
                time_s = self._next_s
        layout = (frame.format.name, frame.layout.name, frame.sample_rate)
        if layout != self._layout:
            if self._layout is not None:
                self._flush()
            self._layout = layout
        if self._next_s is None or time_s - self._next_s > _TOLERANCE_S:
            self.gaps += self._next_s is not None
            for track in self._tracks:
                track.seek(time_s)
            self._next_s = time_s
        self._next_s += frame.samples / frame.sample_rate
        # The samples' own count is the clock from here on.
        frame.pts = None
        for track in self._tracks:
            track.add(frame)

    def _flush(self) -> None:
        for track in self._tracks:
            track.add(None)

    def close(self, end_s: float) -> dict[str, Any] | None:
        """Complete the files; the stream as `AudioInfo` has it, None where no sound came out."""
        if self._layout is not None:
            try:
                self._flush()
            except av.error.FFmpegError:
                self.bad_packets += 1
        counts = [track.close(end_s) for track in self._tracks]
        if not all(counts):
            return None
        _undo_cancellation(*(track.path for track in self._tracks))
        return {
            "codec": self._codec,
            "sample_rate_hz": self._rate_hz,
            "channels": self._channels,
            "duration_s": counts[0] / SPEECH_RATE_HZ,
        }


def _undo_cancellation(speech: Path, music: Path) -> None:
    """Make the one-channel sound of the louder channel, where the two take each other away.

    One channel of such files is the other turned over: a miswired microphone, a "vocal remover".
    """
    stereo = np.load(music, mmap_mode="r")
    if stereo.shape[1] == 1:
        return
    blocks = [stereo[i : i + MUSIC_RATE_HZ] for i in range(0, len(stereo), MUSIC_RATE_HZ)]
    energy = sum(np.square(block, dtype=np.float64).sum(axis=0) for block in blocks)
    mix = sum(np.square(block.mean(axis=1, dtype=np.float64)).sum() for block in blocks)
    louder = int(np.argmax(energy))
    if mix >= _CANCELLED * energy[louder]:
        return
    count = len(np.load(speech, mmap_mode="r"))
    track = _Track(speech, SPEECH_RATE_HZ, 1)
    track.seek(0.0)
    for block in blocks:
        channel = np.ascontiguousarray(block[:, louder])[None]
        frame = AudioFrame.from_ndarray(channel, "flt", "mono")
        frame.sample_rate = MUSIC_RATE_HZ
        track.add(frame)
    track.add(None)
    track.close(count / SPEECH_RATE_HZ)
