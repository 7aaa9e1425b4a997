"""How rows of faces are put together."""

import pytest

from analyzers.methods.people.face_rows import area_of, by_track, usual_flaw


def test_rows_by_rising_track_in_the_order_of_time() -> None:
    rows = [{"track_id": t, "time_s": s} for s, t in ((0.0, 2), (0.2, 0), (0.4, 2))]
    assert by_track(rows) == {0: [rows[1]], 2: [rows[0], rows[2]]}
    assert list(by_track(rows)) == [0, 2]


def test_areas_add_up() -> None:
    box = {"x1": 0.5, "x2": 1.0, "y1": 0.0, "y2": 0.5}
    assert area_of([box, box, box]) == pytest.approx(0.75)
    assert area_of([]) == 0.0


def test_the_usual_flaw_is_the_most_frequent_and_the_same_every_time() -> None:
    assert usual_flaw(["small", "turned", "small"]) == "small"
    assert usual_flaw(["turned", "blurred"]) == usual_flaw(["blurred", "turned"]) == "blurred"
