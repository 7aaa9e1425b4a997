"""audio_analysis against what is known of the sample, the demo clips and EBU's test signals."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from analyzers.base import AnalysisResult
from analyzers.methods.sound import loudness
from analyzers.methods.sound.rhythm import pulse
from analyzers.methods.sound.spectrum import spectrum
from resources.media import open_video
from tests.accuracy.conftest import Report
from tests.accuracy.upstream import analyzed
from tests.analyzers.made_sound import clicks, drums, house, noise

pytestmark = [pytest.mark.accuracy, pytest.mark.slow]

SAMPLE = Path(__file__).resolve().parents[2] / "sample" / "street_portrait.mp4"
RATE_HZ = 48000
TRACKS = {"clicks": clicks, "drums": drums, "house": house}


def measured(path: Path) -> tuple[AnalysisResult, float]:
    """The result, and CPU-seconds a second of video with loaded models."""
    with open_video(path) as video:
        short = replace(video, audio_44k=video.audio_44k[:44100], audio_16k=video.audio_16k[:16000])
        analyzed("audio_analysis", short)  # what SciPy imports at first use is no cost of a video
        results, cost = analyzed("audio_analysis", video)
        return results["audio_analysis"], cost


def test_sample(report: Report) -> None:
    labels = json.loads(SAMPLE.with_suffix(".gt.json").read_text())["music"]
    result, cost = measured(SAMPLE)
    summary = result.summary
    tempo, key = summary["tempo_bpm"], f"{summary['key']} {summary['mode']}"
    report("audio_analysis", "sample", "tempo, BPM", tempo, f"{labels['tempo_bpm']:.0f} +- 2 %")
    report("audio_analysis", "sample", "key", key, labels["key"])
    report("audio_analysis", "sample", "music share", summary["music_ratio"], ">= 0.95")
    report("audio_analysis", "sample", "loudness, LUFS", summary["loudness_lufs"], "reported")
    report("audio_analysis", "sample", "CPU-s per s", cost, "0.06")
    beats = [r["time_s"] for r in result.observations.to_pylist() if r["kind"] == "beat"]
    period = 60 / labels["tempo_bpm"]
    off = [abs(t / period - round(t / period)) * period for t in beats]
    report(
        "audio_analysis",
        "sample",
        "beats within 70 ms",
        float(np.mean(np.array(off) <= 0.07)),
        ">= 0.9",
    )
    assert tempo == pytest.approx(labels["tempo_bpm"], rel=0.02)
    assert key == labels["key"]
    assert summary["music_ratio"] >= 0.95
    assert np.mean(np.array(off) <= 0.07) >= 0.9
    again, _ = measured(SAMPLE)
    assert again.observations.equals(result.observations)
    assert again.segments.equals(result.segments)
    assert again.summary == result.summary


def test_music_and_speech_of_the_demo_clips(demo_dir: Path, report: Report) -> None:
    trailer, cost = measured(demo_dir / "trailer_text_overlays.mp4")
    film, _ = measured(demo_dir / "friday_dialogue_bw.mp4")
    for clip, measure, value, target in (
        ("trailer_text_overlays", "music share", trailer.summary["music_ratio"], ">= 0.75"),
        ("trailer_text_overlays", "speech share", trailer.summary["speech_ratio"], "<= 0.05"),
        ("trailer_text_overlays", "CPU-s per s", cost, "0.06"),
        ("friday_dialogue_bw", "speech share", film.summary["speech_ratio"], ">= 0.8"),
        ("friday_dialogue_bw", "music share", film.summary["music_ratio"], "<= 0.05"),
    ):
        report("audio_analysis", clip, measure, value, target)
    assert trailer.summary["music_ratio"] >= 0.75
    assert trailer.summary["speech_ratio"] <= 0.05
    assert film.summary["speech_ratio"] >= 0.8
    assert film.summary["music_ratio"] <= 0.05
    assert film.summary["tempo_bpm"] is None


def sine(*parts: tuple[float, float]) -> np.ndarray:
    """A stereo sine of 1 kHz: level of its peak in dBFS, and seconds, one part after the other."""
    sound = []
    for level, seconds in parts:
        t = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
        sound.append(10 ** (level / 20) * np.sin(2 * np.pi * 1000 * t))
    return np.repeat(np.concatenate(sound)[:, None], 2, axis=1).astype(np.float32)


@pytest.mark.parametrize(
    ("case", "parts", "expected"),
    [
        ("1", [(-23, 20)], -23.0),
        ("2", [(-33, 20)], -33.0),
        ("3", [(-36, 10), (-23, 60), (-36, 10)], -23.0),
        ("4", [(-72, 10), (-36, 10), (-23, 60), (-36, 10), (-72, 10)], -23.0),
        ("5", [(-26, 20), (-20, 20.1), (-26, 20)], -23.0),
    ],
)
def test_ebu_tech_3341(
    report: Report, case: str, parts: list[tuple[float, float]], expected: float
) -> None:
    """Minimum requirements signals 1 to 5: integrated loudness within 0.1 LU."""
    found = loudness.integrated_lufs(loudness.step_power(sine(*parts), RATE_HZ))
    assert found is not None
    report("audio_analysis", f"EBU 3341 signal {case}", "LUFS", found, f"{expected} +- 0.1")
    assert found == pytest.approx(expected, abs=0.1)


@pytest.mark.parametrize(
    ("case", "parts", "expected"),
    [
        ("1", [(-20, 20), (-30, 20)], 10.0),
        ("2", [(-20, 20), (-15, 20)], 5.0),
        ("3", [(-40, 20), (-20, 20)], 20.0),
        ("4", [(-50, 20), (-35, 20), (-20, 20), (-35, 20), (-50, 20)], 15.0),
    ],
)
def test_ebu_tech_3342(
    report: Report, case: str, parts: list[tuple[float, float]], expected: float
) -> None:
    """Minimum requirements signals 1 to 4: loudness range within 1 LU."""
    found = loudness.loudness_range_lu(loudness.step_power(sine(*parts), RATE_HZ))
    assert found is not None
    report("audio_analysis", f"EBU 3342 signal {case}", "LRA, LU", found, f"{expected} +- 1")
    assert found == pytest.approx(expected, abs=1.0)


def repeated(count: int, *parts: tuple[float, float]) -> np.ndarray:
    return sine(*(list(parts) * count))


def max_lufs(sound: np.ndarray, steps: int) -> float:
    power = loudness.sliding(loudness.step_power(sound, RATE_HZ), steps)
    return float(loudness.lufs(power.max()))


def test_ebu_tech_3341_short_term_and_momentary(report: Report) -> None:
    """Signals 9 and 12: constant. 10 and 13: the loudest one, however late the tone begins."""
    short, momentary = loudness.SHORT_TERM_STEPS, loudness.MOMENTARY_STEPS
    nine = loudness.step_power(repeated(5, (-20, 1.34), (-30, 1.66)), RATE_HZ)
    twelve = loudness.step_power(repeated(25, (-20, 0.18), (-30, 0.22)), RATE_HZ)
    off = {
        "9, short-term": np.abs(loudness.lufs(loudness.sliding(nine, short)) + 23).max(),
        "12, momentary": np.abs(loudness.lufs(loudness.sliding(twelve, momentary)) + 23).max(),
        "10, largest short-term": max(
            abs(max_lufs(sine((-200, 0.15 * i), (-23, 3), (-200, 1)), short) + 23)
            for i in range(20)
        ),
        "13, largest momentary": max(
            abs(max_lufs(sine((-200, 0.02 * i), (-23, 0.4), (-200, 1)), momentary) + 23)
            for i in range(20)
        ),
    }
    for signal, error in off.items():
        report("audio_analysis", f"EBU 3341 signal {signal}", "error, LU", float(error), "<= 0.1")
    assert max(off.values()) <= 0.1


@pytest.mark.parametrize(
    ("case", "divisor", "phase_deg", "amplitude", "expected"),
    [
        ("15", 4, 0.0, 0.50, -6.0),
        ("16", 4, 45.0, 0.50, -6.0),
        ("17", 6, 60.0, 0.50, -6.0),
        ("18", 8, 67.5, 0.50, -6.0),
        ("19", 4, 45.0, 1.41, 3.0),
    ],
)
def test_ebu_tech_3341_true_peak(
    report: Report, case: str, divisor: int, phase_deg: float, amplitude: float, expected: float
) -> None:
    """Signals 15 to 19: sines of a part of the rate; between 0.4 dB under and 0.2 dB over."""
    t = np.arange(RATE_HZ)
    fade = np.minimum(1.0, np.minimum(t, t[::-1]) / (0.1 * RATE_HZ))
    wave = amplitude * fade * np.sin(2 * np.pi * t / divisor + np.radians(phase_deg))
    found = 20 * np.log10(loudness.true_peak(wave[:, None].astype(np.float32), RATE_HZ))
    report(
        "audio_analysis", f"EBU 3341 signal {case}", "dBTP", float(found), f"{expected} -0.4+0.2"
    )
    assert expected - 0.4 <= found <= expected + 0.2


def f1(found: np.ndarray, wanted: np.ndarray, within_s: float = 0.07) -> float:
    """F-measure of beats within 70 ms (Davies, Degara & Plumbley 2009), each matched once."""
    left = list(found)
    hits = 0
    for time_s in wanted:
        near = [t for t in left if abs(t - time_s) <= within_s]
        if near:
            left.remove(min(near, key=lambda t: abs(t - time_s)))
            hits += 1
    return 2 * hits / (len(found) + len(wanted))


@pytest.mark.parametrize("bpm", [72, 85, 100, 120, 128, 150])
@pytest.mark.parametrize("kind", ["clicks", "drums", "house"])
def test_tempo_and_beats_of_made_tracks(report: Report, kind: str, bpm: float) -> None:
    seconds = 15.0
    sound = TRACKS[kind](bpm, seconds, 0.25) + noise(seconds, 0.002)
    found = spectrum(sound, 44100)
    steady = pulse(found.onset_strength, found.rate_hz, found.accent_strength)
    assert steady is not None
    score = f1(found.times_s[steady.beats], np.arange(0.25, seconds - 0.1, 60 / bpm))
    clip = f"made {kind}, {bpm:.0f} BPM"
    error = abs(steady.tempo_bpm / bpm - 1)
    report("audio_analysis", clip, "tempo, error", error, "<= 0.02")
    report("audio_analysis", clip, "beats F1", score, ">= 0.9")
    assert error <= 0.02
    assert score >= 0.9
