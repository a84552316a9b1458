"""tsclust finds the kinds of malfunction hidden in a million short sensor series, for an expert to name.

Every command of the command line is a function here: `tsclust.extract(Path("ws"))` is `tsclust extract -w ws`.
`tsclust.open(Path("ws"))` gives a workspace to a notebook, `tsclust.figures(Path("ws"))` only the report's pictures;
`tsclust.Scorer.open("model").score(table)` scores series by a trained model without a workspace.

The house, a later line above an earlier one (pyproject.toml holds the arrows, CONTRIBUTING.md says where to add what):

    cli                   the door for people: the command line
    notebook, serve       doors for programs: tsclust.open() and its figures; jobs, pages and scores over HTTP
    pipeline              a module for each command: settings, lock, rooms, Result
    simulation            synthetic machines and experts who know the truth
    embedded_postgres     a PostgreSQL for the demo and the tests
    stages.reports        7  pages of groups and features, charts
    stages.scores         6  what new series are, drift
    stages.model          5  the classifier that labels train
    stages.labels         4  answers files, labels, what a group is called
    stages.clusters       3  scaling, the sweep of k, groups
    stages.features       2  numbers that describe a series, rules
    stages.series         1  series/, read from a source
    sink, source          where results go to, where series come from
    workspace, config     folders that appear whole, manifests, Parquet; tsclust.toml
    engine                a pure function over parts, in order
    wording               the report's texts in two languages, numbers, sentences
    series, arrays, ...   series as flat arrays, hashes, times, errors
"""

from __future__ import annotations

TYPE_CHECKING = False  # typing's own, without importing it: until our first line runs, Ctrl-C is a traceback

__version__ = "0.1.0"

# function or class -> its module, loaded when first used: `tsclust --help` answers at once.
_PUBLIC = {
    "Scorer": "stages.scores.scorer",
    "cluster": "pipeline.cluster",
    "demo": "pipeline.demo",
    "diff": "pipeline.diff",
    "export": "pipeline.export",
    "extract": "pipeline.extract",
    "features": "pipeline.features",
    "figures": "pipeline.report",
    "filter": "pipeline.filter",
    "history": "pipeline.history",
    "init": "pipeline.init",
    "labels_export": "pipeline.labels_export",
    "labels_import": "pipeline.labels_import",
    "labels_list": "pipeline.labels_list",
    "labels_remove": "pipeline.labels_remove",
    "labels_review": "pipeline.labels_review",
    "open": "notebook.view",
    "prune": "pipeline.prune",
    "report": "pipeline.report",
    "run": "pipeline.run",
    "score": "pipeline.score",
    "status": "pipeline.status",
    "train": "pipeline.train",
    "undo": "pipeline.undo",
    "verify": "pipeline.verify",
}
__all__ = ["__version__", *_PUBLIC]


if TYPE_CHECKING:
    from tsclust.notebook.view import open as open
    from tsclust.pipeline.cluster import cluster as cluster
    from tsclust.pipeline.demo import demo as demo
    from tsclust.pipeline.diff import diff as diff
    from tsclust.pipeline.export import export as export
    from tsclust.pipeline.extract import extract as extract
    from tsclust.pipeline.features import features as features
    from tsclust.pipeline.filter import filter as filter
    from tsclust.pipeline.history import history as history
    from tsclust.pipeline.init import init as init
    from tsclust.pipeline.labels_export import labels_export as labels_export
    from tsclust.pipeline.labels_import import labels_import as labels_import
    from tsclust.pipeline.labels_list import labels_list as labels_list
    from tsclust.pipeline.labels_remove import labels_remove as labels_remove
    from tsclust.pipeline.labels_review import labels_review as labels_review
    from tsclust.pipeline.prune import prune as prune
    from tsclust.pipeline.report import figures as figures
    from tsclust.pipeline.report import report as report
    from tsclust.pipeline.run import run as run
    from tsclust.pipeline.score import score as score
    from tsclust.pipeline.status import status as status
    from tsclust.pipeline.train import train as train
    from tsclust.pipeline.undo import undo as undo
    from tsclust.pipeline.verify import verify as verify
    from tsclust.stages.scores.scorer import Scorer as Scorer
else:

    def __getattr__(name: str) -> object:
        if name not in _PUBLIC:
            raise AttributeError(f"module 'tsclust' has no attribute {name!r}")
        import importlib

        return getattr(importlib.import_module(f"tsclust.{_PUBLIC[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_PUBLIC})
