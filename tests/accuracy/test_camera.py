"""camera_analysis against the labelled clips, and against the sample's exact truth."""

from __future__ import annotations

import math

import pytest

from analyzers.registry import get_analyzer
from tests.analyzers.made_moves import (
    HALL,
    MOVES,
    ROOM,
    moved,
    still,
    travelled,
    video_of,
    walker,
)

pytestmark = pytest.mark.accuracy

STATIC = (
    "bottles_conveyor",
    "dog_eating_pexels",
    "friday_dialogue_bw",
    "juggle_man_football",
    "letter_blocks_hands",
    "woman_and_dog_outdoors",
)


@pytest.mark.parametrize("clip", STATIC)
def test_static_clips(clip, demo_video, demo_labels, report):
    assert "static" in demo_labels(clip)["camera_motion"]
    result = get_analyzer("camera_analysis").analyze(demo_video(clip), {})
    kinds = result.segments["kind"].to_pylist()
    report(
        "camera_analysis", clip, "seconds static", f"{kinds.count('static')}/{len(kinds)}", "all"
    )
    report("camera_analysis", clip, "mean speed", result.summary["mean_speed"], "< 0.02")
    assert set(kinds) == {"static"}
    assert result.summary["mean_speed"] < 0.02


@pytest.mark.comparison
def test_made_moves(report):
    """From a still, at three speeds, with noise and a striped figure that crosses the picture."""
    picture, names = still(), [move[0] for move in MOVES]
    right, error = dict.fromkeys(names, 0), dict.fromkeys(names, 0.0)
    total = dict.fromkeys(names, 0)
    for kind, move, speed in MOVES:
        video = video_of(moved(picture, 2, noise=4, foreground=walker, **move))
        for second in get_analyzer("camera_analysis").analyze(video, {}).segments.to_pylist():
            off = abs((second["speed"] or 0.0) / speed - 1)
            right[kind] += second["kind"] == kind and off <= 0.2
            error[kind] = max(error[kind], off)
            total[kind] += 1
    for kind in total:
        report("camera_analysis", "made", kind, f"{right[kind]}/{total[kind]}", ">= 95% of all")
        report("camera_analysis", "made", f"{kind}, worst error of speed", error[kind], "<= 0.2")
    assert sum(right.values()) >= 0.95 * sum(total.values())


#: Metres a second in rooms of 12 m, degrees a second.
TRAVELS = (
    ("pan_right", {"truck": 1.0}),
    ("pan_left", {"truck": -2.0}),
    ("tilt_up", {"pedestal": 1.0}),
    ("zoom_in", {"dolly": 1.2}),
    ("zoom_out", {"dolly": -1.2}),
)
TURNS = (("pan_right", {"pan_deg": 5.0}), ("pan_left", {"pan_deg": -20.0}))


@pytest.mark.comparison
def test_made_travels(report):
    """A camera that travels through a made room, or turns in it."""
    told, false, seconds_told, seconds_turned = 0, 0, 0, 0
    for planes in (ROOM, HALL):
        for kind, move in TRAVELS:
            for second in made_seconds(planes, move):
                told += (second["kind"], second["dolly_like"]) == (kind, True)
                seconds_told += 1
        for kind, move in TURNS:
            for second in made_seconds(planes, move):
                assert second["kind"] == kind
                false += second["dolly_like"] is not False
                seconds_turned += 1
    shown = f"{told}/{seconds_told}"
    report("camera_analysis", "made rooms", "travel seconds dolly-like", shown, ">= 90%")
    shown = f"{false}/{seconds_turned}"
    report("camera_analysis", "made rooms", "turns taken for travel", shown, "0")
    assert told >= 0.9 * seconds_told
    assert false == 0


def made_seconds(planes, move):
    video = video_of(travelled(planes, 2, **move))
    return get_analyzer("camera_analysis").analyze(video, {}).segments.to_pylist()


def test_the_first_third_of_coffee_pour(demo_video, report):
    # The label says: a 1.2x zoom-in with vertical drift in the first third, then static. By phase
    # correlation the wall on both sides of the person moves by less than 0.4 of 640 px in 4 s: it
    # is the hands, the kettle and the cup that move. Reported, and held to the pictures.
    result = get_analyzer("camera_analysis").analyze(demo_video("coffee_pour_product"), {})
    kinds = result.segments["kind"].to_pylist()
    third = len(kinds) // 3
    report("camera_analysis", "coffee_pour_product", "first third", ", ".join(kinds[:third]), "")
    report(
        "camera_analysis", "coffee_pour_product", "then", ", ".join(set(kinds[third:])), "static"
    )
    assert set(kinds[third:]) == {"static"}


@pytest.mark.parametrize("with_cuts", [True, False], ids=["with cuts", "alone"])
def test_the_sample(with_cuts, sample_video, sample_labels, report):
    upstream = {}
    if with_cuts:
        upstream["cut_analysis"] = get_analyzer("cut_analysis").analyze(sample_video, {})
    result = get_analyzer("camera_analysis").analyze(sample_video, upstream)
    clip = "sample" if with_cuts else "sample, without cuts"
    right = total = 0
    for truth in (move for move in sample_labels["camera"] if move["exact"]):
        kind, speed = expected(truth)
        measured = []
        for second in result.segments.to_pylist():
            # Whole seconds of the move, and those of which it has more than half.
            inside = min(second["end_s"], truth["end_s"]) - max(second["start_s"], truth["start_s"])
            if inside <= 0.5 * (second["end_s"] - second["start_s"]):
                continue
            total += 1
            near = kind == "static" or second["speed"] == pytest.approx(speed, rel=0.2)
            right += second["kind"] == kind and near
            measured.append(second["speed"])
        shown = " ".join("-" if v is None else f"{v:.3f}" for v in measured)
        measure = f"{kind} at {truth['start_s']:.1f} s, speed ({speed:.3f})"
        report("camera_analysis", clip, measure, shown, "within 20%")
    report("camera_analysis", clip, "seconds right", f"{right}/{total}", ">= 95%")
    assert right >= 0.95 * total


def expected(truth: dict) -> tuple[str, float]:
    """Our word for a labelled move, and its speed in frame widths a second at the edge."""
    if truth["kind"] == "static":
        return "static", 0.0
    if truth["kind"] == "zoom":
        return f"zoom_{truth['direction']}", abs(math.log(truth["scale_ratio_per_s"])) / 2
    return f"{truth['kind']}_{truth['direction']}", truth["speed_frame_widths_per_s"]
