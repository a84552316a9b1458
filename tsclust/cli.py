"""The commands: options, one call, printing. The only place that catches errors."""

from __future__ import annotations

import atexit
import gc
import os
import signal
import sys
import webbrowser
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from typer.core import TyperGroup

import tsclust
from tsclust.errors import DriftError, TsclustError


class Commands(TyperGroup):
    """Every command runs inside `told`: an error becomes one line and an exit code."""

    def invoke(self, ctx: Any) -> Any:
        with told():
            return super().invoke(ctx)


app = typer.Typer(
    cls=Commands, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False,
    help="Find the kinds of malfunction hidden in a million short sensor series, for an expert to name.",
    epilog="A workspace from the start: tsclust init -w DIR; then extract, features, filter, cluster, report (or: run)",
)  # fmt: skip

Root = Annotated[Path, typer.Option("-w", "--workspace", help="The workspace folder.", show_default="here")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object per stage instead of text.")]
HERE = Path()

# Which series: for what reads from a source.
Table = Annotated[str | None, typer.Option(help="Read this table or view: schema.table")]
Query = Annotated[str | None, typer.Option(help="Read what this query gives: SQL, or a .sql file.")]
Files = Annotated[str | None, typer.Option("--from", help="Read a file, folder or pattern: CSV, Parquet, pg_dump.")]
Layout = Annotated[str | None, typer.Option(help="array, long (a row a value), wide, or auto: find it.")]
Id = Annotated[str | None, typer.Option("--id", help="The column of the id.")]
Values = Annotated[str | None, typer.Option(help="The column of the values; wide: a pattern, v*")]
Order = Annotated[str | None, typer.Option(help="The column that long rows are ordered by.")]
Carry = Annotated[list[str] | None, typer.Option(help="Take this column along; repeatable.")]
Where = Annotated[str | None, typer.Option(help="Only these rows: an SQL condition.")]
Limit = Annotated[int | None, typer.Option(help="Only so many series, for a first look.")]
Sample = Annotated[str | None, typer.Option(help="Only this share of the series: 1%")]


def selection(
    table: str | None, query: str | None, files: str | None, layout: str | None, id_: str | None, values: str | None,
    order: str | None, carry: list[str] | None, where: str | None, limit: int | None, sample: str | None,
) -> dict[str, object]:  # fmt: skip
    """What the command line says of the source; what it does not say stays out.

    A place on the command line replaces whichever the file has; a table may be one of the files'. The flag's path is
    relative to where one stands, the setting's to the workspace.
    """
    path = str(Path(files).expanduser().absolute()) if files else ""
    place = {"table": table or "", "query": query or "", "files": path} if table or query or files else {}
    said: dict[str, object] = {"layout": layout, "id": id_, "values": values, "order": order, "carry": carry}
    return said | {"where": where, "limit": limit, "sample": sample, **place}


@app.command()
def demo(
    root: Root = Path("demo"),
    series: Annotated[int, typer.Option(help="How many cycles to make.")] = 1_000_000,
    seed: Annotated[int, typer.Option(help="Another seed makes other cycles.")] = 1,
    lang: Annotated[str | None, typer.Option(help="Language of the report: en or ru.")] = None,
    keep_server: Annotated[
        bool, typer.Option("--keep-server", help="Leave PostgreSQL running and print its DSN.")
    ] = False,
    json: Json = False,
) -> None:
    """An embedded PostgreSQL, a million made cycles, every stage, the report."""
    with shown(json) as (listen, show):
        show(tsclust.demo(root, series, seed, lang=lang, keep_server=keep_server, listen=listen), costs=True)


@app.command()
def init(
    root: Root = HERE,
    table: Annotated[str, typer.Option(help="The table or view with the series: schema.table")] = "",
    baseline: Annotated[
        list[str] | None, typer.Option(help="Compare series that share this column; repeatable.")
    ] = None,
    json: Json = False,
) -> None:
    """Write a commented tsclust.toml and the sql/ to adapt."""
    with shown(json) as (_, show):
        show([tsclust.init(root, table, baseline or ())])


@app.command()
def extract(
    root: Root = HERE,
    table: Table = None,
    query: Query = None,
    files: Files = None,
    layout: Layout = None,
    id_: Id = None,
    values: Values = None,
    order: Order = None,
    carry: Carry = None,
    where: Where = None,
    limit: Limit = None,
    sample: Sample = None,
    update: Annotated[bool, typer.Option("--update", help="Add what is new since the last time.")] = False,
    strict: Annotated[
        bool, typer.Option("--strict", help="One snapshot or none: start over instead of going on.")
    ] = False,
    save: Annotated[bool, typer.Option("--save", help="Write what was said and found to tsclust.toml.")] = False,
    json: Json = False,
) -> None:
    """Read the series into series/: from PostgreSQL, a pg_dump file, CSV or Parquet."""
    said = selection(table, query, files, layout, id_, values, order, carry, where, limit, sample)
    with shown(json) as (listen, show):
        show([tsclust.extract(root, {"source": said}, listen, update=update, strict=strict, save=save)])


@app.command()
def features(
    root: Root = HERE,
    peak: Annotated[str | None, typer.Option(help="Which way the peak points: auto, max or min.")] = None,
    json: Json = False,
) -> None:
    """Describe every series by its features and set aside what cannot be real."""
    with shown(json) as (listen, show):
        show([tsclust.features(root, {"features": {"peak": peak}}, listen)])


@app.command("filter")
def filter_(
    root: Root = HERE,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would change, write nothing.")] = False,
    rule: Annotated[str | None, typer.Option("--show", help="Show the series that this rule rejects.")] = None,
    limit: Annotated[int | None, typer.Option(help="Show so many of them; 0: the ids of all.")] = None,
    html: Annotated[bool, typer.Option("--html", help="Draw them in a page for each rule, or for --show's.")] = False,
    json: Json = False,
) -> None:
    """Apply the rules again and show what each one rejects."""
    with shown(json) as (listen, show):
        show([tsclust.filter(root, {}, listen, dry_run=dry_run, show=rule, html=html, limit=limit)])


@app.command()
def cluster(
    root: Root = HERE,
    k: Annotated[str | None, typer.Option("--k", help="Numbers of clusters to try, e.g. 2..40")] = None,
    scaling: Annotated[str | None, typer.Option(help="exceedance, robust or standard.")] = None,
    baseline: Annotated[
        list[str] | None, typer.Option(help="Compare series that share this column; repeatable.")
    ] = None,
    groups: Annotated[int | None, typer.Option(help="How many groups to propose for a look.")] = None,
    seed: Annotated[int | None, typer.Option(help="Another seed, other starts.")] = None,
    within: Annotated[int | None, typer.Option(help="Sweep inside this group, and add the groups found there.")] = None,
    unlabelled: Annotated[
        bool, typer.Option("--unlabelled", help="Only series that neither a label nor score says anything of.")
    ] = False,
    json: Json = False,
) -> None:
    """Run K-means++ over the whole sweep of k and find the groups in it."""
    said = {"k": k, "scaling": scaling, "baseline": baseline, "groups": groups, "seed": seed}
    with shown(json) as (listen, show):
        show([tsclust.cluster(root, {"cluster": said}, listen, within=within, unlabelled=unlabelled)])


@app.command()
def report(
    root: Root = HERE,
    kind: Annotated[
        Literal["groups", "features"],
        typer.Option(help="What it shows: the groups, or the features and what the rules reject."),
    ] = "groups",
    name: Annotated[
        str | None, typer.Option(help="Name of the file in reports/, without .html", show_default="report, or features")
    ] = None,
    lang: Annotated[str | None, typer.Option(help="Language: en or ru.")] = None,
    title: Annotated[str | None, typer.Option(help="Title of the page.")] = None,
    charts: Annotated[bool | None, typer.Option(help="The overview's charts: 2 MB of the file.")] = None,
    k: Annotated[int | None, typer.Option("--k", help="Every cluster of the model with so many, instead.")] = None,
    group: Annotated[int | None, typer.Option(help="This one group.")] = None,
    all_: Annotated[bool, typer.Option("--all", help="Groups, too, that are named already and unchanged.")] = False,
    split: Annotated[int | None, typer.Option(help="Several files with so many groups each, and an index.")] = None,
    open_: Annotated[bool, typer.Option("--open", help="Open it in the browser.")] = False,
    json: Json = False,
) -> None:
    """Write one HTML file with the groups, for an expert to look at, or with the features, for writing rules."""
    said = {"report": {"lang": lang, "title": title, "charts": charts, "split": split}}
    with shown(json) as (listen, show):
        done = tsclust.report(root, said, listen, name=name, kind=kind, k=k, group=group, everything=all_)
        show([done])
    if open_:
        webbrowser.open(done.wrote.absolute().as_uri())


labels = typer.Typer(no_args_is_help=True, help="What experts have said: take it in, look it over, give it out.")
app.add_typer(labels, name="labels")

Resolve = Annotated[
    str | None, typer.Option(help="Where labellers contradict each other: majority, newest, or whose label counts.")
]


@labels.command("import")
def labels_import(
    files: Annotated[list[Path] | None, typer.Argument(help="Files that experts saved: answers-*.json")] = None,
    root: Root = HERE,
    resolve: Resolve = None,
    older: Annotated[bool, typer.Option("--older", help="Also answers about an earlier sweep.")] = False,
    json: Json = False,
) -> None:
    """Take in what experts have answered; all files, or none of them."""
    with shown(json) as (listen, show):
        said = {"labels": {"resolve": resolve}}
        show([tsclust.labels_import(root, files or [], said, listen, older=older)])


@labels.command("review")
def labels_review(
    root: Root = HERE,
    limit: Annotated[int, typer.Option(min=1, max=1_000, help="So many, the most suspicious.")] = 40,
    name: Annotated[str, typer.Option(help="Name of the file in reports/, without .html")] = "review",
    lang: Annotated[str | None, typer.Option(help="Language: en or ru.")] = None,
    resolve: Resolve = None,
    json: Json = False,
) -> None:
    """Write a report of labels that are probably wrong, whose answers are imported like all others."""
    said = {"report": {"lang": lang}, "labels": {"resolve": resolve}}
    with shown(json) as (listen, show):
        show([tsclust.labels_review(root, said, listen, limit=limit, name=name)])


@labels.command("export")
def labels_export(
    to: Annotated[Path | None, typer.Argument(help="A .csv or .parquet file.")] = None,
    root: Root = HERE,
    to_table: Annotated[str, typer.Option(help="Write them to this table in PostgreSQL: schema.table")] = "",
    resolve: Resolve = None,
    json: Json = False,
) -> None:
    """Give the labels out, to a file or back into PostgreSQL; with --resolve one for each series."""
    with shown(json) as (listen, show):
        show([tsclust.labels_export(root, to, {"labels": {"resolve": resolve}}, listen, to_table=to_table)])


@app.command()
def train(
    root: Root = HERE,
    reject_errors: Annotated[str | None, typer.Option(help="Say don't know so often: 80% of the errors.")] = None,
    answer: Annotated[str | None, typer.Option(help="Say it so seldom: 99% of the series are answered.")] = None,
    machine: Annotated[str | None, typer.Option(help="The column that names the machine.")] = None,
    resolve: Resolve = None,
    json: Json = False,
) -> None:
    """Learn the kinds from the labels, and when to say "don't know"."""
    said = {"train": {"reject_errors": reject_errors, "answer": answer, "machine": machine}}
    with shown(json) as (listen, show):
        show([tsclust.train(root, said | {"labels": {"resolve": resolve}}, listen)])


@app.command()
def score(
    root: Root = HERE,
    table: Table = None,
    query: Query = None,
    files: Files = None,
    layout: Layout = None,
    id_: Id = None,
    values: Values = None,
    order: Order = None,
    carry: Carry = None,
    where: Where = None,
    limit: Limit = None,
    sample: Sample = None,
    refuse: Annotated[str, typer.Option(help="Say don't know of this share of the series: 5%")] = "",
    to_table: Annotated[str, typer.Option(help="Write it to this table in PostgreSQL, too: schema.table")] = "",
    check: Annotated[bool, typer.Option("--check", help="Exit with 17 where series are not what they were.")] = False,
    json: Json = False,
) -> None:
    """Say of each series which kind it is, "don't know", or "none of these": of the workspace's, or of new ones."""
    said = selection(table, query, files, layout, id_, values, order, carry, where, limit, sample)
    with shown(json) as (listen, show):
        done = tsclust.score(root, {"source": said}, listen, refuse=refuse, to_table=to_table)
        show([done])
    if check and done.facts["drift"]["found"]:
        many = len(done.facts["drift"]["changed"])
        raise DriftError(f"{many} times series are not what they were when the model was trained", f"See {done.wrote}")


@app.command()
def run(root: Root = HERE, json: Json = False) -> None:
    """Run every stage that is out of date."""
    with shown(json) as (listen, show):
        show(tsclust.run(root, {}, listen), costs=True)


@app.command()
def status(root: Root = HERE, json: Json = False) -> None:
    """Say which stages are there, and which are out of date."""
    with shown(json) as (_, show):
        show([tsclust.status(root)])


@contextmanager
def shown(json: bool) -> Iterator[tuple[Any, Callable[..., None]]]:
    """(listener, show) for a command: progress bars on a terminal, results as text or JSON."""
    from tsclust import terminal

    with terminal.progress(enabled=not json) as listen:

        def show(results: Iterable[Any], costs: bool = False) -> None:
            terminal.show(results, json=json, costs=costs)

        yield listen, show


@contextmanager
def told() -> Iterator[None]:
    """An error of ours: one line on stderr and its exit code. Ctrl-C and SIGTERM: cleaned up after, 130 and 143."""
    signal.signal(signal.SIGTERM, _terminated)
    try:
        yield
    except TsclustError as error:
        raise _left(f"{error}.", error.exit_code) from None
    except BrokenPipeError:  # `tsclust status | head`: the reader has seen enough
        sys.stderr.close()
        raise typer.Exit(0) from None
    except OSError as error:  # no permission, a read-only disk, a file that went away
        raise _left(f"{error.filename or 'the system'}: {error.strerror or error}.", 1) from None
    except MemoryError:
        raise _left(_NO_MEMORY, 1) from None
    except KeyboardInterrupt:
        raise _left("interrupted; what was complete is kept, what was not is gone.", 130) from None


def _left(why: str, code: int) -> typer.Exit:
    """Say why on stderr: the one place that prints errors."""
    print(f"tsclust: {why}", file=sys.stderr)  # noqa: T201
    return typer.Exit(code)


_NO_MEMORY = (
    "the system gives no more memory; what was there before is unharmed. Free some, or lower what is held "
    "at a time: part_rows and workers in [source], coreset in [cluster]."
)


def _terminated(*_: object) -> None:
    raise SystemExit(143)


def main() -> None:
    """The entry point."""
    # Arrow's own pool keeps some 60 MB for itself; the system's gives them back. Read when pyarrow is first imported.
    os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")
    atexit.register(gc.freeze)  # nothing is collected at the end: 0.1 to 0.2 s, for what the system frees anyway
    app(prog_name="tsclust")
