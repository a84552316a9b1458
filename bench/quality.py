"""Whether the recall and the precision that `tsclust train` states hold the truth.

python bench/quality.py [--seeds N] [--series N] [--data FOLDER]

An expert who knows the truth answers a report, `train` learns, `score` scores; then the next report asks about a sheet
of single series, the expert answers that, and `train` states recall and precision with 95 % intervals. The truth is
counted over all series that the rules keep: how many malfunctions are called one, by a label or by score. It is
counted twice: when the sheet was drawn, and with the model that has learned from its answers, too.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl

import tsclust
from tsclust.simulation import machines
from tsclust.simulation.expert import answered, form_of, put, said_of
from tsclust.stages.labels import files
from tsclust.stages.model.facts import MODEL
from tsclust.stages.scores.facts import SCORES
from tsclust.workspace.folder import Workspace

REAL = {
    "unscrewing_torque/series": "releasable", "unscrewing_torque/series_rare_faults": "releasable",
    "unscrewing_torque/series_short": "releasable", "wafer/series_76": "normal",
}  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--series", type=int, default=20_000)
    parser.add_argument("--sheet", type=int, default=50)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    said = parser.parse_args()
    print("| set | malfunctions | recall | stated | width | precision | stated | recognised, of labelled ones |")
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |")
    held: list[bool] = []
    for name, frame, truth, baseline in sets(said):
        with tempfile.TemporaryDirectory() as folder:
            held += rows(name, Path(folder), frame, truth, baseline, said.sheet)
    print(f"\n{sum(held)} of {len(held)} intervals hold the truth")


def sets(said: argparse.Namespace) -> Iterator[tuple[str, pl.DataFrame, pl.DataFrame, list[str]]]:
    """(name, series, truth, baseline)"""
    for name, normal in REAL.items():
        if (path := said.data / f"{name}.parquet").exists():
            frame = pl.read_parquet(path)
            kind = pl.when(pl.col("label") == normal).then(pl.lit("normal")).otherwise(pl.col("label").cast(pl.String))
            yield Path(name).name, frame.select("series_id", "values"), frame.select("series_id", kind=kind), []
    for seed in range(1, said.seeds + 1):
        series, truth = zip(*machines.make(said.series, seed, machines=20), strict=True)
        frames = [pl.concat([pl.DataFrame(one) for one in batches]) for batches in (series, truth)]
        yield f"made cycles, seed {seed}", frames[0], frames[1], ["machine_id", "direction"]


def rows(
    name: str, folder: Path, frame: pl.DataFrame, truth: pl.DataFrame, baseline: list[str], sheet: int
) -> Iterator[bool]:
    """Two rows of the table; whether each interval of recall and precision holds the truth."""
    frame.write_parquet(folder / "series.parquet")
    root, flags = folder / "ws", {"cluster": {"baseline": baseline}, "report": {"charts": False, "sheet": sheet}}
    tsclust.init(root)
    tsclust.extract(root, {"source": {"files": str(folder / "series.parquet")}})
    for command in (tsclust.features, tsclust.cluster):
        command(root, flags)
    workspace = Workspace.open(root)
    answer(workspace, flags, truth, 1)
    first = tsclust.train(root, flags).table
    tsclust.score(root, flags)
    before = true_figures(workspace, truth)
    answer(workspace, flags, truth, 2)
    tsclust.train(root, flags)
    quality = workspace.manifest(MODEL).facts.quality
    tsclust.score(root, flags)
    own = ", ".join(row[3] for row in first[1:] if row[0] != "normal")
    for when, (faults, recall, precision) in (("at the check", before), ("after it", true_figures(workspace, truth))):
        low, high = quality.recall
        stated = [f"{a:.3f} to {b:.3f}" for a, b in (quality.recall, quality.precision)]
        cells = (f"{name}, {when}", f"{faults:,}", f"{recall:.3f}", stated[0], f"{high - low:.3f}", f"{precision:.3f}")
        print(f"| {' | '.join(cells)} | {stated[1]} | {own if when == 'at the check' else ''} |", flush=True)
        yield low <= recall <= high
        if when == "at the check":
            yield quality.precision[0] <= precision <= quality.precision[1]


def answer(workspace: Workspace, flags: dict[str, Any], truth: pl.DataFrame, number: int) -> None:
    """What the expert says of all that a report asks: of groups by what most of their members are."""
    form = form_of(tsclust.report(workspace.root, flags, name=f"round-{number}").wrote or Path())
    groups = [one for one in form["groups"] if "series_id" not in one]
    said: dict[str, Any] = said_of(workspace, groups, truth)
    kinds = dict(truth.select(pl.col("series_id").cast(pl.String), "kind").iter_rows())
    for one in form["groups"]:
        if "series_id" in one:
            kind = kinds[one["series_id"]]
            said[one["name"]] = kind
            said[one["name"]] = "bad_recording" if kind.startswith("impossible") else said[one["name"]]
    body = answered(form, "expert", said, at=f"2026-0{number}-01T00:00:00.000Z")
    tsclust.labels_import(workspace.root, [put(workspace.root / f"answers-{number}.json", body)])


def true_figures(workspace: Workspace, truth: pl.DataFrame) -> tuple[int, float, float]:
    """(malfunctions, recall, precision) of all series that the rules keep."""
    scores = pl.concat([pl.read_parquet(path) for path in workspace.parts(SCORES)]).drop_nulls("kind")
    verdicts = workspace.manifest(MODEL).facts.verdicts
    named = [kind for kind, verdict in verdicts.items() if verdict == "malfunction"]
    used = files.in_use(workspace, "")
    called = pl.concat([scores.filter(pl.col("said").is_in(named))["series_id"],
                        used.filter(pl.col("verdict") == "malfunction")["series_id"]]).unique()  # fmt: skip
    there = truth.filter(pl.col("series_id").is_in(scores["series_id"].implode()))
    faults = there.filter((pl.col("kind") != "normal") & ~pl.col("kind").str.starts_with("impossible"))["series_id"]
    right = int(called.is_in(faults.implode()).sum())
    return len(faults), right / max(len(faults), 1), right / max(len(called), 1)


if __name__ == "__main__":
    main()
