"""The commands about what was before: options, one call, printing."""

from __future__ import annotations

from typing import Annotated

import typer

import tsclust
from tsclust.cli.options import HERE, Json, Root
from tsclust.cli.runtime import shown


def history(
    root: Root = HERE,
    limit: Annotated[int, typer.Option(min=0, help="How many runs to list, newest first (0: all).")] = 20,
    json: Json = False,
) -> None:
    """List what each command changed: series, groups, labels, the model's quality, drift."""
    with shown(json) as (listen, show):
        show([tsclust.history(root, {}, listen, limit=limit)])


def diff(
    a: Annotated[int, typer.Argument(help="A run, by its number in `tsclust history`.")],
    b: Annotated[int | None, typer.Argument(help="Another one; without it, what is there now.")] = None,
    root: Root = HERE,
    json: Json = False,
) -> None:
    """Compare the workspace after one run with the same after another, or as it is now."""
    with shown(json) as (listen, show):
        show([tsclust.diff(root, a, b, {}, listen)])


def undo(
    root: Root = HERE,
    redo: Annotated[bool, typer.Option("--redo", help="Make the step again that was undone last.")] = False,
    to: Annotated[int | None, typer.Option(help="Undo every step after this run of `tsclust history`.")] = None,
    json: Json = False,
) -> None:
    """Take the last step back: extract, features, filter, cluster, labels, train or score."""
    with shown(json) as (listen, show):
        show([tsclust.undo(root, {}, listen, redo=redo, to=to)])


def prune(
    root: Root = HERE,
    keep: Annotated[int | None, typer.Option(help="How many earlier states, pages and models to keep of each.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be removed, remove nothing.")] = False,
    json: Json = False,
) -> None:
    """Remove earlier states that undo could go back to, earlier reports and earlier models."""
    with shown(json) as (listen, show):
        show([tsclust.prune(root, {"history": {"keep": keep}}, listen, dry_run=dry_run)])
