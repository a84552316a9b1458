"""Recordings -> verdicts: the same as `tsclust score` says of the same series."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import orjson
import pyarrow as pa

from tsclust.errors import TsclustError
from tsclust.pipeline.unusual import UNUSUAL, judged
from tsclust.series import ID, VALUES
from tsclust.stages.features.parts import REJECTED_BY
from tsclust.stages.scores import json_series, parts
from tsclust.stages.scores.scorer import Scorer, Scores
from tsclust.stream.messages import LAST, SOURCE, Out, Recording, Unreadable
from tsclust.wording.language import Language

LIMIT = "[stream] longest"
OURS = "tsclust met an error of its own with this recording"
LABELS = (*parts.COLUMNS[1:], UNUSUAL, parts.SCORED_AT)  # of a verdict, in its order


@dataclass(frozen=True)
class Verdict:
    """What is said of a recording: row has the columns of LABELS but `scored_at`."""

    of: Recording
    row: Mapping[str, Any]

    @property
    def said(self) -> str:
        return str(self.row[parts.SAID])


@dataclass(frozen=True)
class Judged:
    """verdicts, and the scores that they come from, which drift is measured by."""

    verdicts: list[Verdict] = field(default_factory=list)
    scores: list[Scores] = field(default_factory=list)
    unreadable: list[Unreadable] = field(default_factory=list)

    def __add__(self, other: Judged) -> Judged:
        return Judged(
            self.verdicts + other.verdicts, self.scores + other.scores, self.unreadable + other.unreadable
        )  # fmt: skip


def judge(scorer: Scorer, recordings: Sequence[Recording], longest: int, words: Language) -> Judged:
    """Verdicts on recordings, float32 and float64 apart: what one of them breaks costs no other its verdict."""
    single = [one for one in recordings if getattr(one.fields.get(VALUES), "dtype", None) == "float32"]
    double = [one for one in recordings if getattr(one.fields.get(VALUES), "dtype", None) != "float32"]
    found = Judged()
    for alike in (single, double):
        if alike:
            found += _judge(scorer, alike, longest, words)
    return found


def _judge(scorer: Scorer, recordings: Sequence[Recording], longest: int, words: Language) -> Judged:
    try:
        return _together(scorer, recordings, longest, words)
    except (OSError, MemoryError):
        raise
    except Exception as error:  # noqa: BLE001  whatever it is, it is of one recording
        if len(recordings) == 1:
            return Judged(unreadable=[refused(recordings[0], str(error) if _is_ours(error) else OURS)])
        middle = len(recordings) // 2
        halves = (recordings[:middle], recordings[middle:])
        return _judge(scorer, halves[0], longest, words) + _judge(scorer, halves[1], longest, words)


def _is_ours(error: Exception) -> bool:
    return isinstance(error, TsclustError)


def _together(scorer: Scorer, recordings: Sequence[Recording], longest: int, words: Language) -> Judged:
    trained = scorer.model.facts.feature_contract.carried or {}
    carried = {name: trained.get(name, "null") for name in scorer.carried}
    rows = json_series.rows_of([one.fields for one in recordings], carried, longest, LIMIT)
    unreadable = [refused(recordings[row], why) for row, why in sorted(rows.errors.items())]
    if not len(rows.rows):
        return Judged(unreadable=unreadable)
    scores, table = judged(scorer, rows.table, words)
    said = table.drop_columns([ID]).to_pylist()
    verdicts = [Verdict(recordings[at], row) for at, row in zip(rows.rows, said, strict=True)]
    return Judged(verdicts, [scores], unreadable)


def refused(one: Recording, why: str) -> Unreadable:
    """No verdict on it: the message that it came in, or one of JSON in the place of many."""
    raw = one.raw if one.last is None else text_of(dict(one.fields)).encode()
    return Unreadable(one.source, one.key, raw, why[:500], one.last)


def out_of(topic: str, verdict: Verdict, scored_at: datetime) -> Out:
    """The message of a verdict: what came, but for the values, and what is said of it; NaN becomes null.

    Raises TypeError for what JSON cannot hold: objects in objects, hundreds deep.
    """
    content = {**verdict.of.fields, **verdict.row, parts.SCORED_AT: scored_at.isoformat(timespec="milliseconds")}
    del content[VALUES]
    headers = [(SOURCE, verdict.of.source.encode())]
    if verdict.of.last is not None:
        headers.append((LAST, str(verdict.of.last).encode()))
    return Out(topic, verdict.of.key, orjson.dumps(content, default=text_of), tuple(headers))


def overwritten(recording: Recording) -> list[str]:
    """Fields that came and have the name of one of the verdict's: that one counts."""
    return [name for name in LABELS if name in recording.fields]


def text_of(value: Any) -> str:
    """What Arrow carries and JSON has no name for, or Parquet no place: objects as JSON, others as they are shown."""
    if isinstance(value, dict | list):
        try:
            return orjson.dumps(value, default=text_of).decode()
        except TypeError as error:
            return str(error)  # nested too deep
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)


def table_of(verdicts: Sequence[Verdict], scored_at: datetime, *, text: bool) -> pa.Table:
    """The columns of scores/ and `scored_at`, for a table in PostgreSQL: the last verdict on an id counts. text: ids
    are."""
    last = {str(one.of.fields[ID]) if text else one.of.fields[ID]: one for one in verdicts}
    rows = [one.row for one in last.values()]
    columns: dict[str, Any] = {ID: pa.array(list(last))}
    kinds = {"probability": pa.float64(), "novelty": pa.float64()}
    names = (parts.SAID, parts.KIND, "probability", "novelty", REJECTED_BY, "model")
    columns |= {name: pa.array([row[name] for row in rows], kinds.get(name, pa.string())) for name in names}
    columns[parts.SCORED_AT] = pa.repeat(pa.scalar(scored_at, pa.timestamp("us", "UTC")), len(rows))
    return pa.table(columns)
