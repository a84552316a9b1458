"""A month at a plant in minutes: every day new rows in PostgreSQL and `tsclust run`, as cron does it; all is checked.

python bench/month.py [--mechanism door] [--seed N] [--days 30] [--machines 5] [--rows 200] [--dsn DSN] [--keep FOLDER]

The table is plant.laeufe: text ids that do not grow, real[] values, a timestamptz, machines by name; the mechanism is
one of bench/mechanisms.py. From nothing to the first report; two experts answer it; import, train, score. Then the
days: a trial sweep, another k and back, a fault that begins on one machine (a share of its runs, so much higher),
answers to a second report with its sheet, a sweep of all there is at the end. Exit code 1 where anything is wrong.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import psycopg
from mechanisms import MECHANISMS, made_up

from tsclust.embedded_postgres.server import running
from tsclust.simulation.expert import answered, form_of, named, put
from tsclust.stages.clusters import membership
from tsclust.stages.clusters.facts import CLUSTERS
from tsclust.stages.clusters.parts import GroupRef
from tsclust.stages.labels import files
from tsclust.stages.model.facts import MODEL
from tsclust.workspace.folder import Workspace

BEGIN = datetime(2026, 3, 1, tzinfo=UTC)
BEFORE = 12  # days of recordings that are there on the first day
BROKEN, TRY, OTHER_K, SECOND = 12, 5, 8, 15  # days: the fault begins, a trial sweep, --k 5 and back, the second report
HIGHER, SHARE, FAULTY = 1.6, 0.05, 1  # the fault: times its values, of the machine's runs, which machine
DRIFTED, PLACE = 17, ("within", "k", "cluster", "size")
SAME, ALIKE = 0.7, 1 / 3  # of the union of two sets of series: the same group, and one that has changed


@dataclass
class Month:
    """The plant, its workspace, and what was noted."""

    root: Path
    dsn: str
    series: pl.DataFrame  # series_id, kind, machine, day, at, values
    wrong: list[str] = field(default_factory=list)
    mailed: dict[str, str] = field(default_factory=dict)  # hash of a page that was written -> its name then
    slowest: dict[str, float] = field(default_factory=dict)
    beside: dict[int, set[int]] = field(default_factory=dict)  # numbers that stood in one report with this one

    @property
    def workspace(self) -> Workspace:
        return Workspace.open(self.root)

    def check(self, right: bool, what: str) -> None:
        if not right:
            self.wrong.append(what)
            print(f"WRONG: {what}", flush=True)

    def tsclust(self, *words: object, codes: tuple[int, ...] = (0,)) -> dict[str, dict[str, Any]]:
        """Command -> the line of JSON about it; all pages that are there now are noted."""
        typed = [sys.executable, "-m", "tsclust", *map(str, words), "-w", str(self.root), "--json"]
        began = time.perf_counter()
        settings = {"TSCLUST_DSN": self.dsn, "TSCLUST_HISTORY__KEEP": "1000"}  # what is noted as mailed is kept
        done = subprocess.run(typed, capture_output=True, text=True, env=os.environ | settings)
        name = str(words[0])
        self.slowest[name] = max(self.slowest.get(name, 0.0), time.perf_counter() - began)
        shown = " ".join(map(str, words))
        self.check(done.returncode in codes, f"{shown}: exit code {done.returncode} {done.stderr.strip()}")
        self._note_pages(shown)
        lines = [json.loads(line) for line in done.stdout.splitlines()]
        then = str(lines[-1]["then"]) if lines else ""
        return {line["command"]: line for line in lines} | {"": {"code": done.returncode, "then": then}}

    def _note_pages(self, shown: str) -> None:
        there = {hashlib.sha256(p.read_bytes()).hexdigest(): p.name for p in self.root.glob("reports/**/*.html")}
        for lost in self.mailed.keys() - there.keys():
            self.check(False, f"{shown}: {self.mailed.pop(lost)} was overwritten")
        self.mailed |= there

    def then(self, expected: str, after: str, line: dict[str, dict[str, Any]]) -> None:
        """Whether `next:` of the command, and of status, is this."""
        said = {after: line[""]["then"], "status": self.tsclust("status")["status"]["then"]}
        for who, what in said.items():
            self.check(what.startswith(f"tsclust {expected}"), f"{who}: next is {what}, not {expected} (after {after})")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mechanism", choices=[*MECHANISMS], default="door")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--days", type=int, default=30)
    parser.add_argument("--machines", type=int, default=5)
    parser.add_argument("--rows", type=int, default=200, help="of a machine and day")
    parser.add_argument("--dsn", default="", help="a server of yours (15 or later), not the embedded one of version 16")
    parser.add_argument("--keep", type=Path, help="a folder for the workspace, which stays")
    said = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, _server(said.dsn, Path(folder)) as dsn:
        month = Month((said.keep or Path(folder)) / "werk", dsn, recordings(said))
        with psycopg.connect(dsn, autocommit=True) as connection:
            print(connection.execute("SELECT version()").fetchone())
            connection.execute("DROP SCHEMA IF EXISTS plant CASCADE; CREATE SCHEMA plant")
            connection.execute(
                "CREATE TABLE plant.laeufe (lauf text PRIMARY KEY, maschine text, begonnen timestamptz, verlauf real[])"
            )
        play(month, said.days)
        print(f"\nslowest, s: {', '.join(f'{name} {took:.1f}' for name, took in month.slowest.items())}")
    print(f"{len(month.wrong)} things were wrong", *month.wrong, sep="\n  ")
    sys.exit(bool(month.wrong))


@contextmanager
def _server(dsn: str, folder: Path) -> Iterator[str]:
    if dsn:
        yield dsn
        return
    with running(folder / "pg", version=16) as server:
        yield server.dsn


def recordings(said: argparse.Namespace) -> pl.DataFrame:
    """All recordings of the days up to the last one; day 0 is what is there at first."""
    each = said.machines * said.rows
    frame, _, _ = made_up(said.mechanism, each * (BEFORE + said.days), said.seed, said.machines)
    rng = np.random.default_rng([said.seed, 18])
    day = np.maximum(np.arange(frame.height) // each - BEFORE + 1, 0)
    seconds = (np.arange(frame.height) / each - BEFORE) * 86_400
    at = [BEGIN + timedelta(seconds=float(s)) for s in seconds]
    ids = [f"{word:08x}-{n}" for n, word in enumerate(rng.integers(0, 2**32, frame.height))]
    bad = pl.col("label").str.starts_with("impossible")
    machine = frame["machine"].unique().sort()[FAULTY]
    broken = (pl.col("day") >= BROKEN) & (pl.col("machine") == machine) & (pl.Series(rng.random(frame.height)) < SHARE)
    frame = frame.with_columns(series_id=pl.Series(ids), day=pl.Series(day), at=pl.Series(at), kind=pl.col("label"))
    return frame.with_columns(
        kind=pl.when(broken & ~bad).then(pl.lit("too high")).otherwise("kind"),
        values=pl.when(broken & ~bad).then(pl.col("values").list.eval(pl.element() * HIGHER)).otherwise("values"),
        faulty=pl.col("machine") == machine,
    ).select("series_id", "kind", "machine", "day", "at", "values", "faulty")


def play(month: Month, days: int) -> None:
    insert(month, 0)
    first, drifted = from_nothing(month), dict[int, list[str | None]]()
    for day in range(1, days + 1):
        drifted[day] = a_day(month, day)
        if day == TRY:
            month.tsclust("cluster", "--try", "--k", "2..12")
            month.check(members(month) == first, "cluster --try replaced clusters/")
        elif day == OTHER_K:
            other_k(month, first)
        elif day == SECOND:
            second_report(month, first)
    month.tsclust("run", "--sweep")
    month.check(same_numbers(month, first, "at the end") > 0, "no number of the first report is left")
    month.check("k" not in month.workspace.manifest(CLUSTERS).made_with.get("cluster", {}), "--k 5 was not undone")
    judge_drift(month, drifted)


def insert(month: Month, day: int) -> int:
    """The rows of a day into the table: how many."""
    rows = month.series.filter(pl.col("day") == day).select("series_id", "machine", "at", "values")
    into = "COPY plant.laeufe FROM STDIN"
    with psycopg.connect(month.dsn, autocommit=True) as connection, connection.cursor().copy(into) as copy:
        for row in rows.iter_rows():
            copy.write_row(row)
    return rows.height


def from_nothing(month: Month) -> dict[int, set[str]]:
    """One command, two experts, import, train, score: number of each group of the first report -> its members."""
    done = month.tsclust("run", "--table", "plant.laeufe", "--baseline", "maschine")
    month.then("labels import", "run", done)
    first = members(month)
    form = form_of(month.root / "reports" / "report.html")
    said = judged(month, form)
    some = dict(list(said.items())[: len(said) // 2])
    names = [name for name, one in some.items() if one["verdict"] == "malfunction"]
    some |= {name: {"verdict": "malfunction", "kind": "needs grease"} for name in names[:1]}
    both = (answered(form, "Anna", said), answered(form, "Boris", some, at="2026-01-02T00:00:00.000Z"))
    paths = [put(month.root.parent / f"answers-{body['labeller']}.json", body) for body in both]
    month.then("train", "labels import", month.tsclust("labels", "import", *paths))
    month.then("score", "train", month.tsclust("train"))
    done = month.tsclust("score")
    note_numbers(month, first)
    print(f"first report: {len(first)} groups; after score: next is {done['']['then']}", flush=True)
    return first


def judged(month: Month, form: dict[str, Any]) -> dict[str, dict[str, str]]:
    """What an expert who knows the truth answers to all of a report: groups, and single series of its sheet."""
    kind = dict(month.series.select("series_id", "kind").iter_rows())
    said = {}
    for group in form["groups"]:
        single = [group["series_id"]] if "series_id" in group else []
        of = single or _of(month, GroupRef(*(group[name] for name in PLACE)))
        counts = pl.Series([kind[one] for one in of]).value_counts(name="n")
        said[group["name"]] = named(dict(counts.iter_rows()))
    return said


def _of(month: Month, group: GroupRef) -> list[str]:
    return membership.scan_members(month.workspace.stage(CLUSTERS), group).collect()["series_id"].to_list()


def members(month: Month) -> dict[int, set[str]]:
    """Number of each group -> its series of the first day."""
    groups = pl.read_parquet(month.root / "clusters" / "groups.parquet")
    first = set(month.series.filter(pl.col("day") == 0)["series_id"])
    refs = groups.select("within", "k", "cluster", "size").iter_rows()
    return {number: first & set(_of(month, GroupRef(*ref))) for number, ref in zip(groups["group"], refs, strict=True)}


def a_day(month: Month, day: int) -> list[str | None]:
    """New rows, the line of cron, and what it found: the machines that have drifted."""
    rows = insert(month, day)
    done = month.tsclust("run", "--check", "--to-table", "plant.bewertung", codes=(0, DRIFTED))
    new = (done["extract"]["facts"] or {}).get("new")
    month.check(new == rows, f"day {day}: {rows} rows inserted, {new} read")
    drift = done["score"]["facts"]["drift"]
    found: list[str | None] = [one["machine"] for one in drift["changed"]]
    month.check(bool(found) == (done[""]["code"] == DRIFTED), f"day {day}: exit code {done['']['code']}, drift {found}")
    since = {one["machine"]: one["since"] for one in drift["changed"]}
    print(f"day {day}: {rows} rows; drifted: {since or 'none'}; next: {done['']['then']}", flush=True)
    return found


def other_k(month: Month, first: dict[int, set[str]]) -> None:
    month.tsclust("cluster", "--k", "5")
    same_numbers(month, first, "with --k 5")
    month.tsclust("undo")
    month.check(members(month) == first, "after undo the groups are not what they were")


def same_numbers(month: Month, first: dict[int, set[str]], when: str) -> int:
    """How many numbers of the first report are there; each must mean the same group, and no number that, which did not
    stand beside it in a report."""
    now = members(month)
    for number in first.keys() & now.keys():
        a, b = first[number], now[number]
        both = len(a & b)
        month.check(both >= ALIKE * len(a | b), f"{when}: group {number} has {both} of {len(a)}, {len(b)} in all")
    for old, a in first.items():
        others = {n: b for n, b in now.items() if n != old and n not in month.beside[old]}
        same = [n for n, b in others.items() if len(a & b) >= SAME * len(a | b)]
        month.check(not same or old in now, f"{when}: what was group {old} is now {same}")
    print(f"{when}: {len(first.keys() & now.keys())} of {len(first)} numbers are there, {len(now)} groups", flush=True)
    return len(first.keys() & now.keys())


def note_numbers(month: Month, now: Iterable[int]) -> None:
    """Of a report that is sent."""
    for number in (numbers := set(now)):
        month.beside.setdefault(number, set()).update(numbers)


def second_report(month: Month, first: dict[int, set[str]]) -> None:
    """A report with its sheet, answered into answers/, taken in by run; train; whether the intervals hold the truth."""
    truth = figures(month)
    month.then("labels import", "run", month.tsclust("run", "--sweep"))
    same_numbers(month, first, "second report")
    note_numbers(month, members(month))
    form = form_of(month.root / "reports" / "report.html")
    (folder := month.root / "answers").mkdir(exist_ok=True)
    put(folder / "second.json", answered(form, "Anna", judged(month, form), at="2026-04-01T00:00:00.000Z"))
    month.then("train", "run", month.tsclust("run"))  # it has imported answers/
    quality = month.tsclust("train")["train"]["facts"]["quality"]
    month.tsclust("score")
    for when, true in (("at the check", truth), ("after training", figures(month))):
        for name, value in zip(("recall", "precision"), true, strict=True):
            low, high = quality[name]
            print(f"{name} {when}: {value:.3f}, stated {low:.3f} to {high:.3f}", flush=True)
            if when == "at the check" or name == "recall":
                month.check(low <= value <= high, f"{name} {when} is {value:.3f}, not {low:.3f} to {high:.3f}")


def figures(month: Month) -> tuple[float, float]:
    """(recall, precision) of what is called a malfunction, by a label or by score, in all that the rules keep."""
    scores = pl.concat([pl.read_parquet(path) for path in sorted(month.root.glob("scores/part-*.parquet"))])
    scores = scores.drop_nulls("kind").join(month.series.select("series_id", truth="kind"), on="series_id")
    verdicts = month.workspace.manifest(MODEL).facts.verdicts
    labelled = files.in_use(month.workspace, "").filter(verdict="malfunction")["series_id"]
    scored = pl.col("said").replace_strict(verdicts, default="") == "malfunction"
    called = scored | pl.col("series_id").is_in(labelled.implode())
    fault = (pl.col("truth") != "normal") & ~pl.col("truth").str.starts_with("impossible")
    both, of, all_called = scores.select(a=(called & fault).sum(), b=fault.sum(), c=called.sum()).row(0)
    return both / max(of, 1), both / max(all_called, 1)


def judge_drift(month: Month, drifted: dict[int, list[str | None]]) -> None:
    machine: str = month.series.filter("faulty")["machine"][0]
    for day, found in drifted.items():
        month.check(set(found) <= ({machine} if day >= BROKEN else set()), f"day {day}: drift of {found}")
    named_on = [day for day, found in drifted.items() if machine in found]
    month.check(bool({BROKEN, BROKEN + 1} & set(named_on)), f"{machine} was named on {named_on}, not from {BROKEN}")
    print(f"{machine}: fault from day {BROKEN}, named on {named_on}")


if __name__ == "__main__":
    main()
