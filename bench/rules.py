"""What the rules reject of what is possible, and what they catch of what is not, as a table for docs/benchmarks.md.

python bench/rules.py [--series N] [--seed N] [--machines N] [--only NAME ...] [--data FOLDER]

Each fleet of bench/fleets.py twice, compared by machine and without a baseline; the demo; the machines of
bench/machines.py; every set of --data (real ones, where all is possible). Wanted: at most 0.5 % of what is possible
rejected in all, at most 1 % (or 2 series) of any machine, product or kind; at least 98 % of the impossible caught.
`worst`: the machine, product or kind that loses most; `missed`: the sort of impossible that is caught least.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
from fleets import FLEETS, fleet
from machines import MACHINES

import tsclust
from tsclust.simulation import machines

IN_ALL, OF_ANY, CAUGHT, FEW = 0.005, 0.01, 0.98, 2


@dataclass(frozen=True)
class Case:
    """A fleet: series_id, values and carried columns; its truth: impossible ("" where possible), kinds."""

    name: str
    series: pl.DataFrame
    truth: pl.DataFrame
    baseline: tuple[str, ...]


def main() -> None:
    said = arguments()
    print("| fleet | baseline | possible | rejected | worst | impossible | caught | missed | |")
    print("| --- | --- | ---: | ---: | --- | ---: | ---: | --- | --- |")
    bad = 0
    for case in cases(said):
        if said.only and not any(word in case.name for word in said.only):
            continue
        line, good = judged(case, said.why)
        bad += not good
        print(line, flush=True)
    print(f"\n{bad} of the lines miss what is wanted")


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--series", type=int, default=4_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--machines", type=int, default=40)
    parser.add_argument("--share", type=float, default=0.2, help="of the machines that record in a way of their own")
    parser.add_argument("--demo", type=int, default=100_000, help="cycles of the demo")
    parser.add_argument("--data", type=Path, help="a folder of real sets: series_id, label, values")
    parser.add_argument("--only", nargs="+", default=[])
    parser.add_argument("--why", action="store_true", help="which rule rejects what, below each line")
    return parser.parse_args()


def cases(said: argparse.Namespace) -> Iterator[Case]:
    for name in FLEETS:
        if said.only and not any(word in name for word in said.only):
            continue
        frame = fleet(name, said.series, said.seed, said.machines, said.share)
        truth = frame.select("series_id", "impossible", "machine", "product", "kind")
        by = ("machine", "product") if FLEETS[name].whose == "product" else ("machine",)
        baselines: tuple[tuple[str, ...], ...] = (by, ())
        for baseline in baselines:
            yield Case(name, frame.select("series_id", "machine", "product", "values"), truth, baseline)
    yield from demo(said)
    for name, make in MACHINES.items():
        frame, _, columns = make(20_000, said.seed)
        truth = frame.select("series_id", kind="label", impossible=pl.lit(""))
        yield Case(name, frame.drop("label"), truth, tuple(columns))
    for path in sorted(said.data.rglob("*.parquet")) if said.data else ():
        frame = pl.read_parquet(path)
        truth = frame.select("series_id", kind=pl.col("label").cast(pl.String), impossible=pl.lit(""))
        yield Case(path.stem, frame.select("series_id", "values"), truth, ())


def demo(said: argparse.Namespace) -> Iterator[Case]:
    if said.only and "demo" not in said.only:
        return
    pairs = list(machines.make(said.demo, said.seed))
    series = pl.concat([pl.DataFrame(one) for one, _ in pairs])
    kind = pl.concat([pl.DataFrame(truth) for _, truth in pairs])["kind"]
    truth = series.select("series_id", "machine_id", kind=kind).with_columns(
        impossible=pl.when(pl.col("kind").str.starts_with("impossible")).then("kind").otherwise(pl.lit(""))
    )
    for baseline in (("machine_id", "direction"), ()):
        yield Case("demo", series, truth, baseline)


def rejected(case: Case) -> pl.DataFrame:
    """series_id, rejected_by."""
    with tempfile.TemporaryDirectory() as folder:
        root, path = Path(folder) / "ws", Path(folder) / "in.parquet"
        case.series.write_parquet(path)
        tsclust.init(root, baseline=case.baseline)
        flags: dict[str, Any] = {"source": {"files": str(path), "id": "series_id", "values": "values"}}
        tsclust.extract(root, flags)
        tsclust.features(root)
        return pl.read_parquet(root / "features/part-*.parquet", columns=["series_id", "rejected_by"])


def judged(case: Case, why: bool) -> tuple[str, bool]:
    """A line of the table, and whether it is as wanted."""
    found = case.truth.join(rejected(case), on="series_id", how="left")
    found = found.with_columns(gone=pl.col("rejected_by").is_not_null())
    possible, not_possible = found.filter(impossible=""), found.filter(pl.col("impossible") != "")
    share, caught = share_of(possible), share_of(not_possible) if len(not_possible) else 1.0
    worst, of_any = most_lost(possible)
    good = share <= IN_ALL and of_any and caught >= CAUGHT
    cells = (
        *(case.name, ", ".join(case.baseline), f"{len(possible):,}", f"{share:.2%}", worst, f"{len(not_possible):,}"),
        *(f"{caught:.1%}" if len(not_possible) else "", least_caught(not_possible), "" if good else "no"),
    )
    line = f"| {' | '.join(cells)} |"
    return (f"{line}\n{reasons(found)}" if why else line), good


def share_of(frame: pl.DataFrame) -> float:
    return int(frame["gone"].sum()) / max(len(frame), 1)


def least_caught(not_possible: pl.DataFrame) -> str:
    """The sort of impossible that is caught least, unless all is."""
    shares = [(share_of(of), str(sort)) for (sort,), of in not_possible.group_by("impossible")]
    share, sort = min(shares, default=(1.0, ""))
    return f"{sort} {share:.0%}" if share < 1 else ""


def reasons(found: pl.DataFrame) -> str:
    """What came out wrong, by rule."""
    wrong = found.filter((pl.col("impossible") == "") == pl.col("gone")).group_by("impossible", "kind", "rejected_by")
    return str(wrong.len().sort("len", descending=True).head(12).rows())


def most_lost(possible: pl.DataFrame) -> tuple[str, bool]:
    """The machine, product or kind that loses most, and whether all lose little enough."""
    lost = []
    for by in (name for name in ("machine", "machine_id", "product", "kind") if name in possible.columns):
        for (name,), of in possible.group_by(by):
            gone = int(of["gone"].sum())
            lost.append((gone > max(FEW, OF_ANY * len(of)), gone / len(of), f"{name} {gone} of {len(of)}"))
    much, share, shown = max(lost)
    return shown if share else "", not much


if __name__ == "__main__":
    main()
