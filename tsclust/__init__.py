"""tsclust finds the kinds of malfunction hidden in a million short sensor series, for an expert to name.

Every command of the command line is a function here: `tsclust.extract(Path("ws"))` is `tsclust extract -w ws`.
`tsclust.open(Path("ws"))` gives a workspace to a notebook, `tsclust.figures(Path("ws"))` only the report's pictures.
"""

from __future__ import annotations

import importlib
import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

# function -> its module, loaded when first used: `tsclust --help` answers at once.
_COMMANDS = {
    "cluster": "pipeline.cluster",
    "demo": "pipeline.demo",
    "extract": "pipeline.extract",
    "features": "pipeline.features",
    "figures": "pipeline.report",
    "filter": "pipeline.filter",
    "init": "pipeline.init",
    "labels_export": "pipeline.labels_export",
    "labels_import": "pipeline.labels_import",
    "labels_review": "pipeline.labels_review",
    "open": "notebook.view",
    "report": "pipeline.report",
    "run": "pipeline.run",
    "score": "pipeline.score",
    "status": "pipeline.status",
    "train": "pipeline.train",
}
__all__ = ["__version__", *_COMMANDS]


if TYPE_CHECKING:

    def __getattr__(name: str) -> Any: ...


class _Package(ModuleType):
    """This package: `tsclust.cluster` stays the command's function after the folder tsclust/cluster was imported."""

    def __getattr__(self, name: str) -> Any:
        if name not in _COMMANDS:
            raise AttributeError(f"module 'tsclust' has no attribute {name!r}")
        return getattr(importlib.import_module(f"tsclust.{_COMMANDS[name]}"), name)

    def __setattr__(self, name: str, value: object) -> None:
        if not (name in _COMMANDS and isinstance(value, ModuleType)):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package
