"""Answers -> labels: which answers count, which of two counts for a series, and where labellers disagree.

Plain tables in and out; the columns of each are written down in the schemas below.
"""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from tsclust.answers import Answer, Answers

Schema = Mapping[str, pl.DataType]

TEXT, WHOLE, WHEN = pl.String(), pl.Int64(), pl.Datetime("us", "UTC")
# labels/answers.parquet: a row for each answer that was ever imported.
ANSWERS: Schema = {
    "answer": WHOLE, "file": TEXT, "labeller": TEXT, "report": TEXT, "report_id": TEXT, "saved_at": WHEN,
    "group": WHOLE, "size": WHOLE, "members_hash": TEXT, "verdict": TEXT, "kind": TEXT, "sure": TEXT, "comment": TEXT,
    "labelled_at": WHEN, "in_force": pl.Boolean(),
}  # fmt: skip
# labels/labels.parquet: a row for each series and labeller. series_id is of the type it has in series/.
LABELS: Schema = {
    "labeller": TEXT, "verdict": TEXT, "kind": TEXT, "sure": TEXT, "comment": TEXT, "report": TEXT, "group": WHOLE,
    "labelled_at": WHEN,
}  # fmt: skip
OWN_KINDS = {"normal": "normal", "bad_recording": "bad recording", "dont_know": "don't know", "mixed": "mixed"}
UNNAMED = "malfunction"
SAID = ("malfunction", "normal", "bad_recording")  # verdicts that say what a series is


def rows(answers: Answers, file: str) -> pl.DataFrame:
    """The answers of a file, first those about groups, then those about single series, as of ANSWERS."""
    shared = {
        "file": file, "labeller": _tidy(answers.labeller), "report": answers.report.name,
        "report_id": answers.report.id, "saved_at": answers.saved_at, "in_force": True,
    }  # fmt: skip
    of_groups = [{"group": a.group, "size": a.size, "members_hash": a.members_hash} | _said(a) for a in answers.groups]
    of_series = [{"group": None, "size": 1, "members_hash": None} | _said(a) for a in answers.series]
    found = [shared | {"answer": n} | row for n, row in enumerate((*of_groups, *of_series))]
    return pl.DataFrame(found, schema=dict(ANSWERS))


def _said(answer: Answer) -> dict[str, object]:
    verdict = answer.verdict
    own = _tidy(answer.kind) or UNNAMED if verdict == "malfunction" else OWN_KINDS[verdict] if verdict else None
    taken = verdict == "malfunction" and own in OWN_KINDS.values()  # a malfunction is not normal, whatever its name
    return {
        "verdict": verdict, "kind": f"{own} ({UNNAMED})" if taken else own, "sure": answer.sure,
        "comment": answer.comment.strip(), "labelled_at": answer.answered_at,
    }  # fmt: skip


def _tidy(text: str) -> str:
    """Without spaces that nobody sees."""
    return " ".join(text.split())


def in_force(answers: pl.DataFrame) -> pl.DataFrame:
    """ANSWERS with `in_force` anew: of a labeller's files about one report the one saved last counts."""
    newest = pl.col("saved_at") == pl.col("saved_at").max().over("labeller", "report_id")
    return answers.with_columns(in_force=newest)


def spelled_alike(answers: pl.DataFrame) -> pl.DataFrame:
    """Kinds that differ in capitals alone are one: as they were first written."""
    first = pl.col("kind").sort_by("labelled_at", "answer").first()
    return answers.with_columns(kind=first.over(pl.col("kind").str.to_lowercase()))


def labels(answers: pl.DataFrame, members: pl.DataFrame) -> pl.DataFrame:
    """A row for each series and labeller, sorted by both: series_id and LABELS.

    members: answer, series_id of each series that an answer in force is about. Of several answers of one labeller
    that counts which says what the series is; then the one saved last; in one file, that about fewer series.
    """
    given = answers.filter("in_force", pl.col("verdict").is_not_null())
    said = pl.col("verdict").is_in(SAID) | (pl.col("size") == 1)
    given = given.with_columns(said=said).sort(
        "said", "saved_at", "size", "labelled_at", "answer", descending=[True, True, False, True, True]
    )
    ranked = given.with_row_index("rank").select("rank", "answer", *LABELS)
    found = members.join(ranked, on="answer").sort("rank").unique(["series_id", "labeller"], keep="first")
    return found.select("series_id", *LABELS).sort("series_id", "labeller")


def resolved(found: pl.DataFrame, resolve: str) -> pl.DataFrame:
    """One label a series, of labels that say what it is: series_id, kind, verdict, sure, labeller, labelled_at.

    resolve: `majority` or `newest`, or the labeller who decides; "" leaves out what labellers contradict each other in.
    With `majority` a draw is left out.
    """
    said = found.filter(pl.col("verdict").is_in(SAID))
    if resolve in ("", "majority"):
        votes = said.group_by("series_id", "kind").len("votes")
        most = pl.col("votes") == pl.col("votes").max().over("series_id") if resolve else pl.lit(1) == 1
        clear = votes.filter(most).filter(pl.len().over("series_id") == 1)
        said = said.join(clear, on=["series_id", "kind"], how="semi")
    first = said.with_columns(decides=pl.col("labeller") == resolve)
    first = first.sort("decides", "labelled_at", "labeller", descending=[True, True, False])
    names = ("series_id", "kind", "verdict", "sure", "labeller", "labelled_at")
    return first.unique("series_id", keep="first").select(names).sort("series_id")


def conflicts(found: pl.DataFrame) -> pl.DataFrame:
    """Where labellers say different things: said, series, a row for each combination, the most frequent first.

    said: `kind (labeller, ...); kind (labeller)`, in the order of the alphabet.
    """
    said = found.filter(pl.col("verdict").is_in(SAID))
    differ = said.filter(pl.col("kind").n_unique().over("series_id") > 1)
    who = differ.group_by("series_id", "kind").agg(pl.col("labeller").sort().str.join(", "))
    each = who.with_columns(one=pl.format("{} ({})", "kind", "labeller")).sort("kind")
    combined = each.group_by("series_id", maintain_order=True).agg(pl.col("one").str.join("; ").alias("said"))
    return combined.group_by("said").len("series").sort("series", "said", descending=[True, False])
