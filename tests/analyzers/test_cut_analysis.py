"""cut_analysis with the real network, on shots made on the spot."""

import itertools
import time

import cv2
import numpy as np
import pytest

from analyzers import progress
from analyzers.base import AnalysisResult
from analyzers.models.lending import Models
from analyzers.models.weights import ModelMissing
from analyzers.registry import get_analyzer
from analyzers.run import run_analyzer
from analyzers.video import Video
from tests.analyzers.made_shots import (
    dissolve,
    fade_in,
    fade_out,
    plain,
    scene,
    thumbs,
    video_of,
)


@pytest.fixture(scope="module", autouse=True)
def network():
    try:
        with Models.embedded().lend("shots") as model:
            yield model
    except ModelMissing as error:
        pytest.skip(str(error))


def analyze(video: Video) -> AnalysisResult:
    result, record = run_analyzer(get_analyzer("cut_analysis"), video, {})
    assert [use.identity.role for use in record.models] == ["shots"]
    return result


def rows(result: AnalysisResult, kind: str) -> list[dict]:
    return [row for row in result.observations.to_pylist() if row["type"] == kind]


def transitions(*shots: np.ndarray) -> list[tuple[str, int, int]]:
    found = rows(analyze(video_of(thumbs(*shots))), "transition")
    return [(row["kind"], row["first_frame"], row["last_frame"]) for row in found]


def test_a_cut_to_the_frame():
    assert transitions(scene(1, 60), scene(2, 60)) == [("cut", 59, 60)]


def test_a_wipe_is_a_transition_and_parts_two_shots():
    old, new = scene(1, 90), scene(2, 90)
    frames = np.concatenate([old[:30], new[30:]])
    for i in range(24):
        edge = (i + 1) * 48 // 25
        frames[30 + i][:, edge:] = old[30 + i][:, edge:]
    result = analyze(video_of(thumbs(frames)))
    [wipe] = rows(result, "transition")
    assert wipe["kind"] == "wipe"
    assert wipe["first_frame"] == pytest.approx(29, abs=2)
    assert wipe["last_frame"] == pytest.approx(54, abs=2)
    assert [shot["begins_with"] for shot in rows(result, "shot")] == ["start", "wipe"]
    assert result.summary["wipe_count"] == result.summary["gradual_count"] == 1


def test_a_flash_that_takes_two_frames_to_be_white_is_no_fade():
    frames = scene(1, 90)
    for i, level in enumerate((0.4, 1.0, 1.0, 0.75, 0.5, 0.25), 45):
        frames[i] = frames[i] * (1 - level) + 255 * level
    assert transitions(frames) == []


@pytest.mark.parametrize("count", [6, 40])
def test_a_dissolve_of_known_extent(count):
    [(kind, first, last)] = transitions(dissolve(scene(1, 80), scene(2, 80), count))
    assert kind == "dissolve"
    # The network counts the first and last mixtures of a slow dissolve, barely visible, out.
    assert first == pytest.approx(79 - count, abs=1 + count / 12)
    assert last == pytest.approx(80, abs=1 + count / 12)


@pytest.mark.parametrize("count", [6, 30])
def test_a_fade_through_black_of_known_extent(count):
    [(kind, first, last)] = transitions(
        fade_out(scene(1, 70), count), plain(4), fade_in(scene(2, 70), count)
    )
    assert kind == "fade_through_black"
    assert (first, last) == (
        pytest.approx(69 - count, abs=2), pytest.approx(74 + count, abs=2)
    )  # fmt: skip


def test_a_slow_fade_out_at_the_end():
    [(kind, first, last)] = transitions(fade_out(scene(1, 140), 90), plain(10))
    assert (kind, last) == ("fade_out", 149)
    assert first == pytest.approx(49, abs=6)


def test_a_fade_in_at_the_start():
    [(kind, first, last)] = transitions(plain(6), fade_in(scene(1, 90), 24))
    assert (kind, first, last) == ("fade_in", 0, pytest.approx(30, abs=2))


@pytest.mark.parametrize("level", [0.0, 255.0])
def test_a_flash_is_nothing(level):
    shot = scene(1, 90)
    shot[45:48] = 0.1 * shot[45:48] + 0.9 * level
    assert transitions(shot) == []


@pytest.mark.parametrize(
    "shot",
    [
        pytest.param(scene(3, 90, speed_px=5.0), id="fast pan"),
        pytest.param(np.random.default_rng(0).uniform(0, 255, (90, 27, 48, 3)), id="noise"),
        pytest.param(np.repeat(scene(1, 1), 60, axis=0), id="still"),
    ],
)
def test_what_is_no_transition(shot):
    assert transitions(shot) == []


def test_quick_cutting():
    found = transitions(*(scene(seed, 10) for seed in range(12)))
    assert all(kind == "cut" and last % 10 == 0 for kind, _, last in found)
    assert len(found) >= 10


def test_shots_tile_the_video_and_carry_their_transitions():
    result = analyze(video_of(thumbs(scene(1, 90), dissolve(scene(2, 40), scene(3, 40), 20))))
    shots = rows(result, "shot")
    assert [s["shot"] for s in shots] == [0, 1, 2]
    assert shots[0]["time_s"] == 0
    assert shots[-1]["end_s"] == pytest.approx(150 / 30)
    for shot, following in itertools.pairwise(shots):
        assert shot["end_s"] == following["time_s"]
        assert shot["last_frame"] + 1 == following["first_frame"]
        assert shot["ends_with"] == following["begins_with"]
    assert [s["begins_with"] for s in shots] == ["start", "cut", "dissolve"]
    cut, mixed = rows(result, "transition")
    assert (cut["time_s"], cut["duration_s"], cut["shot"]) == (3.0, 0.0, 1)
    assert mixed["time_s"] < shots[2]["time_s"] < mixed["end_s"]

    segments = result.segments.to_pydict()
    assert sum(segments["cut_count"]) == result.summary["cut_count"] == 1
    # The cut at 3.0 s is seen from both sides and counted once; the dissolve is longer.
    assert segments["transition"][1:5] == ["none", "cut", "dissolve", "dissolve"]
    assert segments["cut_count"][2:4] == [0, 1]
    assert segments["shot"][0] == 0
    assert segments["shot"][-1] == 2
    assert result.summary["shot_count"] == 3
    assert result.summary["gradual_count"] == result.summary["dissolve_count"] == 1
    lengths = [s["duration_s"] for s in shots]
    assert result.summary["mean_shot_length_s"] == pytest.approx(np.mean(lengths))
    assert result.summary["shot_changes_per_minute"] == pytest.approx(2 * 60 / (150 / 30))


def test_double_frame_rate_is_thinned_out_and_still_exact(network):
    seen = []
    original = network.score
    network.score = lambda frames, step: (seen.append(step), original(frames, step))[1]
    try:
        frames = thumbs(scene(1, 121, 0.07), scene(2, 120, 0.07), fps=60)
        [cut] = rows(analyze(video_of(frames, fps=60)), "transition")
    finally:
        network.score = original
    assert seen == [2]
    assert cut["last_frame"] == 121


def test_a_single_frame_is_one_shot():
    result = analyze(video_of(thumbs(scene(1, 1))))
    assert result.summary["shot_count"] == 1
    assert result.summary["first_change_s"] is None


def test_twice_gives_equal_tables():
    video = video_of(thumbs(scene(1, 50), dissolve(scene(2, 50), scene(3, 50), 20)))
    one, two = analyze(video), analyze(video)
    assert one.observations.equals(two.observations)
    assert one.segments.equals(two.segments)


def test_a_cancelled_task_stops():
    task = progress.Task("cuts")
    task.cancel()
    started = time.perf_counter()
    with progress.run_task(task), pytest.raises(progress.Cancelled):
        analyze(video_of(thumbs(scene(1, 60))))
    assert time.perf_counter() - started < 5


def test_the_preview_shows_a_tile_for_each_shot():
    video = video_of(thumbs(scene(1, 40), scene(2, 40)))
    analyzer = get_analyzer("cut_analysis")
    preview = analyzer.preview(video, analyzer.analyze(video, {}))
    picture = cv2.imdecode(np.frombuffer(preview.image, np.uint8), cv2.IMREAD_COLOR)
    assert picture.shape[1] > 4 * 150
    assert picture.std() > 10
