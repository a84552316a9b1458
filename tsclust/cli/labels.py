"""The commands from the experts' answers to scores: options, one call, printing."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

import tsclust
from tsclust.cli.options import (
    HERE,
    FailOnDrift,
    Json,
    Resolve,
    Root,
    Save,
    ToTable,
    with_engine,
    with_selection,
)
from tsclust.cli.runtime import shown

AVOID = 'Answer "don\'t know" often enough to avoid this share of errors, e.g. 80%.'


@with_engine
def import_(
    engine: dict[str, object],
    files: Annotated[list[Path] | None, typer.Argument(help="Answers files that experts saved: answers-*.json")] = None,
    root: Root = HERE,
    resolve: Resolve = None,
    older: Annotated[bool, typer.Option("--older", help="Also accept answers about an earlier sweep.")] = False,
    json: Json = False,
) -> None:
    """Import experts' answers; all files or none."""
    with shown(json) as (listen, show):
        said = {"labels": {"resolve": resolve}, "engine": engine}
        show([tsclust.labels_import(root, files or [], said, listen, older=older)])


@with_engine
def review(
    engine: dict[str, object],
    root: Root = HERE,
    limit: Annotated[int, typer.Option(min=1, max=1_000, help="How many labels to show, most suspicious first.")] = 40,
    name: Annotated[str, typer.Option(help="Name of the file in reports/, without .html")] = "review",
    lang: Annotated[str | None, typer.Option(help="Language: en or ru.")] = None,
    resolve: Resolve = None,
    json: Json = False,
) -> None:
    """Write a report of labels that are probably wrong; answers to it are imported like all others."""
    said = {"report": {"lang": lang}, "labels": {"resolve": resolve}, "engine": engine}
    with shown(json) as (listen, show):
        show([tsclust.labels_review(root, said, listen, limit=limit, name=name)])


def list_(root: Root = HERE, json: Json = False) -> None:
    """List the answers files that were imported, and what came of each."""
    with shown(json) as (listen, show):
        show([tsclust.labels_list(root, {}, listen)])


def remove(
    files: Annotated[list[str] | None, typer.Argument(help="Answers files: names or ids of `labels list`.")] = None,
    root: Root = HERE,
    labeller: Annotated[str, typer.Option(help="Remove all files of this labeller.")] = "",
    json: Json = False,
) -> None:
    """Remove imported answers files, and the labels that came of them; undo brings them back."""
    with shown(json) as (listen, show):
        show([tsclust.labels_remove(root, files or [], {}, listen, labeller=labeller)])


def export(
    to: Annotated[Path | None, typer.Argument(help="A .csv or .parquet file.")] = None,
    root: Root = HERE,
    to_table: Annotated[str, typer.Option(help="Write them to this table in PostgreSQL: schema.table")] = "",
    resolve: Resolve = None,
    json: Json = False,
) -> None:
    """Export the labels, to a file or back into PostgreSQL; with --resolve, one per series."""
    with shown(json) as (listen, show):
        show([tsclust.labels_export(root, to, {"labels": {"resolve": resolve}}, listen, to_table=to_table)])


@with_engine
def export_(
    engine: dict[str, object],
    root: Root = HERE,
    bundle: Annotated[
        Path | None, typer.Option(help="Write a bundle for Scorer and tsclust serve, e.g. model.zip")
    ] = None,
    onnx: Annotated[
        Path | None, typer.Option(help="Write an ONNX graph from features to answers, e.g. model.onnx")
    ] = None,
    page: Annotated[
        Path | None, typer.Option(help="Write a page that scores recordings in a browser, offline, e.g. model.html")
    ] = None,
    lang: Annotated[str | None, typer.Option(help="Language of the page: en or ru.")] = None,
    json: Json = False,
) -> None:
    """Write the model as one file, for another machine or another language."""
    with shown(json) as (listen, show):
        said = {"report": {"lang": lang}, "engine": engine}
        show([tsclust.export(root, bundle, said, listen, onnx=onnx, page=page)])


@with_engine
def train(
    engine: dict[str, object],
    root: Root = HERE,
    reject_errors: Annotated[str | None, typer.Option(help=AVOID)] = None,
    answer: Annotated[str | None, typer.Option(help="Answer at least this share of series, e.g. 99%.")] = None,
    machine: Annotated[str | None, typer.Option(help="The column that names the machine.")] = None,
    lang: Annotated[str | None, typer.Option(help="Language of the page: en or ru.")] = None,
    resolve: Resolve = None,
    save: Save = False,
    json: Json = False,
) -> None:
    """Learn the kinds from the labels, and when to say "don't know"."""
    of_model = {"reject_errors": reject_errors, "answer": answer, "machine": machine}
    said = {"train": of_model, "labels": {"resolve": resolve}, "report": {"lang": lang}, "engine": engine}
    with shown(json) as (listen, show):
        show([tsclust.train(root, said, listen, save=save)])


@with_engine
@with_selection
def score(
    source: dict[str, object],
    engine: dict[str, object],
    root: Root = HERE,
    refuse: Annotated[
        str | None, typer.Option(help="Leave this share of series unanswered, e.g. 5%; '': as trained.")
    ] = None,
    since: Annotated[str, typer.Option(help="Only series of the source recorded since then: 7d, 12h, 2w.")] = "",
    to_table: ToTable = "",
    check: FailOnDrift = False,
    json: Json = False,
) -> None:
    """Predict the kind of each series of the workspace, or of new ones; it may be "don't know" or "none of these"."""
    from tsclust.pipeline.score import drifted  # takes a while

    with shown(json) as (listen, show):
        said = {"source": source, "engine": engine}
        done = tsclust.score(root, said, listen, refuse=refuse, to_table=to_table, since=since)
        show([done])
    if check and done.facts and done.facts["drift"]["found"]:
        raise drifted(done)
