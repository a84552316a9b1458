"""The file that an expert sends back, version 1: what is in it, and whether it is whole.

Its checksum is the CRC-32 of all else as compact JSON (no spaces, UTF-8), in the order in which it stands in the file:
spaces and line breaks may change on the way, nothing else.
"""

from __future__ import annotations

import json
import zlib
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

FORMAT: Literal["tsclust-answers"] = "tsclust-answers"
VERSION: Literal[1] = 1
KIND, COMMENT, LABELLER = 200, 2_000, 100  # characters at most
NAME = r"^[\w.-]{1,80}$"  # of a report

Verdict = Literal["malfunction", "normal", "bad_recording", "dont_know", "mixed"]
Sure = Literal["certain", "likely", "guess"]
VERDICTS: tuple[Verdict, ...] = ("malfunction", "normal", "bad_recording", "dont_know", "mixed")
SURE: tuple[Sure, ...] = ("certain", "likely", "guess")

Hash = Annotated[str, Field(pattern=r"^[0-9a-f]{8,64}$")]
SeriesId = Annotated[str, Field(max_length=100_000)]
Text = Annotated[str, Field(max_length=COMMENT)]
Whole = Annotated[int, Field(strict=True, ge=0, le=2**53)]


class Part(BaseModel):
    """A part of the file: a key we do not know is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ReportAsked(Part):
    """The report that was answered: hashes of what it asked, and of the model (clusters/) that it shows."""

    id: Hash
    name: Annotated[str, Field(pattern=NAME)]
    model: Hash


class GroupAsked(Part):
    """A group: where its members stand in clusters/, how many there are, and the fingerprint of their ids.

    group is its number; None for a cluster of one model. within is the group of a drill-down; None for the main sweep.
    """

    group: Whole | None
    within: Whole | None
    k: Whole
    cluster: Whole
    size: Whole
    members_hash: Hash


class GroupAnswer(GroupAsked):
    """What the expert says of a group: verdict None where only something was noted or marked.

    kind         the malfunction's name, "" where it has none
    not_members  ids, as text, of series that do not belong to the group
    """

    verdict: Verdict | None
    kind: Annotated[str, Field(max_length=KIND)]
    sure: Sure | None
    comment: Text
    not_members: Annotated[tuple[SeriesId, ...], Field(max_length=1_000)]
    answered_at: AwareDatetime


class Objection(Part):
    """Series that a rule rejects and the expert says are of a real run."""

    rule: Annotated[str, Field(max_length=40)]
    series_ids: Annotated[tuple[SeriesId, ...], Field(max_length=1_000)]
    comment: Text


class Answers(Part):
    """One expert's answers to one report."""

    format: Literal["tsclust-answers"]
    version: Literal[1]
    report: ReportAsked
    lang: Literal["en", "ru"]
    labeller: Annotated[str, Field(min_length=1, max_length=LABELLER)]
    started_at: AwareDatetime
    saved_at: AwareDatetime
    groups: Annotated[tuple[GroupAnswer, ...], Field(max_length=100_000)]
    objections: Annotated[tuple[Objection, ...], Field(max_length=1_000)]
    checksum: Annotated[str, Field(pattern=r"^[0-9a-f]{8}$")]


def checksum(body: dict[str, Any]) -> str:
    """Of the answers without their checksum, as they stand in the file. UnicodeEncodeError for what is no text."""
    compact = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    return f"{zlib.crc32(compact.encode()):08x}"
