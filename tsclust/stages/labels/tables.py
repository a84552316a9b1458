"""The tables of labels/: the only place that spells their columns for other rooms; `files` reads and writes them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from tsclust.series import ID

Schema = Mapping[str, pl.DataType]

TEXT, WHOLE, WHEN = pl.String(), pl.Int64(), pl.Datetime("us", "UTC")
# labels/files.parquet: a row for each file that was ever imported.
FILES: Schema = {
    "sha256": TEXT, "file": TEXT, "labeller": TEXT, "report": TEXT, "report_id": TEXT, "saved_at": WHEN,
    "in_force": pl.Boolean(),
}  # fmt: skip
# labels/answers.parquet: a row for each answer in them.
ANSWERS: Schema = {
    "answer": WHOLE, "sha256": TEXT, "file": TEXT, "labeller": TEXT, "report": TEXT, "saved_at": WHEN, "group": WHOLE,
    "size": WHOLE, "members_hash": TEXT, "verdict": TEXT, "kind": TEXT, "sure": TEXT, "comment": TEXT,
    "labelled_at": WHEN, "in_force": pl.Boolean(),
}  # fmt: skip
# labels/objections.parquet: a row for each series that an expert says is real though a rule rejects it.
OBJECTIONS: Schema = {
    "sha256": TEXT, "labeller": TEXT, "report": TEXT, "rule": TEXT, ID: TEXT, "comment": TEXT,
    "in_force": pl.Boolean(),
}  # fmt: skip
# labels/labels.parquet: a row for each series and labeller. series_id is of the type it has in series/.
LABELS: Schema = {
    "labeller": TEXT, "verdict": TEXT, "kind": TEXT, "sure": TEXT, "comment": TEXT, "report": TEXT, "group": WHOLE,
    "size": WHOLE, "labelled_at": WHEN,
}  # fmt: skip


@dataclass(frozen=True)
class LabelTables:
    """Everything labels/ is made of.

    files       a row per file imported: FILES
    answers     a row per answer: ANSWERS
    members     answer, series_id: of the answers in force
    objections  a row per series that an expert says is real though a rule rejects it: OBJECTIONS
    """

    files: pl.DataFrame
    answers: pl.DataFrame
    members: pl.DataFrame
    objections: pl.DataFrame

    @classmethod
    def empty(cls, ids: pl.DataType) -> LabelTables:
        """Before the first import; ids: the type of a series_id in series/."""
        schemas = (FILES, ANSWERS, {"answer": WHOLE, ID: ids}, OBJECTIONS)
        return cls(*(pl.DataFrame(schema=dict(schema)) for schema in schemas))

    @property
    def hashes(self) -> frozenset[str]:
        """sha256 of every file that was ever imported."""
        return frozenset(self.files["sha256"])

    @property
    def reviewed(self) -> pl.Series:
        """series_id of those that an expert has looked at one by one."""
        about_one = pl.col("members_hash").is_null() & pl.col("verdict").is_not_null()
        single = self.answers.filter("in_force", about_one)
        return self.members.join(single, on="answer", how="semi")[ID]


def no_labels(ids: pl.DataType) -> pl.DataFrame:
    """labels.parquet without a row; ids: the type of a series_id in series/."""
    return pl.DataFrame(schema={ID: ids, **LABELS})


def labellers(labels: pl.DataFrame) -> list[str]:
    """Who gave these labels, in the order of the alphabet."""
    return sorted(labels["labeller"].unique())


def count_kinds(labels: pl.DataFrame) -> pl.DataFrame:
    """kind, count of the labels, the most frequent first."""
    return labels["kind"].value_counts().sort("count", "kind", descending=[True, False])


def verdicts(labels: pl.DataFrame) -> dict[str, str]:
    """kind -> verdict, as the first label of that kind has it."""
    return dict(labels.select("kind", "verdict").unique("kind", keep="first").iter_rows())
