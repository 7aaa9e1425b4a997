from typing import Any

import pyarrow as pa

from analyzers.base import AnalysisResult
from analyzers.methods.picture.brand_text import brand_of, lines_on, names_elsewhere

NONE = pa.table({"_": pa.nulls(0)})
CAN = [{"time_s": 0.2 * i, "x1": 0.4, "y1": 0.4, "x2": 0.6, "y2": 0.8} for i in range(10)]


def line(text: str, **changed: Any) -> dict[str, Any]:
    row = {
        "time_s": 0.0, "end_s": 2.0, "text": text, "role": "scene_text", "confidence": 0.95,
        "x1": 0.45, "y1": 0.5, "x2": 0.55, "y2": 0.55,
    }  # fmt: skip
    return row | changed


def result(rows: list[dict[str, Any]]) -> AnalysisResult:
    return AnalysisResult(pa.Table.from_pylist(rows), NONE, {})


def test_lines_lie_on_the_thing_while_it_is_there() -> None:
    texts = result(
        [
            line("Zorbo"),
            line("beside it", x1=0.1, x2=0.3),
            line("half on it", x1=0.3, x2=0.5),
            line("later", time_s=3.0, end_s=4.0),
            line("laid over", role="caption"),
            line("guessed", confidence=0.5),
            line("5 ml"),
        ]
    )
    assert lines_on(CAN, texts) == [(0, "Zorbo")]
    assert lines_on(CAN, None) == []


def test_a_line_is_on_a_thing_that_moves_only_while_it_is_under_it() -> None:
    away = [{**row, "x1": row["x1"] - 0.4, "x2": row["x2"] - 0.4} for row in CAN[3:]]
    assert lines_on([*CAN[:3], *away], result([line("Zorbo")])) == []


def test_accounts_and_spoken_names_are_names_and_hashtags_are_not() -> None:
    metadata = {
        "author": "Zorbo Official",
        "caption": "the new one from @frizzle #shampoo",
        "hashtags": ["shampoo"],
    }
    words = [("Buy", 0), ("a", 0), ("Nimbo", 0), ("now", 0), ("Shampoo", 1), ("I", 1)]
    transcript = result([{"word": w, "sentence": s} for w, s in words])
    texts = result([line("with @quaffle", role="caption")])
    named = names_elsewhere(metadata, texts, transcript)
    assert named == {
        "zorbo": "metadata/author",
        "official": "metadata/author",
        "frizzle": "metadata/caption",
        "quaffle": "text_overlay/0",
        "nimbo": "speech_transcription/2",
    }
    assert names_elsewhere({}, None, None) == {}


def test_a_brand_needs_a_name_elsewhere_that_is_no_common_word() -> None:
    named = {"zorbo": "metadata/author", "coffee": "metadata/author"}
    common = frozenset({"coffee"})
    assert brand_of([(4, "FRESH"), (7, "ZORBO cola")], named, common) == (
        "ZORBO",
        ["text_overlay/7", "metadata/author"],
    )
    assert brand_of([(4, "COFFEE")], named, common) == (None, [])
    assert brand_of([(4, "Fresh")], named, common) == (None, [])
