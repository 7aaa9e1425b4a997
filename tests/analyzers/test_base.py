from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from analyzers.base import Column, SchemaViolation, _schema_violation, table_of
from analyzers.run import run_analyzer
from tests.analyzers.made import brightness, made_video


@pytest.fixture
def video():
    return made_video()


@pytest.fixture
def result(video):
    return brightness().analyze(video, {})


def test_a_result_that_keeps_its_declaration_passes(video, result):
    brightness().check(result, video.grid)
    assert set(brightness().violations(result, video.grid).values()) == {""}


def _with_column(table, name, values):
    index = table.schema.get_field_index(name)
    return table.set_column(index, table.schema.field(name), pa.array(values, table[name].type))


@pytest.mark.parametrize(
    ("kind", "change", "says"),
    [
        (
            "schema",
            lambda r: {"observations": r.observations.drop_columns(["level"])},
            r"observations: columns",
        ),
        (
            "schema",
            lambda r: {
                "segments": r.segments.set_column(4, "level", pa.array([1, 2, 3], pa.int64()))
            },
            r"segments.level: type int64",
        ),
        (
            "schema",
            lambda r: {"segments": _with_column(r.segments, "level", [0.1, None, 0.2])},
            r"segments.level: 1 nulls",
        ),
        (
            "schema",
            lambda r: {"segments": _with_column(r.segments, "level", [0.1, np.nan, 0.2])},
            r"NaN",
        ),
        (
            "schema",
            lambda r: {"summary": {"level": np.inf}},
            r"summary.level: NaN or infinite",
        ),
        ("schema", lambda r: {"summary": {}}, r"summary"),
        ("schema", lambda r: {"summary": {"level": 0.1, "more": 1}}, r"undeclared columns"),
        ("coverage", lambda r: {"segments": r.segments.slice(0, 2)}, r"does not cover"),
        (
            "coverage",
            lambda r: {"segments": r.segments.take([0, 2, 1])},
            r"does not cover the video's 3 seconds",
        ),
        (
            "ranges",
            lambda r: {"segments": _with_column(r.segments, "level", [0.1, 1.5, 0.2])},
            r"segments.level: 1.5 is beyond 1.0",
        ),
        (
            "ranges",
            lambda r: {"segments": _with_column(r.segments, "word", ["dark", "dim", "dark"])},
            r"'dim' is none of dark, bright",
        ),
    ],
)
def test_each_kind_of_violation_is_named(video, result, kind, change, says):
    broken = replace(result, **change(result))
    assert brightness().violations(broken, video.grid)[kind]
    with pytest.raises(SchemaViolation, match=says):
        brightness().check(broken, video.grid)


def test_not_applicable_covers_every_second_and_says_why(video):
    answer = brightness().not_applicable(video, "no light")
    brightness().check(answer, video.grid)
    assert answer.segments.num_rows == 3
    assert answer.segments["level"].null_count == 3
    with pytest.raises(SchemaViolation, match="reason"):
        brightness().check(replace(answer, reason=None), video.grid)


def test_rows_with_undeclared_keys_are_refused():
    with pytest.raises(SchemaViolation, match=r"undeclared columns \['colour'\]"):
        table_of(brightness().observation_columns, [{"time_s": 0.0, "colour": 1}])


def test_numpy_scalars_become_table_values():
    table = table_of(
        brightness().observation_columns, [{"time_s": np.float64(1), "level": np.float32(0.5)}]
    )
    assert table.to_pylist() == [{"time_s": 1.0, "level": 0.5}]


def test_running_records_seconds_and_model_use(video):
    result, record = run_analyzer(brightness(), video, {})
    assert result.status == "ok"
    assert record.seconds > 0
    assert record.realtime_factor == pytest.approx(2.5 / record.seconds)
    (use,) = record.models
    assert (use.identity.model_id, use.calls, use.items) == ("mean", 1, len(video.analysis))


def test_a_missing_required_result_is_named(video):
    analyzer = brightness()
    analyzer.__class__ = type("Needy", (type(analyzer),), {"requires": ("speech_transcription",)})
    with pytest.raises(LookupError, match="needs the results of speech_transcription"):
        run_analyzer(analyzer, video, {})


@pytest.mark.parametrize("size", [-1, 2])
def test_a_number_that_json_cannot_say_is_found_inside_of_lists(size):
    column = Column("shares", pa.list_(pa.float32(), size), "Some shares")
    good = table_of([column], [{"shares": [0.5, None]}, {"shares": [0.1, 0.2]}])
    bad = table_of([column], [{"shares": [0.5, np.nan]}])
    assert _schema_violation("segments", good, [column], nulls_allowed=False) == ""
    told = _schema_violation("segments", bad, [column], nulls_allowed=False)
    assert told.startswith("segments.shares: NaN or infinite")
