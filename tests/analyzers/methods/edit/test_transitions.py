"""The explanation of what the network marks, with scores made by hand."""

import numpy as np
import pytest

from analyzers.methods.edit.transitions import Transition, find_transitions
from tests.analyzers.made_shots import dissolve, fade_in, fade_out, plain, scene, thumbs


def scores_of(count: int, peaks: dict[int, float], spans: tuple[tuple[int, int], ...] = ()):
    """Scores that are low but at `peaks` (last frame of a shot) and in `spans` (both ends in)."""
    scores = np.full((count, 2), 0.01, np.float32)
    for place, score in peaks.items():
        scores[place] = score
    for first, last in spans:
        scores[first : last + 1, 1] = 0.9
    return scores


def found(frames, peaks=None, spans=()) -> list[tuple[str, int, int, int | None]]:
    transitions = find_transitions(frames, scores_of(len(frames), peaks or {}, spans))
    assert all(0 <= t.confidence <= 1 for t in transitions)
    return [(t.kind, t.first, t.last, t.boundary) for t in transitions]


def test_a_cut_is_between_the_last_old_and_the_first_new_frame():
    frames = thumbs(scene(1, 40), scene(2, 40))
    assert find_transitions(frames, scores_of(80, {39: 0.9})) == [
        Transition("cut", 39, 40, 40, pytest.approx(0.9))
    ]


def test_a_peak_beside_the_cut_is_moved_to_it():
    assert found(thumbs(scene(1, 40), scene(2, 40)), {38: 0.9}) == [("cut", 39, 40, 40)]


def test_a_peak_where_the_picture_stays_is_no_cut():
    assert found(thumbs(scene(1, 80)), {39: 0.9}) == []


def test_an_unsure_score_needs_a_step_that_stands_out():
    assert found(thumbs(scene(1, 40), scene(2, 40)), {39: 0.3}) == [("cut", 39, 40, 40)]
    assert found(thumbs(scene(3, 80, speed_px=5)), {39: 0.3}) == []


def test_a_peak_within_a_fade_is_no_cut():
    frames = thumbs(fade_out(scene(1, 60), 20), plain(3), fade_in(scene(2, 60), 20))
    assert found(frames, {50: 0.9, 72: 0.8}) == [("fade_through_black", 39, 83, 61)]


def test_fades_are_found_where_the_network_is_silent():
    frames = thumbs(scene(1, 100), fade_out(scene(2, 100), 45), plain(5))
    [(kind, first, last, boundary)] = found(frames)
    assert (kind, last, boundary) == ("fade_out", 204, None)
    assert first == pytest.approx(154, abs=3)
    frames = thumbs(plain(5), fade_in(scene(1, 100), 60))
    [(kind, first, last, boundary)] = found(frames)
    assert (kind, first, boundary) == ("fade_in", 0, None)
    assert last == pytest.approx(65, abs=3)


def test_a_fade_through_white():
    frames = thumbs(fade_out(scene(1, 60), 15, 255), plain(2, 255), fade_in(scene(2, 60), 15, 255))
    [(kind, first, last, boundary)] = found(frames)
    assert kind == "fade_through_white"
    assert (first, last, boundary) == (
        pytest.approx(44, abs=2), pytest.approx(77, abs=2), pytest.approx(61, abs=1)
    )  # fmt: skip


def test_a_cut_from_black_ends_the_fade_before_it():
    frames = thumbs(fade_out(scene(1, 60), 20), plain(4), scene(2, 60))
    assert found(frames, {63: 0.9}) == [("fade_out", pytest.approx(39, abs=1), 64, 64)]


def test_long_black_between_fades_is_a_shot():
    frames = thumbs(fade_out(scene(1, 60), 20), plain(60), fade_in(scene(2, 60), 20))
    (out, _, black, out_boundary), (back, still_black, _, in_boundary) = found(frames)
    assert (out, back) == ("fade_out", "fade_in")
    assert black == out_boundary == pytest.approx(60, abs=3)
    assert still_black == in_boundary == pytest.approx(119, abs=3)


def test_cuts_to_and_from_black_are_cuts():
    frames = thumbs(scene(1, 40), plain(15), scene(2, 40))
    assert found(frames, {39: 0.9, 54: 0.9}) == [("cut", 39, 40, 40), ("cut", 54, 55, 55)]


def test_a_dissolve_has_mixtures_between_its_ends():
    frames = thumbs(dissolve(scene(1, 60), scene(2, 60), 20))
    assert found(frames, {50: 0.9}, ((40, 59),)) == [("dissolve", 39, 60, 50)]


def test_one_blended_frame_is_a_cut():
    frames = thumbs(dissolve(scene(1, 40), scene(2, 40), 1))
    [(kind, _, boundary, _)] = found(frames, {39: 0.9}, ((38, 39),))
    assert kind == "cut"
    assert boundary in (39, 40)


def test_a_marked_stretch_without_mixtures_is_movement():
    assert found(thumbs(scene(3, 90, speed_px=5)), {}, ((30, 50),)) == []


def test_light_that_goes_up_in_a_shot_is_no_transition():
    shot = scene(1, 90)
    gain = np.interp(np.arange(90), [30, 50], [0.3, 1.0])[:, None, None, None]
    assert found(thumbs(shot * gain), {40: 0.6}, ((31, 49),)) == []


@pytest.mark.parametrize("length", [1, 3, 8])
@pytest.mark.parametrize("level", [0.0, 255.0])
def test_a_flash_is_no_cut(length, level):
    shot = scene(1, 90)
    shot[45 : 45 + length] = 0.1 * shot[45 : 45 + length] + 0.9 * level
    assert found(thumbs(shot), {44: 0.9, 44 + length: 0.9}) == []


def test_a_flash_that_dies_away_is_no_fade():
    shot = scene(1, 90)
    shot[45:55] += np.linspace(250, 10, 10)[:, None, None, None]
    assert found(thumbs(shot), {44: 0.9}) == []


@pytest.mark.parametrize("count", [1, 2, 5])
def test_very_short_and_uniform_videos_have_no_transitions(count):
    assert found(thumbs(plain(count)), {0: 0.9}) == []
    assert found(thumbs(plain(count, 255)), {0: 0.9}) == []
