"""visual_effects on the clips without cuts, and on effects of known extent in real footage."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from analyzers.methods.edit.effects.search import find_effects
from analyzers.methods.edit.effects.signals import Signals
from analyzers.models.lending import Models
from analyzers.registry import get_analyzer
from analyzers.run import run_analyzer
from resources.media import open_video
from tests.accuracy.test_cuts import WITHOUT_CUTS
from tests.analyzers.made_effects import EFFECTS, STRENGTHS, Shot, footage, write_clip

pytestmark = pytest.mark.accuracy

#: Footage and where it is taken from. The thresholds were set on other parts of these clips, and on
#: other clips; black and white film can not be turned black and white.
BASES = (
    ("juggle_man_football.mp4", 5.5),
    ("woman_emotions_closeup.mp4", 12.0),
    ("letter_blocks_hands.mp4", 5.5),
)
OTHER = ("woman_and_dog_outdoors.mp4", 5.5)
SECONDS, HEIGHT = 3.0, 270
#: How far from and to may be off for a hit.
NEAR_S = 0.35


def test_no_false_effect_where_nothing_was_edited(demo_video, demo_labels, report):
    """cut_analysis finds no transition in these clips: its own test holds it to that."""
    false, seconds = [], 0.0
    for clip in WITHOUT_CUTS:
        assert demo_labels(clip)["shots"]["cut_frames"] == []
        video = demo_video(clip)
        seconds += video.info.end_s
        false += [(clip, effect) for effect in find_effects(Signals(video))]
    per_minute = 60 * len(false) / seconds
    report("visual_effects", "8 cut-free clips", "false effects a minute", per_minute, "<= 1")
    assert per_minute <= 1, false


def test_the_bars_of_the_webcam_recording(demo_video, report):
    """By eye: a 4:3 screen with black at both sides, 10 % of the width together."""
    effects = find_effects(Signals(demo_video("webcam_hello_world_text")))
    [bars] = [effect for effect in effects if effect.effect == "letterbox"]
    report("visual_effects", "webcam_hello_world_text", "bars at the sides", bars.strength, "0.10")
    assert bars.detail == "sides"
    assert bars.strength == pytest.approx(0.1, abs=0.01)


@pytest.mark.slow
@pytest.mark.comparison  # a hundred clips are made, decoded and analyzed: three minutes
@pytest.mark.timeout(1800)
def test_recall_of_the_twelve_kinds(demo_dir: Path, tmp_path: Path, report: Any) -> None:
    """Each kind at three strengths in each of three clips, through codec, decoder and contract."""
    hits: dict[str, list[bool]] = {kind: [] for kind in EFFECTS}
    errors_s: dict[str, list[float]] = {kind: [] for kind in EFFECTS}
    others: list[tuple[str, dict[str, Any]]] = []
    models = Models.embedded()
    for name, start_s in BASES:
        shot = footage(demo_dir / name, start_s, SECONDS, HEIGHT)
        other = fitted(footage(demo_dir / OTHER[0], OTHER[1], SECONDS + 0.6, HEIGHT), shot)
        for kind, make in EFFECTS.items():
            for strength in STRENGTHS:
                frames, first, stop = make(shot, other, strength)
                label = f"{Path(name).stem} {kind} {strength}"
                path = write_clip(tmp_path / "clip.mp4", frames, shot.fps)
                from_s, to_s = first / round(shot.fps), stop / round(shot.fps)
                rows = analyzed(path, models)
                right = [row for row in rows if is_hit(row, kind, from_s, to_s)]
                hits[kind].append(bool(right))
                if right:
                    errors_s[kind] += [abs(right[0]["time_s"] - from_s)]
                    errors_s[kind] += [abs(right[0]["end_s"] - to_s)]
                others += [(label, row) for row in rows if row not in right]
    for kind, found in hits.items():
        measure = f"recall of {kind}, median error of from and to (s)"
        error_s = float(np.median(errors_s[kind])) if errors_s[kind] else float("nan")
        shown = f"{sum(found)}/{len(found)}, {error_s:.3f}"
        report("visual_effects", "made effects", measure, shown, "")
    recall = float(np.mean([np.mean(found) for found in hits.values()]))
    report("visual_effects", "made effects", "recall over the twelve kinds", recall, ">= 0.8")
    total = sum(len(found) for found in hits.values())
    report("visual_effects", "made effects", f"other effects in {total} clips", len(others), "")
    for label, row in others:
        print(label, {key: row[key] for key in ("effect", "detail", "time_s", "end_s")})
    assert recall >= 0.8, {kind: sum(found) for kind, found in hits.items()}


def analyzed(path: Path, models: Models) -> list[dict[str, Any]]:
    """The effects of a file."""
    with open_video(path) as video:
        cuts, _ = run_analyzer(get_analyzer("cut_analysis", models), video, {})
        result, _ = run_analyzer(
            get_analyzer("visual_effects", models), video, {"cut_analysis": cuts}
        )
        return result.observations.to_pylist()


def is_hit(row: dict[str, Any], kind: str, from_s: float, to_s: float) -> bool:
    near = abs(row["time_s"] - from_s) <= NEAR_S and abs(row["end_s"] - to_s) <= NEAR_S
    return bool(row["effect"] == kind and near)


def fitted(shot: Shot, like: Shot) -> Shot:
    """A shot in another's size, cut at the edges."""
    height, width = like.frames.shape[1:3]
    scale = max(height / shot.frames.shape[1], width / shot.frames.shape[2])
    frames = [cv2.resize(frame, None, fx=scale, fy=scale)[:height, :width] for frame in shot.frames]
    return Shot(np.stack(frames), shot.fps)
