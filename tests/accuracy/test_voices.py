"""voices: whom it tells apart, in turns and where two speak at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
import pytest
from scipy.signal import resample_poly

from analyzers.video import Video
from analyzers.voices import OVERLAP_PLACES
from tests.accuracy.conftest import Report
from tests.accuracy.made_overlaps import (
    SAID,
    Conversation,
    conversation,
    sentences,
    video_of,
    voice,
)
from tests.accuracy.made_speech import over_music, read_aloud
from tests.accuracy.upstream import analyzed
from tests.analyzers.made import made_video
from tests.analyzers.made_rooms import in_room

pytestmark = [pytest.mark.accuracy, pytest.mark.slow]

RATE_HZ = 16000
#: Where each voice speaks, by eye on the wave and the labels' cues.
NARRATION_S = ((0.7, 4.8), (5.1, 8.2), (8.5, 12.1))
SAMPLE_S = ((0.3, 2.2), (4.6, 6.4), (11.0, 17.3))


#: Demo clips with sound in which one voice speaks, or none.
OF_ONE_OR_NONE = (
    "nasa_webb_narrated",
    "rocket_launch_nasa",
    "trailer_text_overlays",
    "webcam_hello_world_text",
)


def spoken(sound: np.ndarray, spans: tuple[tuple[float, float], ...]) -> list[np.ndarray]:
    return [np.asarray(sound[round(a * RATE_HZ) : round(b * RATE_HZ)]) for a, b in spans]


def in_turns(parts: list[tuple[str, np.ndarray]]) -> tuple[Video, list[tuple[str, float, float]]]:
    """Parts one after the other, 0.4 s apart, and who speaks when."""
    pieces, truth, at = [], [], 0.0
    for name, part in parts:
        truth.append((name, at, at + len(part) / RATE_HZ))
        pieces += [part, np.zeros(round(0.4 * RATE_HZ), np.float32)]
        at += len(part) / RATE_HZ + 0.4
    sound = np.concatenate(pieces).astype(np.float32)
    return replace(made_video(len(sound) / RATE_HZ), audio_16k=sound), truth


def error_ratio(result: list[dict[str, object]], truth: list[tuple[str, float, float]]) -> float:
    """Share of the voice's time that is given to the wrong speaker, names matched by most time."""
    steps = np.arange(0, truth[-1][2], 0.01)
    said = np.full(len(steps), "", object)
    found = np.full(len(steps), "", object)
    heard = np.zeros(len(steps), bool)
    for name, a, b in truth:
        said[(steps >= a) & (steps < b)] = name
    for row in result:
        inside = (steps >= row["time_s"]) & (steps < row["end_s"])
        if row["kind"] == "turn":
            found[inside] = row["speaker"]
        elif row["kind"] == "voice":
            heard |= inside
    judged = heard & (said != "")
    right = sum(
        max((found[judged & (said == name)] == s).sum() for s in set(found) - {""})
        for name in set(said) - {""}
    )
    return float(1 - right / judged.sum())


def test_sample_has_one_speaker(report: Report, sample_video: Video) -> None:
    results, cost = analyzed("voices", sample_video)
    count = results["voices"].summary["speaker_count"]
    report("voices", "sample", "speakers", count, "1")
    report("voices", "sample", "CPU-s per s", cost, "in 0.06 of all sound")
    assert count == 1


def test_narration_has_one_speaker(demo_video: Callable[[str], Video], report: Report) -> None:
    results, _ = analyzed("voices", demo_video("nasa_webb_narrated"))
    count = results["voices"].summary["speaker_count"]
    report("voices", "nasa_webb_narrated", "speakers", count, "1")
    assert count == 1


def test_nobody_speaks_in_the_trailer(demo_video: Callable[[str], Video], report: Report) -> None:
    results, _ = analyzed("voices", demo_video("trailer_text_overlays"))
    spoken_s = results["voices"].summary["voice_s"]
    report("voices", "trailer_text_overlays", "seconds of voice", float(spoken_s), "0")
    assert spoken_s == 0


def test_two_and_three_voices_in_turns(
    demo_video: Callable[[str], Video], report: Report, sample_video: Video
) -> None:
    narrator = spoken(demo_video("nasa_webb_narrated").audio_16k, NARRATION_S)
    voice = spoken(sample_video.audio_16k, SAMPLE_S)
    deep = [resample_poly(part, 27, 20) for part in voice]
    cases = {
        "narrator and sample": (("a", narrator), ("b", voice)),
        "sample and its copy, 1.35 x deeper": (("b", voice), ("c", deep)),
        "all three": (("a", narrator), ("b", voice), ("c", deep)),
    }
    for clip, voices in cases.items():
        parts = [(name, own[i]) for i in range(3) for name, own in voices]
        video, truth = in_turns(parts)
        results, _ = analyzed("voices", video)
        result = results["voices"]
        wrong = error_ratio(result.observations.to_pylist(), truth)
        report("voices", clip, "speakers", result.summary["speaker_count"], str(len(voices)))
        report("voices", clip, "speech given to the wrong one", wrong, "<= 0.05")
        assert result.summary["speaker_count"] == len(voices)
        assert wrong <= 0.05


@dataclass
class Tally:
    """Steps of 10 ms with an overlap, and overlaps."""

    hit: int = 0
    found: int = 0
    true: int = 0
    overlaps: int = 0
    placed: int = 0
    placed_right: int = 0

    @property
    def f1(self) -> float:
        """Of the steps."""
        return 2 * self.hit / max(1, self.found + self.true)

    def add(self, rows: list[dict[str, object]], made: Conversation) -> None:
        """Count one conversation."""
        overlaps = [row for row in rows if row["kind"] == "overlap"]
        found, true = np.zeros(len(made.speaking), bool), made.speaking >= 2
        for row in overlaps:
            found[round(row["time_s"] * 100) : round(row["end_s"] * 100)] = True
        self.hit += int((found & true).sum())
        self.found += int(found.sum())
        self.true += int(true.sum())
        for row in overlaps:
            shared = [
                min(row["end_s"], each.end_s) - max(row["time_s"], each.start_s)
                for each in made.exchanges
            ]
            if max(shared) <= 0:
                continue
            self.overlaps += 1
            taken = made.exchanges[int(np.argmax(shared))].taken
            self.placed += row["place"] is not None
            self.placed_right += row["place"] == OVERLAP_PLACES[taken]


def check_overlaps(
    report: Report, cases: Mapping[str, Conversation], name: str, least_f1: float | None = 0.7
) -> None:
    """Overlap by 10 ms, who goes on after it, and how many speakers are told apart."""
    all_cases = Tally()
    for clip, made in cases.items():
        results, _ = analyzed("voices", made.video)
        rows = results["voices"].observations.to_pylist()
        of_case = Tally()
        for tally in (of_case, all_cases):
            tally.add(rows, made)
        report("voices", clip, "F1 of overlap by 10 ms", of_case.f1, "reported")
        report("voices", clip, "speakers", results["voices"].summary["speaker_count"], "2")
    t = all_cases
    target = "reported" if least_f1 is None else f">= {least_f1}"
    report("voices", name, "precision of overlap by 10 ms", t.hit / t.found, "reported")
    report("voices", name, "recall of overlap by 10 ms", t.hit / t.true, "reported")
    report("voices", name, "F1 of overlap by 10 ms", t.f1, target)
    report("voices", name, f"of {t.overlaps} overlaps, placed", t.placed, "reported")
    report("voices", name, "placed right", t.placed_right / t.placed, ">= 0.8")
    assert least_f1 is None or t.f1 >= least_f1
    assert t.placed_right / t.placed >= 0.8


def test_two_at_once_of_synthesizers(report: Report) -> None:
    slt, rms, awb = (voice(name) for name in SAID)
    cases = {
        "slt and rms": conversation(slt[0], rms[0], (slt[1], rms[1])),
        "awb and slt": conversation(awb[0], slt[0], (awb[1], slt[1])),
        "rms and awb": conversation(rms[0], awb[0], (rms[1], awb[1])),
    }
    quiet = cases["awb and slt"]
    cases["awb and slt, music at -10 dB"] = replace(quiet, sound=over_music(quiet.sound))
    check_overlaps(report, cases, "made conversations")


@pytest.mark.comparison
def test_two_at_once_of_other_voices(demo_video: Callable[[str], Video], report: Report) -> None:
    """The narrator is a real voice."""
    real = [
        0.07 * part / np.sqrt(np.square(part).mean())
        for part in spoken(demo_video("nasa_webb_narrated").audio_16k, NARRATION_S)
    ]
    read = [s for name in ("kitchen", "market", "workout") for s in sentences(read_aloud(name))]
    read = [s for s in read if len(s) > 2.8 * RATE_HZ]
    slt, rms, awb = (voice(name) for name in SAID)
    cases = {
        "narrator and slt": conversation(real, slt[0], ((), slt[1])),
        "narrator and rms": conversation(real, rms[0], ((), rms[1])),
        "narrator and awb": conversation(real, awb[0], ((), awb[1])),
        "narrator and reader": conversation(real, read),
        "reader and rms": conversation(read, rms[0]),
    }
    check_overlaps(report, cases, "conversations with a narrator and a reader")
    roomy = {
        f"{clip}, room": replace(made, sound=in_room(made.sound, 0.5).astype(np.float32))
        for clip, made in cases.items()
    }
    check_overlaps(report, roomy, "the same in a room of 0.5 s", None)


def test_one_voice_is_never_two(
    demo_video: Callable[[str], Video], report: Report, sample_video: Video
) -> None:
    """One speaks alone: dry, over music, in rooms; real and made; and music without a voice."""
    alone = {name: read_aloud(name) for name in (*SAID, "kitchen")}
    cases = {
        **alone,
        "slt, music at -10 dB": over_music(alone["slt"]),
        "rms, music at -10 dB": over_music(alone["rms"]),
        "kitchen in a room of 0.5 s": in_room(alone["kitchen"], 0.5),
        "awb in a room of 1 s": in_room(alone["awb"], 1.0),
        "sample": np.asarray(sample_video.audio_16k),
    }
    for clip in OF_ONE_OR_NONE:
        cases[clip] = np.asarray(demo_video(clip).audio_16k)
    overlap_s = sound_s = 0.0
    for clip, sound in cases.items():
        results, _ = analyzed("voices", video_of(sound))
        of_clip = results["voices"].summary["overlap_s"]
        report("voices", clip, "seconds of overlap where one speaks", of_clip, "reported")
        overlap_s, sound_s = overlap_s + of_clip, sound_s + len(sound) / RATE_HZ
    wrong = 60 * overlap_s / sound_s
    report("voices", "one voice or none", "overlap, seconds a minute", wrong, "<= 1")
    assert wrong <= 1
