"""What each feature is worth: how well it tells kinds from normal, and what is found without it.

python bench/worth.py [--series N] [--seed N]                               synthetic cycles, 12 rare kinds planted
python bench/worth.py --file SERIES.parquet --truth COLUMN --normal VALUE   real ones; VALUE names what is normal

    tells       the kind that the feature by itself tells best from all other series kept, and how well: the average
                precision of ordering them by its distance from the baseline, upwards or downwards (1: entirely)
    first       kinds for which no other feature is better
    repeats     the feature it is most alike, and their rank correlation
    without it  kinds found in 10, 20 and 40 looks when `[features] skip` names it; the first row: with all of them
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl
from kinds import LOOKS, arguments, by_tsclust, made, real
from sklearn.metrics import average_precision_score

from tsclust.stages.clusters import scaling
from tsclust.stages.features.catalogue import CATALOGUE, clustered, least_spreads

NAMES = clustered(CATALOGUE)
Floats = npt.NDArray[np.float64]


def main() -> None:
    said = arguments(__doc__)
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        series, truth, malfunctions = made(said, root) if not said.file else real(said)
        kinds = dict(truth.filter(pl.col("kind").is_in(malfunctions))["kind"].value_counts().iter_rows())
        print(f"{len(truth):,} series, {len(kinds)} kinds of malfunction\n")
        print(
            "| feature | tells | how well | first | repeats | without it: 10, 20, 40 |\n"
            "| --- | --- | ---: | ---: | --- | --- |"
        )
        print(f"| all | | | | | {found(root / 'all', series, truth, kinds, said)} |")
        table = away_from_normal(root / "all" / "ws", truth, said)
        precision = precision_of(table, kinds)
        for name, row in rows_of(table, precision):
            (root / name).mkdir()
            said.skip = [name]
            print(f"| `{name}` | {row} | {found(root / name, series, truth, kinds, said)} |", flush=True)


def found(root: Path, series: Path, truth: pl.DataFrame, kinds: dict[str, int], said: argparse.Namespace) -> str:
    """Kinds found in 10, 20 and 40 looks."""
    root.mkdir(exist_ok=True)
    looks = by_tsclust(root, series, truth, kinds, said).found.values()
    return ", ".join(str(sum(look <= n for look in looks)) for n in (10, 20, LOOKS))


def away_from_normal(workspace: Path, truth: pl.DataFrame, said: argparse.Namespace) -> pl.DataFrame:
    """kind, and each feature's distance from the baseline's median in robust deviations, of the kept series."""
    features = pl.read_parquet(workspace / "features/*.parquet").filter(pl.col("rejected_by").is_null())
    frame = features.join(pl.read_parquet(workspace / "series/*.parquet").drop("values"), on="series_id")
    frame = frame.join(truth.with_columns(pl.col("series_id").cast(frame["series_id"].dtype)), on="series_id")
    x = frame.select(NAMES).to_numpy()
    keys = frame.select(pl.concat_str([*said.baseline, pl.lit("")])).to_series().to_numpy().astype(str)
    scaler = scaling.fit(x, keys, "robust", least_spreads(CATALOGUE, x))
    away = scaler.transform(x, keys) / scaling.GRID
    return pl.DataFrame(away, schema=list(NAMES)).with_columns(frame["kind"])


def precision_of(table: pl.DataFrame, kinds: Mapping[str, int]) -> pl.DataFrame:
    """A row for each kind, a column for each feature: the better average precision of both directions."""
    rows = []
    for kind in kinds:
        is_kind = (table["kind"] == kind).to_numpy()
        both = {n: (table[n].to_numpy(), -table[n].to_numpy()) for n in NAMES} if is_kind.any() else {}
        rows.append(
            {"kind": kind, **{n: max(average_precision_score(is_kind, z) for z in zs) for n, zs in both.items()}}
        )
    return pl.DataFrame(rows).drop_nulls()


def rows_of(table: pl.DataFrame, precision: pl.DataFrame) -> Iterator[tuple[str, str]]:
    """(feature, cells that need no clustering) of each feature."""
    with np.errstate(invalid="ignore"):  # a feature that is the same everywhere
        ranks = np.nan_to_num(np.corrcoef(table.select(pl.col(NAMES).rank()).to_numpy(), rowvar=False))
    alike = np.abs(ranks) - 2 * np.eye(len(NAMES))
    best = precision.select(NAMES).to_numpy()
    for i, name in enumerate(NAMES):
        top, other = int(best[:, i].argmax()), int(alike[i].argmax())
        first = int((best[:, i] >= best.max(axis=1)).sum())
        yield (
            name,
            f"{precision['kind'][top]} | {best[top, i]:.3f} | {first or ''} | `{NAMES[other]}` {ranks[i, other]:.2f}",
        )


if __name__ == "__main__":
    main()
