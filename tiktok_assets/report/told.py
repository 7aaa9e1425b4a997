"""What the document tells of a video, and the rows behind it, section by section."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pyarrow as pa

from analyzers.base import AnalysisResult
from analyzers.registry import analyzer_classes
from resources.result_store import ResultMissing, ResultStore


class OlderResult(Exception):
    """The page needs a column that an older version of an analyzer did not write."""

    def __init__(self, analyzer: str, field: str, column: str) -> None:
        super().__init__(f"{analyzer} without {column}")
        self.analyzer, self.field, self.column = analyzer, field, column


@dataclass(frozen=True)
class Lacking:
    """Columns that every row of an analyzer has today, and those of a stored result have not."""

    analyzer: str
    #: Of the summary; "" for observations.
    field: str
    columns: frozenset[str]


class Row(dict[str, Any]):
    """A row by column; an optional one that an older version did not have is None.

    Raises `OlderResult` for one that is not optional.
    """

    def __init__(self, columns: Mapping[str, Any] = {}, lacking: Lacking | None = None) -> None:
        super().__init__(columns)
        self.lacking = lacking

    def __missing__(self, column: str) -> None:
        if self.lacking and column in self.lacking.columns:
            raise OlderResult(self.lacking.analyzer, self.lacking.field, column)

    def but(self, **changed: Any) -> Row:
        """The same row with other columns."""
        return Row({**self, **changed}, self.lacking)


class Told:
    """The document of one video, and the results it was made of.

    An analyzer that failed has neither summary nor rows here, whatever older result stands.
    """

    def __init__(self, document: Mapping[str, Any], results: ResultStore) -> None:
        self.about: dict[str, Any] = document["metadata"]
        self.source: dict[str, Any] = self.about["source"]
        self.entries: dict[str, dict[str, Any]] = document["analyzer_results"]
        self._results = results
        self._read: dict[str, AnalysisResult | None] = {}
        self._rows: dict[str, list[Row]] = {}
        self._left_out: set[tuple[str, str]] = set()
        #: By analyzer, why rows that the document counts could not be read.
        self.unread: dict[str, str] = {}

    @property
    def video_id(self) -> str:
        """The video's id."""
        return self.source["video_id"]

    @property
    def end_s(self) -> float:
        """The video's length in seconds."""
        return max(self.source["end_s"], 1e-3)

    @cached_property
    def said(self) -> dict[str, Any]:
        """What a sidecar or the file itself says of it."""
        return self.source["metadata"]

    def ok(self, name: str) -> bool:
        """Whether an analyzer found something."""
        return self.entries.get(name, {}).get("status") == "ok"

    def value(self, name: str, field: str) -> Any:
        """A field of an analyzer's summary; None where there is none."""
        return self.entries[name]["summary"].get(field) if self.ok(name) else None

    def values(self, name: str, field: str) -> list[Any]:
        """The same, of a field that is a list."""
        found = self.value(name, field) or []
        if (name, field) in self._left_out:
            return []
        if not found or not isinstance(found[0], dict):
            return found
        lacking = Lacking(name, field, frozenset(_parts(name, field) - found[0].keys()))
        return [Row(record, lacking) for record in found]

    def seconds(self, name: str, column: str) -> list[Any]:
        """A column of an analyzer's segments, a value a second; empty where there is none."""
        if not self.ok(name):
            return []
        return [row.get(column) for row in self.entries[name].get("segments") or ()]

    def rows(self, name: str) -> list[Row]:
        """An analyzer's observations in order of time."""
        if name not in self._rows:
            result = self._result(name)
            table = result.observations if result else pa.table({})
            lacking = Lacking(name, "", frozenset(_required(name) - {*table.column_names}))
            self._rows[name] = [Row(row, lacking) for row in table.to_pylist()]
        return [] if (name, "") in self._left_out else self._rows[name]

    def table(self, name: str, columns: Iterable[str]) -> pa.Table | None:
        """Some columns of an analyzer's observations; None where it has not all of them."""
        result, columns = self._result(name), list(columns)
        if result is None or not {*columns} <= {*result.observations.column_names}:
            return None
        return result.observations.select(columns)

    def file(self, name: str, suffix: str) -> bytes | None:
        """One of an analyzer's further files."""
        try:
            return self._results.read_file(name, self.video_id, suffix) if self.ok(name) else None
        except FileNotFoundError:
            return None

    def why_not(self, name: str) -> str:
        """Why an analyzer has nothing to show, in a sentence; "" where it is switched off."""
        entry = self.entries.get(name)
        if entry is None:
            return ""
        why = entry.get("reason") or entry.get("error") or "it found nothing"
        # An error names its analyzer already.
        named = entry["status"] in ("ok", "not_applicable") or str(why).startswith(name)
        return str(why) if named else f"{name} {entry['status']}: {why}"

    def notices(self, *names: str) -> list[str]:
        """What people must be told wherever these analyzers' results are shown, each once."""
        found = [self.entries[n].get("notice", "") for n in names if n in self.entries]
        return [notice for notice in dict.fromkeys(found) if notice]

    def leave_out(self, older: OlderResult) -> None:
        """Show nothing of what lacks what the page needs, and say so in `unread`."""
        self._left_out.add((older.analyzer, older.field))
        self.unread[older.analyzer] = (
            f"{older.analyzer} of {self.video_id} was made by an older version, without "
            f"{older.column}, and is not all shown; materialize {older.analyzer} again"
        )

    def _result(self, name: str) -> AnalysisResult | None:
        if name not in self._read:
            self._read[name] = None
            if self.ok(name):
                try:
                    self._read[name] = self._results.read(name, self.video_id, with_files=False)
                except ResultMissing as error:
                    self.unread[name] = str(error)
        return self._read[name]


def _required(name: str) -> set[str]:
    """The columns that every row of an analyzer of today has."""
    cls = analyzer_classes().get(name)
    return {c.name for c in cls.observation_columns if not c.nullable} if cls else set()


def _parts(name: str, field: str) -> set[str]:
    """The parts of a summary field's records, where it is a list of such."""
    cls = analyzer_classes().get(name)
    types = {c.name: c.type for c in cls.summary_columns} if cls else {}
    kind = types.get(field)
    if kind is None or not pa.types.is_list(kind) or not pa.types.is_struct(kind.value_type):
        return set()
    return {part.name for part in kind.value_type}
