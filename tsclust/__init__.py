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

# function -> its module in tsclust.pipeline, loaded when first used: `tsclust --help` answers at once.
_COMMANDS = {
    "cluster": "cluster",
    "demo": "demo",
    "extract": "extract",
    "features": "features",
    "figures": "report",
    "filter": "filtering",
    "init": "init",
    "labels_export": "exporting",
    "labels_import": "labelling",
    "labels_review": "reviewing",
    "open": "opened",
    "report": "report",
    "run": "run",
    "score": "scoring",
    "status": "run",
    "train": "training",
}
__all__ = ["__version__", *_COMMANDS]


if TYPE_CHECKING:

    def __getattr__(name: str) -> Any: ...


class _Package(ModuleType):
    """This package: `tsclust.cluster` stays the command's function after the folder tsclust/cluster was imported."""

    def __getattr__(self, name: str) -> Any:
        if name not in _COMMANDS:
            raise AttributeError(f"module 'tsclust' has no attribute {name!r}")
        return getattr(importlib.import_module(f"tsclust.pipeline.{_COMMANDS[name]}"), name)

    def __setattr__(self, name: str, value: object) -> None:
        if not (name in _COMMANDS and isinstance(value, ModuleType)):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package
