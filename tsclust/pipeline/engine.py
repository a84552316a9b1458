"""Who does the parts of a command: this machine, or the workers of a cluster that the settings name."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tsclust.config import Settings
from tsclust.engine.base import is_set, using
from tsclust.engine.place import Place
from tsclust.errors import SettingsError
from tsclust.workspace.folder import Workspace


@contextmanager
def engine_of(workspace: Workspace, settings: Settings) -> Iterator[None]:
    """As long as this lasts `map_parts` is done by the engine of [engine]; by the one in use, where one was chosen.

    Raises what `engine.dask.connected` raises, SettingsError where Dask is not installed.
    """
    if is_set() or not settings.engine.scheduler:
        yield
        return
    try:
        from tsclust.engine import dask
    except ImportError as error:
        raise SettingsError(f"--engine needs {error.name}", "Install it: pip install 'tsclust[dask]'") from None
    with dask.connected(_place(workspace, settings), workspace.root) as cluster, using(cluster):
        yield


def _place(workspace: Workspace, settings: Settings) -> Place:
    given = settings.engine.model_dump()
    return Place(given.pop("scheduler"), **{name: str(workspace.root / path) for name, path in given.items() if path})
