"""Libraries that many commands never use are imported where they are first used: what only prints answers sooner.

For the command line alone: notebooks and servers import as usual. importlib.util.LazyLoader would not do, as each
further `import` of such a module reads an attribute of it, which loads it.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Sequence
from threading import RLock
from types import ModuleType
from typing import Any

# Not scipy.linalg, though it takes a tenth of a second: BLAS is looked at, limited and compared by what is loaded.
HEAVY = ("asyncio", "polars", "pyarrow", "pyarrow.parquet", "pyarrow.compute")
_loading = RLock()


class Deferred(ModuleType):
    """Stands for a module until an attribute of it is read; who has imported it goes on with this."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        if "." not in name:  # to find what is in a package would load it
            self.__spec__ = importlib.util.find_spec(name)  # with None find_spec, which libraries ask, is an error

    def __getattr__(self, name: str) -> Any:
        with _loading:
            if sys.modules.get(self.__name__) is self:
                del sys.modules[self.__name__]
            loaded = importlib.import_module(self.__name__)
            _hang(loaded)
            self.__dict__.update(loaded.__dict__)
        return getattr(loaded, name)


def _hang(module: ModuleType) -> None:
    """The stand-ins below a module become its attributes, as the import of what they stand for would have made them."""
    for name, one in list(sys.modules.items()):
        within, _, last = name.rpartition(".")
        if within == module.__name__ and isinstance(one, Deferred):
            vars(module).setdefault(last, one)


def defer(names: Sequence[str] = HEAVY) -> None:
    """Put such stand-ins in the place of modules that nobody has imported yet."""
    for name in names:
        if name in sys.modules:
            continue
        sys.modules[name] = Deferred(name)
        within = sys.modules.get(name.rpartition(".")[0])
        if within is not None:  # `import a.b as c` reads b of a, which would load a
            _hang(within)
