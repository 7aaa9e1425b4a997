from analyzers.methods.evidence import evidence_row
from analyzers.methods.story.joined import ALL, Joined, between, end_of
from analyzers.registry import analyzer_classes
from analyzers.segments import SegmentGrid
from tests.analyzers.made import made_video
from tests.analyzers.made_results import cut, joined, made_result, not_applicable

GRID = SegmentGrid("made-00000000", 2.5)


def test_rows_carry_ids_that_find_them_again():
    there = joined(4, cut_analysis={"rows": [cut(1.0), cut(2.0, 2)]})
    first, second = there.rows("cut_analysis", kind="cut")
    assert second["id"] == "cut_analysis/1"
    assert evidence_row(second["id"], there.results)["time_s"] == second["time_s"] == 2.0
    assert there.rows("cut_analysis", shot=1) == [first]
    assert there.rows("cut_analysis", kind="dissolve") == []


def test_what_is_missing_is_empty_and_named():
    results = {"cut_analysis": made_result("cut_analysis", GRID)}
    there = Joined(GRID, results, ("cut_analysis", "faces", "voices"))
    assert there.missing == ["faces", "voices"]
    assert there.rows("faces") == []
    assert there.column("faces", "face_count") == [None] * 3
    assert there.of_summary("faces", "face_count") is None
    assert "faces" not in there
    assert "cut_analysis" in there


def test_not_applicable_is_there_and_says_why():
    results = {"voices": not_applicable("voices", made_video(), "no audio track")}
    there = Joined(GRID, results, ("voices",))
    assert there.missing == []
    assert there.not_applicable == {"voices": "no audio track"}
    assert "voices" in there
    assert not there.speaks("voices")


def test_a_column_of_an_older_result_is_null():
    there = joined(4, made_up={"seconds": {"level": [1, 2, 3, 4]}})
    assert there.column("made_up", "level") == [1, 2, 3, 4]
    assert there.column("made_up", "added_later") == [None] * 4


def test_seconds_touched_by_a_time():
    there = joined(4)
    assert list(there.seconds_of(0.5, 2.0)) == [0, 1]
    assert list(there.seconds_of(3.0, 9.0)) == [3]
    assert there.second_ids("faces", range(1, 3)) == ["faces@1", "faces@2"]


def test_rows_between_touch_the_time():
    rows = [cut(1.0), cut(2.0), {"time_s": 0.0, "end_s": 3.0}, {"time_s": 1.5, "end_s": None}]
    assert between(rows, 1.2, 2.0) == rows[2:]
    assert end_of(rows[3]) == 1.5


def test_every_analyzer_can_be_joined():
    joining = {name for name, cls in analyzer_classes().items() if cls.joins}
    ordinary = {n for n, cls in analyzer_classes().items() if cls.enabled_by_default} - joining
    assert ordinary <= set(ALL), f"add to ALL: {sorted(ordinary - set(ALL))}"
