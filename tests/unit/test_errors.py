"""Errors go from one process to another as they are: with their class, the problem and the next step."""

from __future__ import annotations

import importlib
import pickle
import pkgutil
from collections.abc import Iterator

import pytest

import tsclust
from tsclust.errors import TsclustError


def kinds(kind: type[TsclustError] = TsclustError) -> Iterator[type[TsclustError]]:
    """All classes of errors in the modules of sources and stages, where parts are done."""
    if kind is TsclustError:
        for module in pkgutil.walk_packages(tsclust.__path__, "tsclust."):
            if module.name.startswith(("tsclust.source", "tsclust.stages")):
                importlib.import_module(module.name)
    yield kind
    for below in kind.__subclasses__():
        yield from kinds(below)


@pytest.mark.parametrize("kind", [*kinds()], ids=lambda kind: kind.__name__)
def test_an_error_is_the_same_in_another_process(kind: type[TsclustError]) -> None:
    error = kind.__new__(kind, "series 7 has no id. Exclude it")
    error.problem, error.next_step = "series 7 has no id", "Exclude it"
    found = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own
    assert (type(found), str(found)) == (kind, "series 7 has no id. Exclude it")
    assert (found.problem, found.next_step, found.exit_code) == (error.problem, error.next_step, kind.exit_code)
