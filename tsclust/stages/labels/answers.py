"""The file that an expert sends back, version 1: what is in it, and whether it is whole.

Its checksum is the CRC-32 of all else as compact JSON (no spaces, UTF-8), in the order in which it stands in the file:
spaces and line breaks may change on the way, nothing else.
"""

from __future__ import annotations

import json
import zlib
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from tsclust.errors import AnswersError
from tsclust.stages.clusters.parts import SHAPES
from tsclust.stages.labels.kinds import WAYS
from tsclust.wording.names import looks, tidy

FORMAT: Literal["tsclust-answers"] = "tsclust-answers"
VERSION: Literal[1] = 1
KIND, COMMENT, LABELLER = 200, 2_000, 100  # characters at most
NAME = r"^[\w.-]{1,80}$"  # of a report
RULE = r"^[a-z][a-z0-9_]{0,39}$"

Verdict = Literal["malfunction", "normal", "bad_recording", "dont_know", "mixed"]
Sure = Literal["certain", "likely", "guess"]
VERDICTS: tuple[Verdict, ...] = ("malfunction", "normal", "bad_recording", "dont_know", "mixed")
SURE: tuple[Sure, ...] = ("certain", "likely", "guess")

_WAYS_LOOK = frozenset[str]().union(*map(looks, WAYS))

AGAIN = "Ask its sender for the file again: the page keeps the answers"
WHERE = "Import it, unchanged, into the workspace that its report was made from"

Hash = Annotated[str, Field(pattern=r"^[0-9a-f]{8,64}$")]
SeriesId = Annotated[str, Field(max_length=100_000)]
NO_NUL = r"^[^\x00]*$"  # PostgreSQL has no place for it
Text = Annotated[str, Field(max_length=COMMENT, pattern=NO_NUL)]
Whole = Annotated[int, Field(strict=True, ge=0, le=2**53)]


def _in_utc(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("there is no such time in UTC") from None


Moment = Annotated[AwareDatetime, AfterValidator(_in_utc)]


def _somebody(name: str) -> str:
    if not tidy(name):
        raise ValueError("expected a name that can be seen")
    if not _WAYS_LOOK.isdisjoint(looks(name)):
        raise ValueError(f"{tidy(name)} is a reserved name (reserved: {', '.join(WAYS)})")
    return name


Labeller = Annotated[str, Field(max_length=LABELLER, pattern=NO_NUL), AfterValidator(_somebody)]


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

    group is its number; None for a cluster of one model. within is the group of a drill-down, or SHAPES; None for
    the sweep over features.
    """

    group: Whole | None
    within: Annotated[int, Field(strict=True, ge=SHAPES, le=2**53)] | None
    k: Whole
    cluster: Whole
    size: Whole
    members_hash: Hash


class Answer(Part):
    """What the expert says: verdict None where only something was noted or marked; kind "" where it has no name.

    labeller: who says it, where that is not who saved the file: from a colleague's file that was opened in the page.
    """

    verdict: Verdict | None
    kind: Annotated[str, Field(max_length=KIND, pattern=NO_NUL)]
    sure: Sure | None
    comment: Text
    answered_at: Moment
    labeller: Labeller | None = None


class GroupAnswer(GroupAsked, Answer):
    """Of a group. not_members: ids, as text, of series that do not belong to it."""

    not_members: Annotated[tuple[SeriesId, ...], Field(max_length=1_000)]


class SeriesAnswer(Answer):
    """Of one series."""

    series_id: SeriesId


class Objection(Part):
    """Series that a rule rejects and the expert says are of a real run."""

    rule: Annotated[str, Field(pattern=RULE)]
    series_ids: Annotated[tuple[SeriesId, ...], Field(max_length=1_000)]
    comment: Text
    labeller: Labeller | None = None


def _each_once(groups: tuple[GroupAnswer, ...]) -> tuple[GroupAnswer, ...]:
    found = Counter((one.within, one.k, one.cluster) for one in groups)
    if twice := next((place for place, count in found.items() if count > 1), None):
        within, k, cluster = twice
        inside = "" if within is None else " of shapes" if within == SHAPES else f" within group {within}"
        raise ValueError(f"cluster {cluster} of k = {k}{inside} is answered more than once")
    return groups


class Answers(Part):
    """Answers to one report, in the file that `labeller` saved."""

    format: Literal["tsclust-answers"]
    version: Literal[1]
    report: ReportAsked
    lang: Literal["en", "ru"]
    labeller: Labeller
    started_at: Moment
    saved_at: Moment
    groups: Annotated[tuple[GroupAnswer, ...], Field(max_length=100_000), AfterValidator(_each_once)]
    series: Annotated[tuple[SeriesAnswer, ...], Field(max_length=100_000)]
    objections: Annotated[tuple[Objection, ...], Field(max_length=1_000)]
    checksum: Annotated[str, Field(pattern=r"^[0-9a-f]{8}$")]


LARGEST = 20_000_000  # bytes of a file about the largest sweeps;
BASE, EACH = 10_000_000, 12_000  # about a smaller one: single series and objections, and for each of its clusters


@dataclass(frozen=True)
class Limits:
    """What a file can be about at most. clusters: in all models of both sweeps over all series, and of drill-downs."""

    clusters: int

    @property
    def size(self) -> int:
        """Bytes of a file."""
        return min(LARGEST, BASE + EACH * self.clusters)


def parse(name: str, content: bytes, limits: Limits) -> Answers:
    """The answers in the file `name`. Raises AnswersError that says what is wrong with it."""
    if len(content) > limits.size:
        raise AnswersError(f"{name} has more than {limits.size:,} bytes, the most that is read", AGAIN)
    body = _as_json(name, content)
    if not isinstance(body, dict) or body.get("format") != FORMAT:
        raise AnswersError(f"{name} is not an answers file", "Use a file saved with `Save answers` in a report")
    if body.get("version") != VERSION:
        known = f"{name} has version {str(body.get('version'))[:20]}: this tsclust reads {VERSION}"
        raise AnswersError(known, "Use the tsclust that made the report, or a newer one")
    if isinstance(groups := body.get("groups"), list) and len(groups) > limits.clusters:
        known = f"{name} answers {len(groups):,} groups: the sweeps of this workspace have {limits.clusters:,} clusters"
        raise AnswersError(known, WHERE)
    try:
        answers = Answers.model_validate(body)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        why = first["msg"].removeprefix("Value error, ")
        raise AnswersError(f"{name}: {where} is not valid: {why}", AGAIN) from None
    del body["checksum"]
    if checksum(body) != answers.checksum:
        raise AnswersError(f"{name} was changed after it was saved: its checksum differs", AGAIN)
    return answers


def _as_json(name: str, content: bytes) -> Any:
    try:
        return json.loads(content.decode("utf-8-sig"))
    except UnicodeError:
        raise AnswersError(f"{name} is not UTF-8 text", AGAIN) from None
    except (ValueError, RecursionError):
        raise AnswersError(f"{name} is cut off, or not JSON at all", AGAIN) from None


def checksum(body: dict[str, Any]) -> str:
    """Of the answers without their checksum, as they stand in the file."""
    compact = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    return f"{zlib.crc32(compact.encode('utf-8', 'surrogatepass')):08x}"
