"""A workspace -> what the report says, in one pass over the parts, memory bounded."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa

from tsclust.config import Report
from tsclust.features import catalogue
from tsclust.features.catalogue import Feature
from tsclust.report import curves, sample
from tsclust.report.data import Band, Curve, Group, Line, Model, Plain, Rejected, ReportData, Stage
from tsclust.report.sample import Asked, Drawn
from tsclust.report.unusual import Usual, fit_usual, stands_out, where
from tsclust.series import Int64s, SeriesBlock
from tsclust.workspace import STAGES, Manifest, Members, Workspace

Rows = npt.NDArray[np.intp]

USUAL = (10, 100)  # normal series of a baseline: the fewest and the most that a usual curve is taken from
NORMAL_CARDS = 5  # of the normal mass, the largest groups are shown


def collect(workspace: Workspace, settings: Report) -> ReportData:
    """The report of a workspace that has series, features and clusters. Raises StageMissingError for one that lacks."""
    manifests = {name: workspace.manifest(name) for name in STAGES}
    facts = {name: manifest.facts for name, manifest in manifests.items()}
    groups = pl.read_parquet(workspace.stage("clusters") / "groups.parquet", glob=False)
    shown = _shown(groups)
    baseline = tuple(facts["clusters"].get("baseline", ()))
    features = tuple(f for f in catalogue.of(facts["features"]) if f.clustered)
    drawn = sample.draw(workspace, _asked(shown, manifests["clusters"].rows, baseline, features))
    usual = fit_usual(drawn.x[drawn.normal], drawn.keys[drawn.normal], features)
    return ReportData(
        title=settings.title,
        origin=facts["series"].get("origin", ""),
        series=manifests["series"].rows,
        kept=manifests["clusters"].rows,
        periods=tuple((name, *p) for name, p in drawn.periods.items() if p[0] is not None),
        peak=facts["features"]["peak"],
        found=int(groups["within"].is_null().sum()),
        baseline=baseline,
        normal=band_of(drawn, np.flatnonzero(drawn.normal)[: sample.PER_GROUP]),
        groups=tuple(_group(row, j, drawn, usual, settings.members) for j, row in enumerate(shown)),
        rejected=_rejected(facts["features"], drawn),
        sweep=_sweep(workspace),
        elbow=facts["clusters"]["advice"]["elbow"],
        best_silhouette=facts["clusters"]["advice"]["silhouette"],
        stages=tuple(stage_of(manifest) for manifest in manifests.values()),
    )


def _shown(groups: pl.DataFrame) -> list[dict[str, Any]]:
    """The groups that get a card: those proposed, what was found within one right after it, then the largest of the
    normal mass."""
    strange = groups.filter(pl.col("proposed") & ~pl.col("normal"))
    normal = (
        groups.filter("normal", pl.col("within").is_null())
        .sort("size", "group", descending=[True, False])
        .head(NORMAL_CARDS)
    )
    return [*strange.iter_rows(named=True), *normal.iter_rows(named=True)]


def _asked(shown: list[dict[str, Any]], kept: int, baseline: tuple[str, ...], features: tuple[Feature, ...]) -> Asked:
    groups = tuple(Members(row["within"], row["k"], row["cluster"], row["size"]) for row in shown)
    normal = np.array([row["normal"] for row in shown], bool)
    return Asked(groups, normal, kept, baseline, catalogue.clustered(features))


def _group(row: Mapping[str, Any], j: int, drawn: Drawn, usual: Usual, members: int) -> Group:
    rows = np.flatnonzero(drawn.inside[:, j])
    chosen = rows[curves.strata(curves.typical_first(usual.shaped(drawn.x[rows])), members)]
    return Group(
        number=row["group"], k=row["k"], cluster=row["cluster"], size=row["size"], share=row["share"],
        first_k=row["first_k"], last_k=row["last_k"], parent=row["parent"], within=row["within"],
        normal=row["normal"],
        band=band_of(drawn, rows), members=curves_drawn(drawn, chosen),
        unusual=stands_out(drawn.x[rows], drawn.keys[rows], usual),
        where=tuple(where(name, name in drawn.periods, tally, j, row["size"]) for name, tally in drawn.counts.items()
                    if tally is not None and len(tally) > 1),
    )  # fmt: skip


def band_of(drawn: Drawn, rows: Rows) -> Band:
    """Where 90 % of these rows of the drawn series lie; nowhere for no rows."""
    if not len(rows):
        return Band((), (), ())
    at, (low, high) = curves.quantiles(drawn.block, rows, drawn.starts[rows], (0.05, 0.95))
    return Band(tuple(at.tolist()), tuple(low.tolist()), tuple(high.tolist()))


def curves_drawn(drawn: Drawn, rows: Rows) -> tuple[Curve, ...]:
    """These rows of the drawn series, each with what is usual for its baseline key."""
    return curves_of(drawn.table.take(rows), drawn.starts[rows], [_usual(drawn, key) for key in drawn.keys[rows]])


def curves_of(table: pa.Table, starts: Int64s, usual: Sequence[Line | None]) -> tuple[Curve, ...]:
    """Every row of a table with series_id, carried columns and values."""
    names = [name for name in table.column_names if name not in ("series_id", "values")]
    columns = [[_plain(scalar) for scalar in _micro(table[name])] for name in names]
    carried = [tuple(zip(names, row, strict=True)) for row in zip(*columns, strict=True)] or [()] * len(table)
    block = SeriesBlock.from_arrow(table)
    values = [tuple(None if np.isnan(v) else float(v) for v in curves.sensible(block[i])) for i in range(len(block))]
    ids = [str(scalar.as_py()) for scalar in table["series_id"]]
    return tuple(map(Curve, ids, starts.tolist(), values, carried, usual))


def _usual(drawn: Drawn, key: str) -> Line | None:
    """What is usual for series with this baseline key."""
    rows = np.flatnonzero(drawn.normal & (drawn.keys == key))[: USUAL[1]]
    if not key or len(rows) < USUAL[0]:
        return None
    at, (middle,) = curves.quantiles(drawn.block, rows, drawn.starts[rows], (0.5,))
    return Line(tuple(at.tolist()), tuple(middle.tolist()))


def _micro(column: pa.ChunkedArray) -> Iterable[pa.Scalar]:
    """Times to the microsecond: Python knows no finer ones."""
    times = pa.types.is_timestamp(column.type)
    fine: Iterable[pa.Scalar] = column.cast(pa.timestamp("us", column.type.tz), safe=False) if times else column
    return fine


def _plain(scalar: pa.Scalar) -> Plain:
    """A value of a carried column; what is neither text, number nor time becomes text."""
    try:
        value = scalar.as_py()
    except (OverflowError, ValueError):  # a time outside of the years 1 to 9999, like PostgreSQL's infinity
        return str(scalar.value)
    return value if isinstance(value, Plain) else str(value)


def _rejected(facts: Mapping[str, Any], drawn: Drawn) -> tuple[Rejected, ...]:
    """The rules that set something aside, most first."""
    found = [
        Rejected(
            r["name"], r["when"], r["reason"], facts["rejected"][r["name"]], curves_drawn(drawn, _of_rule(drawn, r))
        )
        for r in facts["rules"]
        if facts["rejected"].get(r["name"])
    ]
    return tuple(sorted(found, key=lambda r: (-r.count, r.rule)))


def _of_rule(drawn: Drawn, rule: Mapping[str, Any]) -> Rows:
    """Rows are in the order of their hashes: the first few of all parts together."""
    return np.flatnonzero(drawn.rejected == rule["name"])[: sample.EXAMPLES]


def _sweep(workspace: Workspace) -> tuple[Model, ...]:
    names = list(Model.__dataclass_fields__)
    sweep = pl.read_parquet(workspace.stage("clusters") / "sweep.parquet", columns=names, glob=False).sort("k")
    return tuple(Model(**row) for row in sweep.iter_rows(named=True))


def stage_of(manifest: Manifest) -> Stage:
    """A stage for the appendix."""
    return Stage(
        name=manifest.stage, made_at=manifest.made_at, rows=manifest.rows, parts=manifest.parts,
        seconds=manifest.seconds, peak_mb=manifest.peak_mb, seed=manifest.seed, settings=manifest.settings,
        output=manifest.output_hash, inputs=tuple(sorted(manifest.inputs.items())),
        versions=tuple(sorted(manifest.versions.items())),
    )  # fmt: skip
