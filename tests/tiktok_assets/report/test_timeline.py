from itertools import pairwise

import pytest

from resources.result_store import ResultStore
from tests.analyzers.made_results import made_result
from tests.tiktok_assets.report.made_report import END_S, made, some_results, stored
from tiktok_assets.report.pictures import Pictures
from tiktok_assets.report.timeline import timeline
from tiktok_assets.report.timeline_svg import Bar, drawn, ticks
from tiktok_assets.report.told import Told


@pytest.fixture
def store(tmp_path):
    return ResultStore(url=f"memory://{tmp_path.name}")


@pytest.fixture
def lanes(store):
    video = made()
    return lanes_of(store, video, some_results(video))


def lanes_of(store, video, results):
    def unopened():
        raise LookupError("not registered")

    made_of = timeline(Told(stored(store, video, results), store), Pictures(unopened))
    return {lane.name: lane for lane in made_of.lanes}


@pytest.mark.parametrize("end_s", [0.04, 0.7, 1.0, 9.97, 13.0, 60.0, 181.0, 3600.0, 11_000.0])
def test_ticks_are_round_few_and_end_at_the_end(end_s):
    found = ticks(end_s)
    places = [tick.x for tick in found]
    assert places == sorted(places)
    assert places[0] == 0
    assert places[-1] == 100
    assert 2 <= len(found) <= 10
    phone_px = [tick.x / 100 * 330 for tick in found]
    assert phone_px[-1] - phone_px[-2] >= 6 * (len(found[-1].label) + len(found[-2].label) / 2)
    assert all(b - a >= 9 for a, b in pairwise(places))


def test_bars_stand_where_their_rows_are(lanes):
    first, second = lanes["Shots"].bars
    assert (first.x, first.width) == (0, 50)
    assert (second.x, second.href, second.label) == (50, "#shot-2", "2")
    (hook,) = lanes["Story"].bars
    assert hook.title.startswith("0:00.0\u20130:03.0: hook.")
    (move,) = lanes["Camera"].bars
    assert move.width == pytest.approx(2.5 / END_S * 100)


def test_what_overlaps_is_drawn_in_rows(lanes):
    rows = {bar.row for bar in lanes["Findings"].bars}
    assert rows == {0, 1}
    for row in rows:
        ends = [(bar.x, bar.x + bar.width) for bar in lanes["Findings"].bars if bar.row == row]
        assert all(a[1] <= b[0] + 0.5 for a, b in pairwise(ends))


def test_a_run_of_seconds_with_the_same_face_is_one_bar(lanes):
    happy, face = lanes["Faces"].bars
    assert (happy.label, happy.x, happy.width) == ("happy", 0, pytest.approx(2 / END_S * 100))
    assert (face.label, face.x) == ("face", pytest.approx(4 / END_S * 100))
    assert lanes["Faces"].about == "a face in 4 seconds"


def test_seconds_whose_expression_is_not_judged_are_one_bar_and_no_neutral_ones(store):
    video = made()
    results = some_results(video)
    seen = {"face_count": [1] * 6}
    moods = {"emotion": ["neutral", "neutral", "uncertain", "uncertain", None, None]}
    results["faces"] = made_result("faces", video.grid, seconds=seen)
    results["face_emotion"] = made_result("face_emotion", video.grid, seconds=moods)
    neutral, face = lanes_of(store, video, results)["Faces"].bars
    assert (neutral.label, face.label) == ("neutral", "face")
    assert neutral.tone != face.tone
    assert face.width == pytest.approx(4 / END_S * 100)


def test_bars_that_lead_somewhere_are_not_one_picture(lanes):
    assert [name for name, lane in lanes.items() if lane.links] == ["Shots"]


def test_a_curve_breaks_where_nothing_is_known(lanes):
    (loudness,) = lanes["Loudness"].curves
    assert len(loudness.lines) == 2
    numbers = [float(n) for part in loudness.lines for p in part.split() for n in p.split(",")]
    assert 0 <= min(numbers) <= max(numbers) <= 1000
    assert [label for _, label in lanes["Loudness"].levels][1] == "\u221214 LUFS, target"


@pytest.mark.parametrize(
    ("width", "label", "cut", "screen", "phone"),
    [
        (100, "music", False, "music", "music"),
        (10, "music", False, "music", ""),
        (2, "music", False, "", ""),
        (10, "follow for more", True, "follow for m\u2026", ""),
        (10, "FOLLOW FOR MORE", True, "FOLLOW FOR\u2026", ""),
        (30, "FOLLOW FOR MORE", True, "FOLLOW FOR MORE", "FOLLOW FOR\u2026"),
        (
            10,
            "\u6bcf\u5929\u4e00\u676f\u5496\u5561\u5f88\u597d",
            True,
            "\u6bcf\u5929\u4e00\u676f\u5496\u5561\u2026",
            "",
        ),
        (10, "", True, "", ""),
    ],
)
def test_labels_fit_their_bars(width, label, cut, screen, phone):
    bar = Bar(0, width, 0, "blue", "", label, cut=cut)
    assert (bar.on_screen, bar.on_phone) == (screen, phone)


def test_bars_that_cannot_be_told_apart_are_drawn_together_to_the_end():
    many = [Bar(i / 20, 0.05, 0, ("ink", "grey")[i % 2], "", str(i)) for i in range(2000)]
    (one,) = drawn(many)
    assert (one.x, one.width) == (0, pytest.approx(100))
    assert one.title == "2\u202f000 together"
    apart = [Bar(i / 20, 0.01, i % 2, ("blue", "green")[i % 2], "") for i in range(0, 2000)]
    gone = [bar for bar in apart if not 40 < bar.x < 60]
    assert len(drawn(gone)) == 4
    assert drawn(many[:800]) == many[:800]
