"""Fields that go through with a recording, whatever they are: none of them holds up the others."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from tsclust.config.stream import Stream
from tsclust.stages.labels.kinds import NONE_OF_THESE
from tsclust.stream import desk
from tsclust.stream.desk import Finished, Scoring
from tsclust.stream.incoming import Incoming
from tsclust.stream.judging import Judged, Verdict
from tsclust.stream.messages import Known, Raw, Recording
from tsclust.stream.whole import Whole
from tsclust.wording.language import Language

NOW = datetime(2026, 3, 4, tzinfo=UTC)


class Double:
    """In the place of what is not asked here."""

    scorer = None

    def alarms(self) -> list[object]:
        return []


def deep(n: int) -> Any:
    return json.loads("[" * n + "]" * n)


def unknown(at: int, **carried: Any) -> Verdict:
    return Verdict(Recording(f"t/0/{at}", b"k", {"series_id": at, "values": [1.0], **carried}, 0, b"{}"), {
        "said": NONE_OF_THESE, "kind": "none",
    })  # fmt: skip


def taken(monkeypatch: pytest.MonkeyPatch, verdicts: Sequence[Verdict], **more: Any) -> Finished:
    """What the desk makes of these verdicts."""
    settings, double = Stream(topic="t", to_topic="v", **more), Double()
    monkeypatch.setattr(desk, "judge", lambda *_: Judged(list(verdicts)))
    at: Any = double
    scoring = Scoring(settings, at, Language.load("en"), Whole(settings), (), at, at)
    raws = [Raw(0, i, b"k", b'{"series_id": 1, "values": [1]}', 0) for i in range(len(verdicts))]
    found = scoring.take(raws, Known())
    assert found is not None
    return found


def test_what_json_cannot_hold_is_unreadable_and_its_neighbours_get_their_verdicts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found = taken(monkeypatch, [unknown(0), unknown(1, meta=deep(300)), unknown(2)])
    assert [(one.source, "as JSON" in one.reason) for one in found.unreadable] == [("t/0/1", True)]
    assert [(one.topic, dict(one.headers)["tsclust-source"]) for one in found.outs] == [
        ("t-unreadable", b"t/0/1"), ("v", b"t/0/0"), ("v", b"t/0/2"),
    ]  # fmt: skip


def test_what_was_passed_over_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    settings, at = Stream(topic="t", to_topic="v"), Double()
    monkeypatch.setattr(desk, "judge", lambda _, fresh, *__: Judged([unknown(0)] * len(fresh)))
    given: Any = at
    scoring = Scoring(settings, given, Language.load("en"), Whole(settings), (), given, given)
    raws = [Raw(0, i, b"k", text, 0) for i, text in enumerate([b'{"series_id": 1, "values": [1]}'] * 3 + [b"?"] * 2)]
    found = scoring.take(raws, Known({"t/0/1", "t/0/4"}))
    assert found is not None
    assert (found.known, len(found.outs)) == (2, 3)


@pytest.mark.parametrize(("key", "lot"), [(600_000, 400_000), (10_000_000, 0), (0, 900_000)])
def test_what_a_broker_would_not_take_is_unreadable_by_its_key_and_headers_too(
    monkeypatch: pytest.MonkeyPatch, key: int, lot: int
) -> None:
    large = unknown(1, lot="x" * lot)
    found = taken(monkeypatch, [unknown(0), replace(large, of=replace(large.of, key=b"k" * key))])
    assert [(one.source, "expected at most 900,000" in one.reason) for one in found.unreadable] == [("t/0/1", True)]
    (dead,) = (one for one in found.outs if one.topic == "t-unreadable")
    assert (dead.key, dict(dead.headers).get("tsclust-key-size")) == (
        b"k" * min(key, 100_000), str(key).encode() if key > 100_000 else None
    )  # fmt: skip
    assert max(one.size for one in found.outs) < 900_000
    assert {dict(one.headers)["tsclust-group"] for one in found.outs} == {b"tsclust"}


@pytest.mark.parametrize(
    ("carried", "kept"),
    [({}, "{}"), ([{}], "[{}]"), ({"a": {}}, '{"a":{}}'), (deep(300), "Recursion"), ({"a": 1}, {"a": 1}), (None, None)],
)
def test_what_parquet_cannot_hold_is_kept_as_text(tmp_path: Path, carried: Any, kept: Any) -> None:
    Incoming(tmp_path / "incoming").put([unknown(0, meta=carried, lot=7)], NOW)
    (path,) = (tmp_path / "incoming").glob("*.parquet")
    (row,) = pq.read_table(path).to_pylist()
    assert row["lot"] == 7
    assert row["meta"] == kept or (kept == "Recursion" and "ecursion" in row["meta"])
