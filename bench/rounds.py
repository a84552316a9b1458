"""Three rounds of expert and machine: kinds of malfunction found per group looked at, round by round.

python bench/rounds.py [--series N] [--seeds N]

An expert who knows the truth (tsclust/simulation/expert.py) looks at the LOOKS groups of a report and names them;
the labels come back, a classifier learns from them and scores all series, and what it refuses or nobody has named is
swept again.
Beside it, with as many looks: one sweep of one large k whose clusters are looked at from the smallest on, and single
series drawn at random. A kind counts as found with the first look at a group made of it for the most part (at least
half of its members), or at one of its series; as covered when the series named so are at least half of it.
"""

from __future__ import annotations

import argparse
import random
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import kinds as made_cycles
import polars as pl

import tsclust
from tsclust.simulation import machines
from tsclust.simulation.expert import answered, form_of, kinds_of, named, put, said_of
from tsclust.stages.clusters.facts import CLUSTERS
from tsclust.stages.scores.facts import SCORES
from tsclust.workspace.folder import Workspace

LOOKS, ROUNDS, LARGE = 15, 3, 100


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--series", type=int, default=170_000)
    parser.add_argument("--seeds", type=int, default=3)
    said = parser.parse_args()
    print(f"{said.series:,} cycles, {len(machines.KINDS)} rare kinds, {LOOKS} looks a round\n")
    print(
        "| cycles | way | " + " | ".join(f"found in {LOOKS * n} looks" for n in range(1, ROUNDS + 1)) + " | covered |"
    )
    print("| --- | --- |" + " ---: |" * (ROUNDS + 1))
    for seed in range(1, said.seeds + 1):
        with tempfile.TemporaryDirectory() as folder:
            for way, found, covered in ways(Path(folder), said.series, seed):
                print(f"| {seed} | {way} | " + " | ".join(map(str, found)) + f" | {covered} |", flush=True)


def ways(folder: Path, series: int, seed: int) -> Iterator[tuple[str, list[int], int]]:
    said = made_cycles.arguments("", ["--series", str(series), "--seed", str(seed)])
    path, truth, malfunctions = made_cycles.made(said, folder)
    root = made_cycles.described(folder, path, said)
    flags = {"cluster": {"baseline": said.baseline, "groups": LOOKS}, "report": {"charts": False}}
    yield "one large k, smallest first", *one_large_k(root, flags, truth, malfunctions)
    yield "series at random", *at_random(truth, malfunctions, seed)
    yield "three rounds", *rounds(root, flags, truth, malfunctions)


def rounds(root: Path, flags: dict[str, Any], truth: pl.DataFrame, malfunctions: list[str]) -> tuple[list[int], int]:
    """Report, answers, labels, training, scores, and the sweep of what is left."""
    workspace, found, seen = Workspace.open(root), [], set[str]()
    for number in range(1, ROUNDS + 1):
        tsclust.cluster(root, flags, unlabelled=number > 1)
        page = tsclust.report(root, flags, name=f"round-{number}").wrote
        assert page
        form = form_of(page)
        form["groups"] = [g for g in form["groups"] if not g["normal"]][:LOOKS] + [
            g for g in form["groups"] if g["normal"]
        ]
        said = said_of(workspace, form["groups"], truth)
        body = answered(form, "expert", said, at=f"2026-0{number}-01T00:00:00.000Z")
        tsclust.labels_import(root, [put(root / f"answers-{number}.json", body)])
        seen |= {group["kind"] for group in body["groups"] if group["verdict"] == "malfunction"}
        found.append(len(seen & set(malfunctions)))
        tsclust.train(root, flags)
        tsclust.score(root, flags)
    scores = pl.concat([pl.read_parquet(path) for path in workspace.parts(SCORES)])
    return found, covered(
        scores.filter(pl.col("said") == pl.col("kind")).select("series_id", said="kind"), truth, malfunctions
    )


def covered(said: pl.DataFrame, truth: pl.DataFrame, malfunctions: list[str]) -> int:
    """Kinds of which at least half of the series are called so."""
    both = truth.filter(pl.col("kind").is_in(malfunctions)).join(said, on="series_id", how="left")
    shares = both.group_by("kind").agg(share=(pl.col("said") == pl.col("kind")).fill_null(False).mean())
    return int((shares["share"] >= 0.5).sum())


def one_large_k(
    root: Path, flags: dict[str, Any], truth: pl.DataFrame, malfunctions: list[str]
) -> tuple[list[int], int]:
    """All clusters of the model with LARGE clusters, from the smallest on."""
    tsclust.cluster(root, flags | {"cluster": flags["cluster"] | {"k": str(LARGE)}})
    centers = pl.read_parquet(root / "clusters" / "centers.parquet").filter(pl.col("size") > 0).sort("size")
    groups = [
        {"within": None, "k": LARGE, "cluster": c, "size": s} for c, s in centers.select("cluster", "size").rows()
    ]
    groups = groups[: LOOKS * ROUNDS]
    said = [named(kinds) for kinds in kinds_of(Workspace.open(root), groups, truth)]
    labels = pl.concat([pl.read_parquet(path) for path in Workspace.open(root).parts(CLUSTERS)])
    kind = {g["cluster"]: one["kind"] for g, one in zip(groups, said, strict=True) if one["verdict"] == "malfunction"}
    column = pl.col(f"k{LARGE}").cast(pl.Int64).replace_strict(kind, default=None, return_dtype=pl.String)
    return firsts([one.get("kind", "") for one in said], malfunctions), covered(
        labels.select("series_id", said=column), truth, malfunctions
    )


def at_random(truth: pl.DataFrame, malfunctions: list[str], seed: int) -> tuple[list[int], int]:
    seen = random.Random(seed).sample(truth["kind"].to_list(), LOOKS * ROUNDS)
    return firsts(seen, malfunctions), 0


def firsts(seen: list[str], malfunctions: list[str]) -> list[int]:
    """Different malfunctions after LOOKS, 2 LOOKS, ... looks."""
    return [len(set(seen[: LOOKS * n]) & set(malfunctions)) for n in range(1, ROUNDS + 1)]


if __name__ == "__main__":
    main()
