"""`tsclust report`, and its page in Chromium, as tables for docs/benchmarks.md.

python bench/report.py [-w WORKSPACE | --series N] [--runs N] [--only command opening scrolling] [--speed PIXELS]
python bench/report.py --memory     the command on 300,000, 1,000,000 and 3,000,000 series too

A workspace that is named (`tsclust demo -w DIR` makes one) is only read; without one --series cycles are made. Needed
are pip install .[test] and a Chromium, which tests/browser.sh brings.

command    the whole process as installed (without pandas), and the stage in it as told by --json. Every run has to
           give the same bytes. Part `memory`, or --memory: the same on fewer series and on more.
opening    the file in headless Chromium without a GPU, each time in a new context whose window is at rest. From the
           start of the navigation: first and largest contentful paint; `ready`, when the page can be answered and that
           is painted; the load event. Requests: beside the file. JavaScript's heap after its garbage is collected, with
           the charts closed. Charts: from the click on the overview to the frame in which they are drawn.
scrolling  a page of 100 groups from top to bottom, by notches of a mouse wheel: every frame of the main thread from the
           first scroll to the last. Within 1, 2, 3 frames of 60 Hz. Then the key 2 on 20 cards: from the event to the
           frame in which the answer is painted.

`CPU / 4`: Chromium's own throttling, as an office PC is slower. `all drawn`: a style switches content-visibility off.
The peer is what one writes first: for each group a Plotly chart with the very same curves, all in one file, plotly.js
once. It is ready when the last curve is there.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import plotly.graph_objects as go
from chromium import FRAMES, WINDOW, Told, Way, chromium, open_once, scroll_once
from extract import launched
from features import FEW, TSCLUST, cost, heading, write_cycles
from playwright.sync_api import Browser

from tsclust.config import Report
from tsclust.stages.reports.data import Band, Group
from tsclust.stages.reports.groups.step import collect
from tsclust.stages.series.facts import SERIES
from tsclust.workspace.folder import Workspace

PARTS = ("command", "opening", "scrolling", "memory")
MANY = (300_000, 1_000_000, 3_000_000)
COMMANDS = {"tsclust report": (), "tsclust report --no-charts": ("--no-charts",)}
HUNDRED = ("--k", "2..80", "--groups", "100")  # a sweep in which so many are found
# In every page before its own scripts.

Column = tuple[str, Callable[[Sequence[float]], float], str]  # of Told, of all runs, as it is printed
OPENING: dict[str, Column] = {
    "first paint, ms": ("first", statistics.median, ",.0f"),
    "largest": ("largest", statistics.median, ",.0f"),
    "ready": ("ready", statistics.median, ",.0f"),
    "loaded": ("loaded", statistics.median, ",.0f"),
    "requests": ("requests", max, "d"),
    "heap, MB": ("heap", statistics.median, ".1f"),
    "charts, ms": ("charts", statistics.median, ",.0f"),
}
SCROLLING: dict[str, Column] = {
    "first paint, ms": OPENING["first paint, ms"],
    "ready": OPENING["ready"],
    "pixels a second": ("pixels", statistics.median, ",.0f"),
    "frames a second": ("frames", statistics.median, ".1f"),
    **{f"within {most} ms": (f"within {most}", statistics.median, ".1%") for most in FRAMES},
    "worst, ms": ("worst", max, ",.0f"),
    "key to answer, ms": ("typed", statistics.median, ",.0f"),
    "slowest": ("slowest", max, ",.0f"),
}


@dataclass(frozen=True)
class Run:
    """What one run of the command cost, and the file it wrote."""

    seconds: float
    peak_mb: float
    stage: tuple[float, float]  # seconds and peak MB as told by --json
    path: Path
    size: int
    digest: str


# ---- workspaces and files


def made(root: Path, series: int) -> Path:
    """A workspace of synthetic cycles with all but a report; without a server."""
    cycles, workspace = root / "cycles.parquet", root / f"made-{series}"
    write_cycles(cycles, series)
    first = ["init", "--baseline", "machine_id", "--baseline", "direction"]
    for command in (first, ["extract", "--from", str(cycles)], ["features"], ["filter"], ["cluster"]):
        subprocess.run([*TSCLUST, *command, "-w", str(workspace)], check=True, capture_output=True)
    return workspace


def beside(folder: Path, workspace: Path, *without: str) -> Path:
    """A workspace that reads what another holds, and writes nothing to it."""
    folder.mkdir()
    for entry in workspace.resolve().iterdir():
        if not entry.name.startswith(".") and entry.name not in ("reports", *without):
            (folder / entry.name).symlink_to(entry)
    return folder


def run_report(workspace: Path, *flags: str) -> Run:
    """`tsclust report`, once."""
    seconds, peak, told = launched([*TSCLUST, "report", "--json", "-w", str(workspace), *flags], workspace)
    result = json.loads(told)
    path = Path(result["facts"]["files"][0])
    print(f"{' '.join(['report', *flags])}: {seconds:.2f} s, {peak:.0f} MB", file=sys.stderr)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return Run(seconds, peak, (result["seconds"], result["peak_mb"]), path, path.stat().st_size, digest)


def candidates(path: Path) -> int:
    """How many groups in a report are candidates for a malfunction."""
    return path.read_text(encoding="utf-8").count('<article class="card" ')


def peer(workspace: Path) -> Way:
    """A page with one Plotly chart for each of them."""
    data = collect(Workspace.open(workspace), Report())
    charts = [chart(group, data.normal) for group in data.groups if not group.normal]
    parts = [figure.to_html(full_html=False, include_plotlyjs=i == 0) for i, figure in enumerate(charts)]
    path = workspace / "reports" / "peer.html"
    path.write_text(f"<!DOCTYPE html><meta charset=utf-8><title>peer</title>{''.join(parts)}", encoding="utf-8")
    curves = sum(len(figure.data) for figure in charts)
    ready = f"document.querySelectorAll('.scatterlayer .trace').length === {curves}"
    return Way(f"one Plotly chart per group, {len(charts)} groups", path, ready)


def chart(group: Group, normal: Band) -> go.Figure:
    """The members' curves over where normal series lie."""
    around = [*normal.at, *normal.at[::-1]], [*normal.high, *normal.low[::-1]]
    band = go.Scatter(x=around[0], y=around[1], fill="toself", mode="none", name="normal")
    lines = [
        go.Scatter(x=[*range(-c.start, len(c.values) - c.start)], y=c.values, mode="lines", name=c.series_id)
        for c in group.members
    ]
    return go.Figure([band, *lines], {"title": f"Group {group.name}, {group.size:,} series"})


# ---- tables


def tell_command(workspace: Path, series: int, runs: int) -> None:
    """The command with charts and without."""
    rounds = [{name: run_report(workspace, *flags) for name, flags in COMMANDS.items()} for _ in range(runs)]
    wanted = "wanted of a million, and of 40 groups: under 10 s, at most 3,000,000 bytes"
    print(f"\n{heading(runs, series)}; {wanted}\n")
    print("| command | seconds | peak MB | seconds of the stage | its peak MB | bytes | the same bytes |")
    print("| --- |" + " ---: |" * 5 + " --- |")
    for name in COMMANDS:
        done = [one[name] for one in rounds]
        same = "in every run" if len({run.digest for run in done}) == 1 else "NO"
        print(f"| `{name}` | {costs(done)} | {same} |")


def tell_memory(root: Path, runs: int) -> None:
    """The command on few and on many series."""
    spaces = {series: made(root, series) for series in MANY}
    rounds = [{series: run_report(workspace) for series, workspace in spaces.items()} for _ in range(runs)]
    print(f"\n{heading(runs, *MANY)}; wanted: a flat peak\n")
    print("| series | groups | seconds | peak MB | seconds of the stage | its peak MB | bytes |\n|" + " ---: |" * 7)
    for series in MANY:
        print(f"| {series:,} | {candidates(rounds[0][series].path)} | {costs([one[series] for one in rounds])} |")


def costs(done: Sequence[Run]) -> str:
    """Five cells: the process's, the stage's, the file's."""
    whole, inner = cost([(run.seconds, run.peak_mb) for run in done]), cost([run.stage for run in done])
    return f"{whole} | {inner} | {done[0].size:,}"


def tell_opening(browser: Browser, workspace: Path, series: int, runs: int) -> None:
    """How soon the page is there."""
    limit = workspace / "limit.html"
    limit.write_text("<!DOCTYPE html><meta charset=utf-8><title>limit</title><p>One line of text.</p>")
    bare = run_report(workspace, "--no-charts").path.rename(workspace / "bare.html")
    ours, plotly = report_of(workspace), peer(workspace)
    ways = [Way("limit: one line of text", limit, "document.body"), ours, ours.slowly, ours.all_drawn]
    ways += [ours.all_drawn.slowly, Way(f"{ours.name}, `--no-charts`", bare), plotly, plotly.slowly]
    many = in_rounds(ways, runs, lambda way: open_once(browser, way))
    print(f"\n{heading(runs, series)}, {about(browser)}; wanted: on screen in under 1,000 ms, no request\n")
    tell(ways, many, OPENING)


def tell_scrolling(browser: Browser, workspace: Path, series: int, runs: int, speed: int) -> None:
    """How smoothly the page goes by, and how soon an answer is seen."""
    subprocess.run([*TSCLUST, "cluster", *HUNDRED, "-w", str(workspace)], check=True, capture_output=True)
    ours = report_of(workspace)
    ways = [ours, ours.slowly, ours.all_drawn, ours.all_drawn.slowly, peer(workspace)]
    many = in_rounds(ways, runs, lambda way: scroll_once(browser, way, speed))
    print(f"\n{heading(runs, series)}, {about(browser)}; wanted: smooth\n")
    tell(ways, many, SCROLLING)


def report_of(workspace: Path) -> Way:
    path = run_report(workspace).path
    return Way(f"the report, {candidates(path)} groups", path)


def about(browser: Browser) -> str:
    return f"Chromium {browser.version}, {WINDOW['width']} x {WINDOW['height']}"


def in_rounds(ways: Sequence[Way], runs: int, once: Callable[[Way], Told]) -> list[list[Told]]:
    """What was measured of each way; each round has every way once."""
    many: list[list[Told]] = [[] for _ in ways]
    for _ in range(runs):
        for way, done in zip(ways, many, strict=True):
            done.append(once(way))
            print(way.name, {name: round(value, 3) for name, value in done[-1].items()}, file=sys.stderr)
    return many


def tell(ways: Sequence[Way], many: Sequence[Sequence[Told]], columns: Mapping[str, Column]) -> None:
    """A table; a cell is empty where there was nothing to measure."""
    print(f"| page | bytes | {' | '.join(columns)} |\n| --- |" + " ---: |" * (1 + len(columns)))
    for way, done in zip(ways, many, strict=True):
        cells = [
            format(of([told[name] for told in done]), shown) if name in done[0] else ""
            for name, of, shown in columns.values()
        ]
        print(f"| {way.name} | {way.path.stat().st_size:,} | {' | '.join(cells)} |")


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-w", "--workspace", type=Path, help="with series, features and clusters; it is only read")
    parser.add_argument("--series", type=int, default=1_000_000, help="to make where no workspace is named")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS[:3], help="these parts alone")
    parser.add_argument("--memory", action="store_true", help="the command also on 3/10 and 3 times a million series")
    parser.add_argument(
        "--speed", type=int, default=3_000, help="of the wheel, in pixels a second (default %(default)s)"
    )
    return parser.parse_args()


def main() -> None:
    given = arguments()
    only = {*given.only, *(["memory"] if given.memory else [])}
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        run_report(made(root, FEW))  # compiles, where that was not done on this machine
        if only != {"memory"}:
            in_parts(given, only, root)
        if "memory" in only:
            tell_memory(root, given.runs)


def in_parts(given: argparse.Namespace, only: set[str], root: Path) -> None:
    """All but the memory."""
    source = given.workspace or made(root, given.series)
    series = Workspace.open(source).manifest(SERIES).rows
    if "command" in only:
        tell_command(beside(root / "command", source), series, given.runs)
    with chromium() as browser:
        if "opening" in only:
            tell_opening(browser, beside(root / "opening", source), series, given.runs)
        if "scrolling" in only:
            hundred = beside(root / "scrolling", source, "clusters")
            tell_scrolling(browser, hundred, series, given.runs, given.speed)


if __name__ == "__main__":
    main()
