"""The commands from the source to the report: options, one call, printing."""

from __future__ import annotations

import webbrowser
from pathlib import Path
from typing import Annotated, Literal

import typer

import tsclust
from tsclust.cli import asking
from tsclust.cli import stream as streamed
from tsclust.cli.options import (
    HERE,
    Baseline,
    FailOnDrift,
    Json,
    Root,
    Save,
    ToTable,
    place,
    with_engine,
    with_selection,
)
from tsclust.cli.runtime import shown
from tsclust.errors import DamagedError


def demo(
    root: Root = Path("demo"),
    series: Annotated[int, typer.Option(help="How many cycles to generate.")] = 1_000_000,
    seed: Annotated[int, typer.Option(help="Random seed: another one generates other cycles.")] = 1,
    lang: Annotated[str | None, typer.Option(help="Language of the report: en or ru.")] = None,
    keep_server: Annotated[
        bool, typer.Option("--keep-server", help="Leave PostgreSQL running and print its DSN.")
    ] = False,
    stream: Annotated[
        bool, typer.Option("--stream", help="Instead: machines send to a broker, and a fault on one is named.")
    ] = False,
    json: Json = False,
) -> None:
    """Run every stage on a million synthetic cycles in an embedded PostgreSQL, and write the report."""
    if stream:
        streamed.demo(root / "stream", json)
        return
    with shown(json) as (listen, show):
        show(tsclust.demo(root, series, seed, lang=lang, keep_server=keep_server, listen=listen), costs=True)


def init(
    root: Root = HERE,
    table: Annotated[str, typer.Option(help="The table or view with the series: schema.table")] = "",
    files: Annotated[str, typer.Option("--from", help="The file, folder or pattern with the series.")] = "",
    baseline: Baseline = None,
    json: Json = False,
) -> None:
    """Write a commented tsclust.toml and SQL examples to adapt, in sql/. On a terminal, ask what is recorded."""
    said = asking.ask() if asking.is_possible(root) and not json else {}
    where = place(files) if files else ""
    with shown(json) as (_, show):
        show([tsclust.init(root, table, baseline, files=where, report=said)])


@with_selection
def extract(
    source: dict[str, object],
    root: Root = HERE,
    update: Annotated[bool, typer.Option("--update", help="Add what is new since the last extract.")] = False,
    strict: Annotated[
        bool, typer.Option("--strict", help="Insist on one snapshot: start over instead of resuming.")
    ] = False,
    save: Annotated[bool, typer.Option("--save", help="Write given and detected settings to tsclust.toml.")] = False,
    compare: Annotated[
        bool, typer.Option("--compare", help="Only count what is new, gone or changed in the source; reads all of it.")
    ] = False,
    json: Json = False,
) -> None:
    """Read the series into series/: from PostgreSQL, a pg_dump file, CSV or Parquet."""
    with shown(json) as (listen, show):
        show(
            [
                tsclust.extract(
                    root, {"source": source}, listen, update=update, strict=strict, save=save, comparing=compare
                )
            ]
        )


@with_engine
def features(
    engine: dict[str, object],
    root: Root = HERE,
    peak: Annotated[str | None, typer.Option(help="Which way the peak points: auto, max or min.")] = None,
    save: Save = False,
    json: Json = False,
) -> None:
    """Describe every series by its features and set aside what cannot be real."""
    with shown(json) as (listen, show):
        show([tsclust.features(root, {"features": {"peak": peak}, "engine": engine}, listen, save=save)])


@with_engine
def filter_(
    engine: dict[str, object],
    root: Root = HERE,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would change, write nothing.")] = False,
    rule: Annotated[str | None, typer.Option("--show", help="Show the series that this rule rejects.")] = None,
    limit: Annotated[int | None, typer.Option(help="How many to show (0: list all ids).")] = None,
    html: Annotated[
        bool, typer.Option("--html", help="Write an HTML page for each rule, or with --show for that rule only.")
    ] = False,
    json: Json = False,
) -> None:
    """Apply the rules again and show what each one rejects."""
    with shown(json) as (listen, show):
        show([tsclust.filter(root, {"engine": engine}, listen, dry_run=dry_run, show=rule, html=html, limit=limit)])


@with_engine
def cluster(
    engine: dict[str, object],
    root: Root = HERE,
    k: Annotated[str | None, typer.Option("--k", help="Numbers of clusters to try, e.g. 2..40")] = None,
    scaling: Annotated[str | None, typer.Option(help="exceedance, robust or standard.")] = None,
    baseline: Baseline = None,
    groups: Annotated[int | None, typer.Option(help="How many groups to propose for review.")] = None,
    seed: Annotated[int | None, typer.Option(help="Random seed: another one gives other starting points.")] = None,
    within: Annotated[int | None, typer.Option(help="Sweep inside this group, and add the groups found there.")] = None,
    unlabelled: Annotated[
        bool, typer.Option("--unlabelled", help="Sweep only the series that have neither a label nor a predicted kind.")
    ] = False,
    trial: Annotated[
        bool, typer.Option("--try", help="Only show what would be found; clusters/ stays as it is.")
    ] = False,
    save: Save = False,
    json: Json = False,
) -> None:
    """Run K-means++ over the whole sweep of k and find the groups in it."""
    of_sweep = {"k": k, "scaling": scaling, "baseline": baseline, "groups": groups, "seed": seed}
    said = {"cluster": of_sweep, "engine": engine}
    with shown(json) as (listen, show):
        show([tsclust.cluster(root, said, listen, within=within, unlabelled=unlabelled, trial=trial, save=save)])


@with_engine
def report(
    engine: dict[str, object],
    root: Root = HERE,
    kind: Annotated[
        Literal["groups", "features"],
        typer.Option(help="groups, or features: distributions and what the rules reject."),
    ] = "groups",
    name: Annotated[
        str | None, typer.Option(help="Name of the file in reports/, without .html", show_default="report, or features")
    ] = None,
    lang: Annotated[str | None, typer.Option(help="Language: en or ru.")] = None,
    title: Annotated[str | None, typer.Option(help="Title of the page.")] = None,
    charts: Annotated[bool | None, typer.Option(help="Include the charts of the overview, 2 MB of the file.")] = None,
    k: Annotated[int | None, typer.Option("--k", help="Show every cluster of the model with this k instead.")] = None,
    group: Annotated[int | None, typer.Option(help="Show only this group.")] = None,
    all_: Annotated[bool, typer.Option("--all", help="Also show groups that are already named and unchanged.")] = False,
    split: Annotated[int | None, typer.Option(help="Write files of this many groups each, and an index.")] = None,
    sheet: Annotated[
        int | None, typer.Option(help="Ask about this many single series, to check what the model misses. 0: none.")
    ] = None,
    open_: Annotated[bool, typer.Option("--open", help="Open it in the browser.")] = False,
    save: Save = False,
    json: Json = False,
) -> None:
    """Write one HTML file with the groups, for an expert to review, or with the features, for writing rules."""
    of_page = {"lang": lang, "title": title, "charts": charts, "split": split, "sheet": sheet}
    said = {"report": of_page, "engine": engine}
    with shown(json) as (listen, show):
        done = tsclust.report(root, said, listen, name=name, kind=kind, k=k, group=group, everything=all_, save=save)
        show([done])
    if open_ and done.wrote:
        webbrowser.open(done.wrote.absolute().as_uri())


@with_engine
@with_selection
def run(
    source: dict[str, object],
    engine: dict[str, object],
    root: Root = HERE,
    baseline: Baseline = None,
    lang: Annotated[str | None, typer.Option(help="Language of the report: en or ru.")] = None,
    sweep: Annotated[
        bool, typer.Option("--sweep", help="Also look for groups anew in all series, and write a report.")
    ] = False,
    to_table: ToTable = "",
    check: FailOnDrift = False,
    json: Json = False,
) -> None:
    """Take in answers and new series, then every stage that is out of date; from nothing to the report, too."""
    said = {"source": source, "cluster": {"baseline": baseline}, "report": {"lang": lang}, "engine": engine}
    with shown(json) as (listen, show):
        show(tsclust.run(root, said, listen, sweep=sweep, check=check, to_table=to_table), costs=True)


def status(
    root: Root = HERE,
    offline: Annotated[bool, typer.Option("--offline", help="Do not ask the source for what is new there.")] = False,
    json: Json = False,
) -> None:
    """Report which stages exist, which are out of date, and how many series the source has that are not here."""
    with shown(json) as (_, show):
        show([tsclust.status(root, offline=offline)])


def verify(root: Root = HERE, json: Json = False) -> None:
    """Check that every file is what was written, and report what is damaged: exit code 14."""
    with shown(json) as (listen, show):
        done = tsclust.verify(root, {}, listen)
        show([done])
    if done.facts and done.facts["damaged"]:
        names = ", ".join(done.facts["damaged"])
        raise DamagedError(f"{root} is damaged, in {names}", "Make these again as shown")
