"""Wrong labels: how soon `labels review` shows them, and what relabelling those shown is worth.

python bench/labels.py [--series N] [--seed N]

Two thirds of the machines have labels, each series its true kind; FLIPPED of them are then given another kind at
random. All labels are put in the order of their suspicion, and the flips counted among the first. Beside ours:
cleanlab's scores of the same out-of-fold probabilities, and an order of chance. Then those among the first SHOWN are
relabelled, and classifiers that learned from clean, flipped and relabelled labels are asked about the other machines.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import kinds as made_cycles
import numpy as np
import numpy.typing as npt
import polars as pl
from cleanlab.rank import get_label_quality_scores

import tsclust
from tsclust import config
from tsclust.pipeline import labels_review
from tsclust.stages.features.facts import FEATURES
from tsclust.stages.labels import files, tables
from tsclust.stages.model import suspects
from tsclust.stages.model.files import ModelInputs, find_labelled
from tsclust.stages.scores.facts import SCORES
from tsclust.stages.series.facts import SERIES
from tsclust.workspace.folder import Workspace
from tsclust.workspace.manifest import Meter, Stage

FLIPPED, SHOWN = 0.05, 0.1
WHEN = "2026-01-01T00:00:00Z"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--series", type=int, default=170_000)
    parser.add_argument("--seed", type=int, default=1)
    said = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        root, flags, truth = made(Path(folder), said)
        clean, held_out = split(root, truth)
        wrong = flipped(clean, said.seed)
        write(root, wrong)
        flips = set(wrong.filter(wrong["kind"] != clean["kind"])["series_id"])
        print(f"{len(clean):,} labels, {len(flips):,} of them flipped\n")
        shown = print_orders(root, flags, wrong, flips)
        print_accuracy(root, flags, clean, wrong, shown, held_out)


def made(folder: Path, said: argparse.Namespace) -> tuple[Path, dict[str, Any], pl.DataFrame]:
    """(workspace, flags, truth) of synthetic cycles."""
    asked = made_cycles.arguments("", ["--series", str(said.series), "--seed", str(said.seed)])
    path, truth, _ = made_cycles.made(asked, folder)
    return made_cycles.described(folder, path, asked), {"cluster": {"baseline": asked.baseline}}, truth


def split(root: Path, truth: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """series_id, kind of the kept series: of two thirds of the machines, and of the others."""
    workspace = Workspace.open(root)
    features = pl.concat(columns_of(workspace, FEATURES, "series_id", "rejected_by"))
    series = pl.concat(columns_of(workspace, SERIES, "series_id", "machine_id"))
    kept = features.filter(pl.col("rejected_by").is_null()).join(series, on="series_id").join(truth, on="series_id")
    kept = kept.filter(~pl.col("kind").str.starts_with("impossible")).sort("series_id")
    labelled = pl.col("machine_id").hash(1) % 3 > 0
    return kept.filter(labelled).select("series_id", "kind"), kept.filter(~labelled).select("series_id", "kind")


def columns_of(workspace: Workspace, stage: Stage[Any], *columns: str) -> list[pl.DataFrame]:
    return [pl.read_parquet(path, columns=list(columns)) for path in workspace.parts(stage)]


def flipped(clean: pl.DataFrame, seed: int) -> pl.DataFrame:
    """FLIPPED of the labels are of another kind."""
    rng, kinds = np.random.default_rng(seed), clean["kind"].unique().sort().to_list()
    codes = clean["kind"].replace_strict(kinds, range(len(kinds)), return_dtype=pl.Int64).to_numpy().copy()
    rows = rng.choice(len(codes), int(FLIPPED * len(codes)), replace=False)
    codes[rows] = (codes[rows] + rng.integers(1, len(kinds), len(rows))) % len(kinds)
    return clean.with_columns(kind=pl.Series(kinds).gather(codes))


def write(root: Path, labelled: pl.DataFrame) -> None:
    """These labels in the place of all there are."""
    workspace = Workspace.open(root)
    same = {"labeller": "expert", "sure": None, "comment": "", "report": "bench", "group": None, "size": 5_000}
    verdict = pl.when(pl.col("kind") == "normal").then(pl.lit("normal")).otherwise(pl.lit("malfunction"))
    when = pl.lit(WHEN).str.to_datetime(time_zone="UTC", time_unit="us")
    found = labelled.with_columns(verdict=verdict, labelled_at=when, **{n: pl.lit(v) for n, v in same.items()})
    found = found.select("series_id", *(pl.col(name).cast(kind) for name, kind in tables.LABELS.items()))
    none = files.read(workspace)
    files.write(workspace, Meter(), none, found, [])


def print_orders(root: Path, flags: dict[str, Any], wrong: pl.DataFrame, flips: set[int]) -> pl.Series:
    """The table of orders; the series that ours shows."""
    print("| order | seconds | flips among the first 5 % | 10 % | 20 % |\n| --- | ---: | ---: | ---: | ---: |")
    shown = pl.Series()
    for name, seconds, order in orders(root, flags, wrong):
        shares = [len(flips & set(order.head(int(share * len(order))))) / len(flips) for share in (0.05, 0.1, 0.2)]
        print(f"| {name} | {seconds:.1f} | " + " | ".join(f"{share:.1%}" for share in shares) + " |", flush=True)
        shown = order.head(int(SHOWN * len(order))) if name == "tsclust" else shown
    return shown


def orders(root: Path, flags: dict[str, Any], wrong: pl.DataFrame) -> Iterator[tuple[str, float, pl.Series]]:
    """(name, seconds, series_id in that order). cleanlab is given the probabilities: only its own seconds count."""
    began = time.perf_counter()
    order = labels_review.rank(root, flags)["series_id"]
    yield "tsclust", time.perf_counter() - began, order
    probability, kind, ids = out_of_fold(root, flags)
    for method in ("self_confidence", "normalized_margin", "confidence_weighted_entropy"):
        began = time.perf_counter()
        quality = get_label_quality_scores(kind, probability, method=method)
        order = ids.gather(np.argsort(quality, kind="stable"))
        yield f"cleanlab, {method}", time.perf_counter() - began, order
    yield "by chance", 0.0, wrong["series_id"].shuffle(1)


def out_of_fold(root: Path, flags: dict[str, Any]) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int64], pl.Series]:
    """(probabilities, label, series_id) as `labels review` has them, for cleanlab."""
    workspace = Workspace.open(root)
    settings = config.load(workspace.config, flags)
    used = files.in_use(workspace, settings.labels.resolve)
    source = find_labelled(ModelInputs.of(workspace), used, settings.cluster, settings.train.machine)
    judge = suspects.learn_labels(source, settings.cluster.seed, settings.train.assume_normal, lambda _: None)
    found, labels, ids = [], [], []
    for path in source.parts:
        part = judge.reader(path)
        kept = pl.DataFrame({"series_id": pl.Series(part.kept_ids)}).with_row_index("row")
        rows = kept.join(used.select("series_id", "kind"), on="series_id")
        found.append(judge.probability(part, rows["row"].to_numpy()))
        labels += [judge.kinds.index(kind) for kind in rows["kind"]]
        ids.append(rows["series_id"])
    return np.concatenate(found), np.array(labels), pl.concat(ids)


def print_accuracy(
    root: Path, flags: dict[str, Any], clean: pl.DataFrame, wrong: pl.DataFrame, shown: pl.Series, asked: pl.DataFrame
) -> None:
    truth = pl.when(pl.col("series_id").is_in(shown.implode())).then(pl.Series(clean["kind"])).otherwise("kind")
    repaired = wrong.with_columns(kind=truth)
    print("\n| labels | accuracy | mean recall of the kinds | classifier |\n| --- | ---: | ---: | --- |")
    for name, labelled in (("clean", clean), ("flipped", wrong), (f"the first {SHOWN:.0%} relabelled", repaired)):
        write(root, labelled)
        classifier = tsclust.train(root, flags).notes[0].partition(":")[0]
        tsclust.score(root, flags)
        scores = pl.concat(columns_of(Workspace.open(root), SCORES, "series_id", "kind")).rename({"kind": "said"})
        both = asked.join(scores, on="series_id").with_columns(right=pl.col("kind") == pl.col("said"))
        recall = both.group_by("kind").agg(pl.col("right").mean())["right"].to_numpy().mean()
        print(f"| {name} | {both['right'].to_numpy().mean():.3%} | {recall:.1%} | {classifier} |", flush=True)


if __name__ == "__main__":
    main()
