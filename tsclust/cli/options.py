"""Options that several commands share."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Annotated, Any

import typer

Root = Annotated[
    Path,
    typer.Option(
        "-w", "--workspace", envvar="TSCLUST_WORKSPACE", help="The workspace folder.", show_default="here",
    ),
]  # fmt: skip
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object per stage instead of text.")]
Baseline = Annotated[
    list[str] | None,
    typer.Option(help="Compare each series only with those that have the same value in this column; repeatable."),
]
Save = Annotated[bool, typer.Option("--save", help="Write the settings that differ from tsclust.toml there.")]
ToTable = Annotated[str, typer.Option(help="Also write the scores to this table in PostgreSQL: schema.table")]
FailOnDrift = Annotated[bool, typer.Option("--check", help="Exit with code 17 if series have drifted since training.")]
HERE = Path()

Resolve = Annotated[
    str | None,
    typer.Option(help="If labellers contradict each other: majority, newest, or the labeller to trust."),
]

# Which series: for what reads from a source.
Table = Annotated[str | None, typer.Option(help="Read this table or view: schema.table")]
Query = Annotated[str | None, typer.Option(help="Read the result of this query: SQL, or a .sql file.")]
Files = Annotated[
    str | None, typer.Option("--from", help="Read a file, folder, pattern or s3://BUCKET/KEY: CSV, Parquet, pg_dump.")
]
Layout = Annotated[str | None, typer.Option(help="array, long (a row per value), wide, or auto: detect it.")]
Id = Annotated[str | None, typer.Option("--id", help="The column of the id, or several: machine_id,cycle_id")]
Values = Annotated[str | None, typer.Option(help="The column of the values; wide: a pattern such as v*")]
Order = Annotated[str | None, typer.Option(help="The column that long rows are ordered by.")]
Carry = Annotated[list[str] | None, typer.Option(help="Carry this column along; repeatable.")]
Missing = Annotated[
    list[str] | None, typer.Option(help="A text that means a missing value, besides the common ones; repeatable.")
]
TimeFormat = Annotated[str | None, typer.Option(help="How times are written: '%d/%m/%Y %H:%M:%S', or duration.")]
Where = Annotated[str | None, typer.Option(help="Read only these rows: an SQL condition.")]
Limit = Annotated[int | None, typer.Option(help="Read at most this many series, for a first look.")]
Sample = Annotated[str | None, typer.Option(help="Read only this share of the series, e.g. 1%.")]
Merge = Annotated[
    bool | None,
    typer.Option(
        "--merge/--no-merge", help="Rows with one id are one series, even where other columns, files or places differ."
    ),
]


def place(files: str) -> str:
    """A path from where one stands, as one that is right from anywhere; the address of objects as it is."""
    return files if "://" in files else str(Path(files).expanduser().absolute())


def selection(
    table: Table = None, query: Query = None, files: Files = None, layout: Layout = None, id_: Id = None,
    values: Values = None, order: Order = None, carry: Carry = None, where: Where = None, limit: Limit = None,
    sample: Sample = None, missing: Missing = None, time_format: TimeFormat = None, merge: Merge = None,
) -> dict[str, object]:  # fmt: skip
    """What the command line sets of the source; what it leaves open stays out.

    A table may be one of the files'. The flag's path is relative to where one stands, the setting's to the workspace.
    """
    from tsclust.config import MISSING  # pydantic takes a while, and --help does without

    path = place(files) if files else None
    return {
        "table": table or None, "query": query or None, "files": path, "layout": layout, "id": id_, "values": values,
        "order": order, "carry": carry, "where": where, "limit": limit, "sample": sample,
        "missing": [*MISSING, *missing] if missing else None, "time_format": time_format, "merge": merge,
    }  # fmt: skip


# Who does the parts.
Scheduler = Annotated[
    str | None,
    typer.Option("--engine", help="Have the work done by a Dask cluster: dask://HOST:8786; '': on this machine."),
]
CaFile = Annotated[Path | None, typer.Option("--tls-ca-file", help="The cluster's CA certificate, in PEM.")]
Certificate = Annotated[Path | None, typer.Option("--tls-cert", help="The certificate to show the cluster, in PEM.")]
Key = Annotated[Path | None, typer.Option("--tls-key", help="The key of that certificate, in PEM.")]


def engine(
    scheduler: Scheduler = None, tls_ca_file: CaFile = None, tls_cert: Certificate = None, tls_key: Key = None
) -> dict[str, object]:
    """What the command line sets of the engine. Paths are relative to where one stands, as those of `selection`."""
    files = {"tls_ca_file": tls_ca_file, "tls_cert": tls_cert, "tls_key": tls_key}
    return {"scheduler": scheduler, **{name: str(path.absolute()) if path else None for name, path in files.items()}}


def with_engine(command: Callable[..., None]) -> Callable[..., None]:
    """The command with the options of `engine`, which it gets as its parameter `engine`, before --json."""
    return _with(command, engine, "engine", 1)


def with_selection(command: Callable[..., None]) -> Callable[..., None]:
    """The command with the options of `selection`, which it gets as its parameter `source`, behind the workspace."""
    return _with(command, selection, "source", None)


def _with(
    command: Callable[..., None], options: Callable[..., dict[str, object]], name: str, last: int | None
) -> Callable[..., None]:
    """The command with these options, which it gets as its parameter `name`: before its `last` ones, or behind the
    first."""
    own, more = (inspect.signature(one, eval_str=True).parameters for one in (command, options))

    @wraps(command)
    def wrapped(**given: object) -> None:
        chosen: dict[str, Any] = {option: given.pop(option) for option in more}
        command(**given, **{name: options(**chosen)})

    rest = [parameter for option, parameter in own.items() if option != name]
    at = 1 if last is None else len(rest) - last
    wrapped.__dict__["__signature__"] = inspect.Signature([*rest[:at], *more.values(), *rest[at:]])
    wrapped.__annotations__ = {}  # typer reads the signature
    return wrapped
