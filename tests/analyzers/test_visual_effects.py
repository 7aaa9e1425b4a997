"""visual_effects on effects put into real footage, on what is like them and is none, and alone."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from analyzers.base import AnalysisResult
from analyzers.methods.edit.effects.effect import Effect
from analyzers.methods.edit.effects.search import find_effects
from analyzers.methods.edit.effects.signals import Signals, Transition
from analyzers.models.lending import Models
from analyzers.run import run_analyzer
from analyzers.text_overlay import TextOverlay
from analyzers.video import Video
from analyzers.visual_effects import KINDS, VisualEffects
from tests.analyzers.made import made_video
from tests.analyzers.made_effects import EFFECTS, Shot, footage, video_of
from tests.analyzers.made_shots import dissolve, scene, thumbs
from tests.analyzers.made_shots import video_of as video_of_thumbs
from tests.analyzers.made_upstream import made_result, made_shots

#: Without a codec's smoothing; 180 pixels high, so that it is quick.
SECONDS, HEIGHT = 2.4, 180


@pytest.fixture(scope="module")
def shot(demo_dir: Path) -> Shot:
    return footage(demo_dir / "woman_and_dog_outdoors.mp4", 2.0, SECONDS, HEIGHT)


@pytest.fixture(scope="module")
def other(demo_dir: Path) -> Shot:
    return footage(demo_dir / "juggle_man_football.mp4", 1.0, SECONDS + 0.6, HEIGHT)


def found(video: Video, transitions: tuple[Transition, ...] = ()) -> list[Effect]:
    return find_effects(Signals(video, transitions))


#: Fades and wipes are cut_analysis's.
OWN = [kind for kind in EFFECTS if kind not in ("fade", "wipe")]


@pytest.mark.parametrize("kind", OWN)
def test_each_kind_is_found_once_from_and_to(kind: str, shot: Shot, other: Shot) -> None:
    strength = 0 if kind == "speed_ramp" else 1
    frames, first, stop = EFFECTS[kind](shot, other, strength)
    [effect] = found(video_of(Shot(frames, shot.fps)))
    assert effect.effect == kind
    assert effect.start_s == pytest.approx(first / shot.fps, abs=0.11)
    assert effect.end_s == pytest.approx(stop / shot.fps, abs=0.21)
    assert effect.confidence > 0.4


def test_plain_footage_has_none(shot: Shot) -> None:
    assert found(video_of(shot)) == []


def test_a_still_subject_on_a_tripod_is_no_freeze(shot: Shot) -> None:
    """It stops, but grain goes on."""
    rng = np.random.default_rng(3)
    still = np.repeat(shot.frames[30:31], 30, axis=0).astype(np.float32)
    still += rng.normal(0, 6, still.shape)
    frames = np.concatenate([shot.frames[:30], np.clip(still, 0, 255).astype(np.uint8)])
    assert found(video_of(Shot(frames, shot.fps))) == []


def test_a_still_from_cut_to_cut_is_no_freeze(shot: Shot, other: Shot) -> None:
    still = np.repeat(other.frames[:1], 30, axis=0)
    frames = np.concatenate([shot.frames[:30], still, shot.frames[30:]])
    cuts = tuple(Transition("cut", n / shot.fps, n / shot.fps, 1.0) for n in (30, 60))
    assert found(video_of(Shot(frames, shot.fps)), cuts) == []


def test_a_dark_scene_has_no_bars(shot: Shot) -> None:
    height, width = shot.frames.shape[1:3]
    y, x = np.mgrid[:height, :width]
    spot = np.exp(-(((y / height - 0.5) / 0.25) ** 2 + ((x / width - 0.5) / 0.25) ** 2))
    frames = (shot.frames * spot[..., None]).astype(np.uint8)
    assert [e for e in found(video_of(Shot(frames, shot.fps))) if e.effect == "letterbox"] == []


def test_a_light_in_a_part_of_the_scene_is_no_flash(shot: Shot) -> None:
    """An explosion: a corner gets very bright for five frames, the rest a little."""
    height, width = shot.frames.shape[1:3]
    y, x = np.mgrid[:height, :width]
    near = np.exp(-4 * np.hypot(y / height, x / width))[..., None]
    frames = shot.frames.copy()
    for i, light in enumerate((1.0, 0.9, 0.7, 0.4, 0.2), 30):
        lit = frames[i] * (1 + 2 * light * near) + 150 * light * near
        frames[i] = np.clip(lit, 0, 255)
    assert [e for e in found(video_of(Shot(frames, shot.fps))) if e.effect == "flash"] == []


def test_a_window_bar_is_no_split_screen(shot: Shot) -> None:
    """A dark post down the middle, as wide as a window's, with the same scene on both sides."""
    frames = shot.frames.copy()
    middle = frames.shape[2] // 2
    frames[:, :, middle - 4 : middle + 4] = 30
    frames = np.stack([cv2.GaussianBlur(frame, (0, 0), 1.5) for frame in frames])
    assert [e for e in found(video_of(Shot(frames, shot.fps))) if e.effect == "split_screen"] == []


def test_a_lawn_is_no_green_screen(shot: Shot) -> None:
    rng = np.random.default_rng(4)
    blades = rng.normal(0, 1, (*shot.frames.shape[1:3], 1)) * (25, 35, 15) + (70, 130, 45)
    frames = shot.frames.copy()
    frames[:, 60:] = np.clip(blades[60:], 0, 255)
    frames[:, :, :60] = np.clip(blades[:, :60], 0, 255)
    frames[:, :, -60:] = np.clip(blades[:, -60:], 0, 255)
    kinds = {e.effect for e in found(video_of(Shot(frames, shot.fps)))}
    assert "green_screen" not in kinds


def test_film_at_another_rate_is_no_speed_ramp(shot: Shot) -> None:
    """24 frames a second shown at 30: every fourth is repeated, all the way."""
    frames = shot.frames[np.arange(len(shot.frames)) * 4 // 5]
    assert found(video_of(Shot(frames, shot.fps))) == []


def test_repeated_runs_agree(shot: Shot, other: Shot) -> None:
    frames, *_ = EFFECTS["zoom_punch"](shot, other, 1)
    video = video_of(Shot(frames, shot.fps))
    assert found(video) == found(video)


def analyzed(video: Video, cuts: list[dict]) -> AnalysisResult:
    """Through the contract, with transitions as cut_analysis stores them."""
    analyzer = VisualEffects(Models({}))
    result, _ = run_analyzer(analyzer, video, {"cut_analysis": _Cuts(cuts)})  # type: ignore[dict-item]
    return result


class _Cuts:
    """Stands for a result of cut_analysis: only its rows are read."""

    status = "ok"

    def __init__(self, rows: list[dict]) -> None:
        self._rows = rows

    @property
    def observations(self) -> _Cuts:
        return self

    def to_pylist(self) -> list[dict]:
        return self._rows


def test_transitions_become_effects() -> None:
    video = video_of_thumbs(thumbs(dissolve(scene(1, 60), scene(2, 60), 20)))
    # Its other rungs are noise, which no finder may take for anything.
    row = {"type": "transition", "kind": "dissolve", "time_s": 1.3, "end_s": 2.0, "confidence": 0.9}
    shot_row = {"type": "shot", "kind": None, "time_s": 0.0, "end_s": 1.7, "confidence": None}
    result = analyzed(video, [shot_row, row])
    [effect] = result.observations.to_pylist()
    assert (effect["effect"], effect["time_s"], effect["end_s"]) == ("dissolve", 1.3, 2.0)
    segments = result.segments.to_pylist()
    assert [s["effects"] for s in segments] == [[], ["dissolve"], ["dissolve"], []]
    assert segments[1]["effect_count"] == 1
    assert segments[1]["effect_ratio"] == pytest.approx(0.7)
    assert result.summary["dissolve_count"] == result.summary["effect_count"] == 1
    assert result.summary["effect_kinds"] == ["dissolve"]


def test_the_preview_shows_each_effect(shot: Shot, other: Shot) -> None:
    frames, *_ = EFFECTS["flash"](shot, other, 2)
    video = video_of(Shot(frames, shot.fps))
    analyzer = VisualEffects(Models({}))
    preview = analyzer.preview(video, analyzed(video, []))
    picture = cv2.imdecode(np.frombuffer(preview.image, np.uint8), cv2.IMREAD_COLOR)
    assert picture.shape[1] == 900
    # The picture within the flash is white.
    assert (picture.min(2) > 240).mean() > 0.3
    plain = video_of(shot)
    assert analyzer.preview(plain, analyzed(plain, [])).markdown == "No effects."


def test_a_single_frame_has_none(shot: Shot) -> None:
    assert found(video_of(replace(shot, frames=shot.frames[:1]))) == []


@pytest.mark.parametrize(("ground", "ink"), [(255, 0), (0, 255)])
def test_a_title_card_has_no_bars(ground: int, ink: int) -> None:
    """Lines of capitals from side to side, which end as sharply as a picture does."""
    card = np.full((640, 360, 3), ground, np.uint8)
    for line, y in (("FIVE WAYS", 270), ("TO BUY A", 330), ("HOUSE NOW", 390)):
        (width, _), _ = cv2.getTextSize(line, cv2.FONT_HERSHEY_DUPLEX, 1, 5)
        scale = 310 / width
        place = (25, y)
        cv2.putText(card, line, place, cv2.FONT_HERSHEY_DUPLEX, scale, (ink,) * 3, 5, cv2.LINE_AA)
    assert found(video_of(Shot(np.repeat(card[None], 45, axis=0), 30.0))) == []


@pytest.mark.parametrize(("height", "width"), [(1, 161), (161, 1), (2, 2000), (10, 12)])
def test_slivers_have_neither_bars_nor_panels(height: int, width: int) -> None:
    rng = np.random.default_rng(5)
    frames = rng.integers(0, 256, (60, height, width, 3), np.uint8)
    video = video_of(Shot(frames, 30.0))
    result = analyzed(video, [])
    assert {row["effect"] for row in result.observations.to_pylist()} <= {"overlay"}
    row = {"type": "transition", "kind": "dissolve", "time_s": 1, "end_s": 1.5, "confidence": 0.9}
    assert VisualEffects(Models({})).preview(video, analyzed(video, [row])).image


def test_a_faint_overlay_is_left_out() -> None:
    video = made_video(end_s=2.0)
    lines = [
        {"role": role, "text": "so", "time_s": 0.0, "end_s": 1.0, "confidence": sure}
        for role, sure in (("caption", 0.3), ("sticker", 0.6))
    ]
    texts = made_result(TextOverlay, video.grid, lines)
    result = VisualEffects(Models({})).analyze(
        video, {"cut_analysis": made_shots(video.grid), "text_overlay": texts}
    )
    overlays = [r["detail"] for r in result.observations.to_pylist() if r["effect"] == "overlay"]
    assert overlays == ["sticker"]


def test_every_kind_is_declared() -> None:
    assert set(EFFECTS) <= set(KINDS)
