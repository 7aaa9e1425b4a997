"""audio_environment and sound_effects against made speech, noise and rooms, and the demo clips.

The made speech is the sample's voice, its sentences put together anew with silence between the
words. The sample's music lies 14 LU under it and is cut off with the words; so nobody is asked for
music here, or no reverberation would be looked for.
"""

from __future__ import annotations

import io
import shutil
import subprocess
import time
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from analyzers.base import AnalysisResult
from analyzers.models.lending import Models
from analyzers.registry import get_analyzer
from analyzers.run import run_analyzer
from analyzers.video import Video
from analyzers.voices import Voices
from tests.accuracy.conftest import Report
from tests.accuracy.made_speech import WITHIN_CUES, cues_of, spliced
from tests.analyzers import made_sound_effects
from tests.analyzers.made import made_video
from tests.analyzers.made_rooms import RATE_HZ, gusts, in_room, lines, pink, white
from tests.analyzers.made_voices import Sounds, made_models

pytestmark = [pytest.mark.accuracy, pytest.mark.slow]

#: What the labels of the demo clips allow to be said of where their sound is from. The narration
#: and the sample are voice over music; the trailer's sound is music and effects.
ALLOWED = {
    "webcam_hello_world_text": ("room",),
    "friday_dialogue_bw": ("room", "studio"),
    "nasa_webb_narrated": ("studio",),
    "rocket_launch_nasa": ("nature", "vehicle"),
    "trailer_text_overlays": (),
}
#: Where Debian's package of ambient sounds (0.8.0) has them, in one file.
BLANKET = Path("/usr/share/blanket/blanket.gresource")
#: Where its recordings were made, by their names. A fireplace is in a room, or is a camp fire.
SOUNDSCAPES = {
    "birds": ("nature",),
    "boat": ("vehicle", "nature"),
    "city": ("street",),
    "coffee-shop": ("crowd", "room"),
    "fireplace": ("room", "nature"),
    "pink-noise": (),
    "rain": ("nature",),
    "storm": ("nature",),
    "stream": ("nature",),
    "summer-night": ("nature",),
    "train": ("vehicle",),
    "waves": ("nature",),
    "white-noise": (),
    "wind": ("nature",),
}
#: RMS of the made speech while somebody speaks, dBFS.
SPEECH_DBFS = -19.5


@pytest.fixture(scope="module")
def speech(sample_video: Video, sample_labels: dict[str, Any]) -> np.ndarray:
    """21 s of speech with true silence between the words, at a known level."""
    assert sample_video.audio_16k is not None
    sound = np.array(sample_video.audio_16k)
    for start_s, end_s in WITHIN_CUES:
        sound[round(start_s * RATE_HZ) : round(end_s * RATE_HZ)] = 0
    video, _, _ = spliced(sound, cues_of(sample_labels))
    assert video.audio_16k is not None
    found = video.audio_16k
    # 20 ms above -60 dBFS are speech.
    frames = np.square(found[: len(found) // 320 * 320].reshape(-1, 320)).mean(axis=1)
    power = frames[frames > 1e-6].mean()
    return (found * np.sqrt(10 ** (SPEECH_DBFS / 10) / power)).astype(np.float32)


def environment_of(sound: np.ndarray) -> AnalysisResult:
    """The result on a sound, with the voice that is really heard in it."""
    video = replace(made_video(len(sound) / RATE_HZ), audio_16k=sound.astype(np.float32))
    models = Models.embedded()
    with models.lend("vad") as detector:
        lender = made_models(detector, Sounds())
        voices, _ = run_analyzer(Voices(lender), video, {})
    analyzer = get_analyzer("audio_environment", models)
    result, _ = run_analyzer(analyzer, video, {"voices": voices})
    return result


@pytest.mark.parametrize("colour", [white, pink])
def test_signal_to_noise(
    speech: np.ndarray, report: Report, colour: Callable[..., np.ndarray]
) -> None:
    off = {}
    for snr_db in (0, 15, 30):
        noise = colour(len(speech) / RATE_HZ, SPEECH_DBFS - snr_db, seed=snr_db)
        found = environment_of(speech + noise).summary
        assert found["snr_db"] is not None
        off[snr_db] = found["snr_db"] - snr_db
        assert found["background_dbfs"] == pytest.approx(SPEECH_DBFS - snr_db, abs=2.0)
    worst = max(map(abs, off.values()))
    clip = f"speech, {colour.__name__} noise"
    report("audio_environment", clip, "SNR at 0, 15, 30 dB, worst error, dB", worst, "<= 2")
    assert worst <= 2.0


def test_reverberation_time(speech: np.ndarray, report: Report) -> None:
    factors = []
    for rt60_s, noise_dbfs in ((0.3, -80.0), (0.3, -45.0), (0.8, -45.0), (2.0, -80.0)):
        wet = in_room(speech, rt60_s, seed=10 + int(rt60_s))
        wet = wet + white(len(wet) / RATE_HZ + 1, noise_dbfs)[: len(wet)]
        found = environment_of(wet).summary["rt60_s"]
        clip = f"speech, RT60 {rt60_s} s, noise {noise_dbfs:.0f} dBFS"
        report("audio_environment", clip, "RT60, s", found or "none", "factor 1.3")
        assert found is not None
        factors.append(max(found / rt60_s, rt60_s / found))
    report("audio_environment", "speech in made rooms", "RT60, worst factor", max(factors), "1.3")
    assert max(factors) <= 1.3
    dry = environment_of(speech + white(len(speech) / RATE_HZ, -80.0)).summary
    report("audio_environment", "speech without a room", "RT60, s", dry["rt60_s"], "<= 0.25")
    assert dry["rt60_s"] <= 0.25
    lost = environment_of(speech + pink(len(speech) / RATE_HZ, SPEECH_DBFS)).summary
    report("audio_environment", "speech, 0 dB SNR", "RT60", lost["rt60_s"] or "none", "none")
    assert lost["rt60_s"] is None


def test_wind_and_hum(speech: np.ndarray, report: Report) -> None:
    seconds = len(speech) / RATE_HZ
    clean = environment_of(speech + white(seconds, -60.0)).summary
    windy = environment_of(speech + gusts(seconds, -15.0)).summary
    humming = environment_of(speech + white(seconds, -60.0) + lines(50.0, seconds, -45.0)).summary
    for clip, found, wanted_wind, wanted_hum in (
        ("clean speech", clean, "0", "none"),
        ("speech in wind", windy, ">= 0.3", "none"),
        ("speech, hum at -45 dBFS", humming, "0", "50"),
    ):
        report("audio_environment", clip, "wind share", found["wind_ratio"], wanted_wind)
        report("audio_environment", clip, "hum, Hz", found["hum_hz"] or "none", wanted_hum)
    assert (clean["wind_ratio"], clean["hum_hz"]) == (0.0, None)
    assert windy["wind_ratio"] >= 0.3
    assert windy["hum_hz"] is None
    assert humming["hum_hz"] == 50
    assert humming["wind_ratio"] == 0.0


@pytest.fixture(scope="module")
def heard(
    demo_video: Callable[[str], Video], sample_video: Video
) -> Callable[[str, str], tuple[AnalysisResult, float]]:
    """`heard(analyzer, clip)`: its result, and CPU-seconds a second; `voices` runs once a clip."""
    models = Models.embedded()

    @cache
    def voices(clip: str) -> tuple[Video, AnalysisResult]:
        video = sample_video if clip == "sample" else demo_video(clip)
        return video, run_analyzer(get_analyzer("voices", models), video, {})[0]

    def run(name: str, clip: str) -> tuple[AnalysisResult, float]:
        video, upstream = voices(clip)
        with models.lend("soundscape"):
            started = time.process_time()
            result, _ = run_analyzer(get_analyzer(name, models), video, {"voices": upstream})
        return result, (time.process_time() - started) / video.info.end_s

    return run


Heard = Callable[[str, str], tuple[AnalysisResult, float]]


def test_demo_clips(heard: Heard, report: Report) -> None:
    wrong = []
    for clip, allowed in ALLOWED.items():
        result, cost = heard("audio_environment", clip)
        summary = result.summary
        said = f"{summary['environment']} {summary['confidence']:.2f}"
        target = " or ".join((*allowed, "uncertain"))
        report("audio_environment", clip, "environment", said, target)
        report("audio_environment", clip, "wind share", summary["wind_ratio"], "0")
        report("audio_environment", clip, "CPU-s per s", cost, "0.03")
        assert summary["wind_ratio"] == 0.0
        if summary["environment"] not in (*allowed, "uncertain"):
            wrong.append(clip)
    assert not wrong
    first, _ = heard("audio_environment", "webcam_hello_world_text")
    assert (first.summary["environment"], first.summary["setting"]) == ("room", "indoor")
    again, _ = heard("audio_environment", "webcam_hello_world_text")
    assert again.observations.equals(first.observations)
    assert again.segments.equals(first.segments)
    assert again.summary == first.summary


def soundscape(name: str) -> np.ndarray:
    """Half a minute of a recording of Debian's package blanket, mono at 16 kHz."""
    member = f"/com/rafaelmardojai/Blanket/sounds/{name}.ogg"
    told = subprocess.run(["gresource", "extract", BLANKET, member], capture_output=True)
    if told.returncode:
        pytest.skip(f"{BLANKET} has no {member}")
    resampler = av.AudioResampler(format="flt", layout="mono", rate=RATE_HZ)
    with av.open(io.BytesIO(told.stdout)) as container:
        frames = islice(container.decode(audio=0), 2000)
        parts = [part.to_ndarray().ravel() for f in frames for part in resampler.resample(f)]
    return np.concatenate(parts)[: 30 * RATE_HZ]


@pytest.mark.comparison
@pytest.mark.skipif(
    not (BLANKET.is_file() and shutil.which("gresource")),
    reason="needs Debian's packages blanket (0.8.0) and libglib2.0-bin",
)
def test_soundscapes(report: Report) -> None:
    """Recordings of places, with which nothing was set; and two noises, which are no place."""
    right, wrong = 0, []
    for name, allowed in SOUNDSCAPES.items():
        summary = environment_of(soundscape(name)).summary
        said = summary["environment"]
        target = " or ".join((*allowed, "uncertain"))
        shown = f"{said} {summary['confidence']:.2f}"
        report("audio_environment", f"blanket: {name}", "environment", shown, target)
        right += said in allowed
        if said not in (*allowed, "uncertain"):
            wrong.append(name)
    named = sum(bool(allowed) for allowed in SOUNDSCAPES.values())
    report("audio_environment", f"blanket, of {named} places", "named rightly", right, "reported")
    assert not wrong


def test_sound_effects(report: Report) -> None:
    """Made effects over soft noise, two of each kind, with the real classifiers."""
    truth, effects, at_s = [], [], 1.0
    for turn in (1, 2):
        for kind, effect in (
            ("click", made_sound_effects.click(turn)),
            ("pop", made_sound_effects.pop(300.0 * turn)),
            ("ding", made_sound_effects.ding(900.0 * turn)),
            ("impact", made_sound_effects.impact(turn)),
            ("whoosh", made_sound_effects.whoosh(0.5 * turn, turn)),
            ("riser", made_sound_effects.riser(1.0 + turn, turn)),
        ):
            truth.append((kind, at_s))
            effects.append((at_s, effect))
            at_s += len(effect) / RATE_HZ + 1.5
    sound = made_sound_effects.placed(effects, at_s)
    video = replace(made_video(at_s), audio_16k=sound)
    voices, _ = run_analyzer(get_analyzer("voices", Models.embedded()), video, {})
    effects_analyzer = get_analyzer("sound_effects", Models.embedded())
    result, _ = run_analyzer(effects_analyzer, video, {"voices": voices})
    found = result.observations.to_pylist()
    late = {"riser": 1.5, "whoosh": 0.1}
    matched = [
        (kind, row)
        for kind, start_s in truth
        for row in found
        if -0.03 <= row["time_s"] - start_s <= late.get(kind, 0.03)
    ]
    right = sum(row["kind"] == kind for kind, row in matched)
    report("sound_effects", "12 made effects", "beginnings found", len(matched), "12")
    report("sound_effects", "12 made effects", "kinds right", right, ">= 10")
    report(
        "sound_effects", "12 made effects", "found but not there", len(found) - len(matched), "0"
    )
    assert len(matched) == 12
    assert right >= 10
    assert len(found) == len(matched)


def test_sound_effects_of_the_demo_clips(heard: Heard, report: Report) -> None:
    """Speech and music are no effects; a keyboard clicks."""
    for clip, target in (
        ("sample", "none"),
        ("nasa_webb_narrated", "none"),
        ("friday_dialogue_bw", "none"),
        ("webcam_hello_world_text", "clicks of a keyboard"),
        ("trailer_text_overlays", "reported"),
    ):
        result, cost = heard("sound_effects", clip)
        told = [r["kind"] for r in result.observations.to_pylist() if r["kind"] != "unknown"]
        report("sound_effects", clip, "effects told", ", ".join(told) or "none", target)
        report("sound_effects", clip, "CPU-s per s", cost, "in 0.06 of all sound")
        if target == "none":
            assert not told
        if clip.startswith("webcam"):
            assert set(told) == {"click"}
