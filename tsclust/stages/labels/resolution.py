"""Answers -> labels: which answers count, which of two counts for a series, and where labellers disagree.

Plain tables in and out; their columns are those of `tables`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

import polars as pl

from tsclust.series import ID
from tsclust.stages.labels.answers import Answer, Answers, Objection
from tsclust.stages.labels.kinds import DECIDED, OWN_KINDS, RESERVED, UNNAMED, WAYS
from tsclust.stages.labels.tables import ANSWERS, FILES, LABELS, OBJECTIONS
from tsclust.wording.names import first_spellings, fold, looks, tidy

RESERVED_LOOKS = frozenset[str]().union(*map(looks, RESERVED))
WIDER = 2  # times the series of a group: one of up to that size may be the same group, after new data


@dataclass(frozen=True)
class Rows:
    """What a file of answers says, as rows of the tables: FILES (one), ANSWERS and OBJECTIONS."""

    file: pl.DataFrame
    answers: pl.DataFrame
    objections: pl.DataFrame

    @classmethod
    def of(cls, answers: Answers, file: str, sha256: str, now: datetime) -> Rows:
        """First the answers about groups, then those about single series. A time that is yet to come is `now`: the
        clock that said so was wrong, and would outlive every correction."""
        who, saved_at = tidy(answers.labeller), min(answers.saved_at, now)
        shared = {"sha256": sha256, "file": file, "labeller": who, "report": answers.report.name, "saved_at": saved_at}
        shared["in_force"] = True
        about = [{"group": a.group, "size": a.size, "members_hash": a.members_hash} for a in answers.groups]
        about += [{"group": None, "size": 1, "members_hash": None} for _ in answers.series]
        said = [_said(answer, now) | _by(answer, who) for answer in (*answers.groups, *answers.series)]
        rows = [shared | {"answer": n} | a | s for n, (a, s) in enumerate(zip(about, said, strict=True))]
        objections = [
            shared | {"rule": one.rule, ID: series_id, "comment": one.comment} | _by(one, who)
            for one in answers.objections for series_id in (one.series_ids or ("",))
        ]  # fmt: skip
        return cls(
            pl.DataFrame([shared | {"report_id": answers.report.id}], dict(FILES)), pl.DataFrame(rows, dict(ANSWERS)),
            pl.DataFrame(objections, dict(OBJECTIONS)).unique(maintain_order=True),
        )  # fmt: skip


def _by(answer: Answer | Objection, who: str) -> dict[str, str]:
    """Whose answer it is, in a file that `who` saved."""
    return {"labeller": tidy(answer.labeller or who)}


def _said(answer: Answer, now: datetime) -> dict[str, object]:
    verdict = answer.verdict
    own = tidy(answer.kind) or UNNAMED if verdict == "malfunction" else OWN_KINDS[verdict] if verdict else None
    taken = verdict == "malfunction" and not RESERVED_LOOKS.isdisjoint(looks(str(own)))
    return {
        "verdict": verdict, "kind": f"{own} ({UNNAMED})" if taken else own, "sure": answer.sure,
        "comment": answer.comment.strip(), "labelled_at": min(answer.answered_at, now),
    }  # fmt: skip


def in_force(files: pl.DataFrame) -> pl.DataFrame:
    """FILES with `in_force` anew: of a labeller's files about one report the one saved last counts."""
    newest = pl.col("sha256").sort_by("saved_at", "sha256").last().over("labeller", "report_id")
    return files.with_columns(in_force=pl.col("sha256") == newest)


def counting(rows: pl.DataFrame, files: pl.DataFrame) -> pl.DataFrame:
    """ANSWERS or OBJECTIONS with `in_force` as that of their files; not what somebody else passed on, where there is a
    file about the same report that the labeller saved."""
    of_file = files.select("sha256", "in_force", "report_id", saved_by="labeller")
    found = rows.drop("in_force").join(of_file, on="sha256", maintain_order="left")
    own = files.select("labeller", "report_id", own=True).unique()
    found = found.join(own, on=["labeller", "report_id"], how="left", maintain_order="left")
    passed_on = (pl.col("labeller") != pl.col("saved_by")) & pl.col("own").is_not_null()
    return found.with_columns(pl.col("in_force") & ~passed_on).drop("report_id", "saved_by", "own")


def kinds_as_first_written(answers: pl.DataFrame) -> pl.DataFrame:
    """Kinds that are one name (`names.fold`) as they were first written, in an answer in force if there is."""
    ordered = answers.drop_nulls("kind").sort(~pl.col("in_force"), "labelled_at", "answer")
    return answers.with_columns(_as_first_written("kind", ordered))


def labellers_as_first_written(rows: pl.DataFrame, files: pl.DataFrame) -> pl.DataFrame:
    """FILES, ANSWERS or OBJECTIONS with labellers that are one name as the first of the files has it, or an answer that
    somebody passed on."""
    return rows.with_columns(_as_first_written("labeller", pl.concat([of.select("labeller") for of in (files, rows)])))


def _as_first_written(column: str, ordered: pl.DataFrame) -> pl.Expr:
    spellings = first_spellings(ordered[column].unique(maintain_order=True))
    return pl.col(column).replace_strict(spellings, return_dtype=pl.String) if spellings else pl.col(column)


def labels(answers: pl.DataFrame, members: pl.DataFrame) -> pl.DataFrame:
    """A row for each series and labeller, sorted by both: series_id and LABELS.

    members: answer, series_id of each series that an answer in force is about. Of several answers of one labeller
    those count that say what the series is, and of these that about the fewest series, whenever it was given: a large
    group's name takes nothing back of a small one's. Of answers in several files about sets of much the same size that
    counts which was given last: a file that is saved once more with old answers takes nothing back.
    """
    given = answers.filter("in_force", pl.col("verdict").is_not_null())
    given = given.with_columns(said=pl.col("verdict").is_in(DECIDED) | (pl.col("size") == 1))
    specific = given.sort("said", "size", "labelled_at", "answer", descending=[True, False, True, True])
    latest = given.sort("said", "labelled_at", "saved_at", "answer", descending=True)
    order = [each.select("answer").with_row_index(name) for name, each in (("narrow", specific), ("late", latest))]
    found = members.join(given.select("answer", "sha256", "said"), on="answer").join(order[0], on="answer")
    found = found.sort("narrow").unique([ID, "sha256"], keep="first").join(order[1], on="answer")
    found = found.join(given.select("answer", *LABELS), on="answer")
    fewest = pl.col("size").sort_by("narrow").first().over(ID, "labeller")
    found = found.filter(pl.col("said") == pl.col("said").any().over(ID, "labeller"))
    found = found.filter(pl.col("size") <= WIDER * fewest).sort("late")
    found = found.unique([ID, "labeller"], keep="first", maintain_order=True)
    return found.select(ID, *LABELS).sort(ID, "labeller")


def decider(resolve: str, labellers: Iterable[str]) -> str | None:
    """Who decides, as [labels] resolve says: nobody, a way or a labeller, as they write themselves; None: not there."""
    return {fold(name): name for name in (*labellers, "", *WAYS)}.get(fold(resolve))


def resolved(found: pl.DataFrame, resolve: str) -> pl.DataFrame:
    """One label a series, of labels that say what it is: series_id, kind, verdict, sure, labeller, labelled_at.

    resolve: `majority` or `newest`, or the labeller who decides; "" leaves out what labellers contradict each other in.
    With `majority` a draw is left out; so are malfunctions that nobody has named.
    """
    said = found.filter(pl.col("verdict").is_in(DECIDED)).with_columns(several=pl.col(ID).is_duplicated())
    names = (ID, "kind", "verdict", "sure", "labeller", "labelled_at")
    settled = _settled(said.filter("several"), resolve)
    both = pl.concat([said.filter(~pl.col("several")).select(names), settled.select(names)])
    return both.filter(pl.col("kind") != UNNAMED).sort(ID)


def _settled(found: pl.DataFrame, resolve: str) -> pl.DataFrame:
    """Of series with several labels each the one that counts, as `resolved` has it."""
    said = named_or_not(found)
    said = closest(said) if resolve in ("", *WAYS) else said
    if resolve in ("", "majority"):
        votes = said.group_by(ID, "kind").len("votes")
        most = pl.col("votes") == pl.col("votes").max().over(ID) if resolve else pl.lit(1) == 1
        clear = votes.filter(most).filter(pl.len().over(ID) == 1)
        said = said.join(clear, on=[ID, "kind"], how="semi")
    first = said.with_columns(decides=pl.col("labeller") == resolve)
    first = first.sort("decides", "labelled_at", "labeller", descending=[True, True, False])
    return first.unique(ID, keep="first")


def named_or_not(found: pl.DataFrame) -> pl.DataFrame:
    """Labels that say what the series is: a malfunction without a name agrees with every one that has a name."""
    said, unnamed = found.filter(pl.col("verdict").is_in(DECIDED)), pl.col("kind") == UNNAMED
    named = (pl.col("verdict") == "malfunction") & ~unnamed
    return said.filter(~unnamed | ~named.any().over(ID))


def closest(said: pl.DataFrame) -> pl.DataFrame:
    """Of labels those of who has looked at the series itself, where somebody has: a group's name weighs less."""
    itself = pl.col("size") == 1
    return said.filter(itself | ~itself.any().over(ID))


def conflicts(found: pl.DataFrame) -> pl.DataFrame:
    """Where labellers say different things: said, series, a row for each combination, the most frequent first.

    said: `kind (labeller, ...); kind (labeller)`, in the order of the alphabet.
    """
    said = closest(named_or_not(found))
    differ = said.filter(pl.col("kind").n_unique().over(ID) > 1)
    who = differ.group_by(ID, "kind").agg(pl.col("labeller").sort().str.join(", "))
    each = who.with_columns(one=pl.format("{} ({})", "kind", "labeller")).sort("kind")
    combined = each.group_by(ID, maintain_order=True).agg(pl.col("one").str.join("; ").alias("said"))
    return combined.group_by("said").len("series").sort("series", "said", descending=[True, False])
