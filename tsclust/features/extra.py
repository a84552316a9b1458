"""The user's own features: plain Python functions of one array, from a file that the user names."""

from __future__ import annotations

import importlib.util
import inspect
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, cast, get_args

import numpy as np
from numba import njit
from numba.core.errors import NumbaError

from tsclust.errors import SettingsError
from tsclust.features.catalogue import NAMES, Feature, Unit
from tsclust.features.kernels import FEWEST, bridged
from tsclust.series import Floats, Int64s, SeriesBlock, Values

Loop = Callable[[Values, Int64s, int, Floats], None]
_TAKEN = re.compile(r"series_id|values|rejected_by|k\d+|(typical|spread)_.*|" + "|".join(NAMES))
_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")


@dataclass(frozen=True)
class Extra:
    """A feature of the user's.

    over  fills (n,) from values, offsets and sign: the function of each series, as the kernels see it
    slow  why numba cannot compile it, "" where it can
    """

    feature: Feature
    over: Loop
    slow: str


def load(path: Path) -> tuple[Extra, ...]:
    """The public functions of a Python file, in their order. Its docstrings say what they mean.

    Raises SettingsError for a file that cannot be imported, a function with another signature or without docstring,
    or a name that is taken.
    """
    module = _imported(path)
    functions = [f for name, f in vars(module).items() if not name.startswith("_") and _is_of(f, module)]
    if not functions:
        raise SettingsError(
            f"{path} has no function: expected at least one like def ripple(x): ...",
            "Write one of an array of values that gives a number (names that begin with _ do not count)",
        )
    return tuple(_extra(path, getattr(f, "py_func", f)) for f in functions)


def describe_extra(block: SeriesBlock, sign: int, extra: Sequence[Extra]) -> Floats:
    """(n, len(extra)): the user's features of each series; NaN where there are too few values or it gives no number.

    Raises SettingsError with the id of a series on which a function fails.
    """
    out = np.full((len(extra), len(block)), np.nan)
    for feature, row in zip(extra, out, strict=True):
        try:
            feature.over(block.values, block.offsets, sign, row)
        except Exception as error:
            raise _failed(feature, block, sign, error) from error
    return np.where(np.isfinite(out), out, np.nan).T


def _imported(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("_extra_features", path)
    if not path.is_file() or spec is None or spec.loader is None:
        raise SettingsError(f"[features] extra = {path}: there is no such Python file", "Correct the path")
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        line = f", line {error.lineno}" if isinstance(error, SyntaxError) else ""
        raise SettingsError(f"{path}{line}: {type(error).__name__}: {error}", "Mend the file") from error
    return module


def _is_of(value: object, module: ModuleType) -> bool:
    function = getattr(value, "py_func", value)  # one that the user has compiled already
    return inspect.isfunction(function) and function.__module__ == module.__name__


def _extra(path: Path, function: Callable[..., Any]) -> Extra:
    name, said = function.__name__, inspect.getdoc(function) or ""
    needed = [p for p in inspect.signature(function).parameters.values() if p.default is p.empty]
    if not said or len(needed) != 1:
        lacks = "has no docstring" if not said else f"takes {len(needed)} arguments"
        raise SettingsError(
            f"{path}: {name} {lacks}: expected one argument, the values, and a docstring",
            "Mend it, or name it _" + name,
        )
    if _TAKEN.fullmatch(name) or not _NAME.fullmatch(name):
        raise SettingsError(
            f"{path}: a feature cannot be called {name}: it is taken, or not of a-z, 0-9, _", "Give it another name"
        )
    over, slow = _compiled(function)
    return Extra(
        Feature(name, _unit(path, name, said), "extra", said.splitlines()[0], f"{path.name}: {name}(x)"), over, slow
    )


def _unit(path: Path, name: str, said: str) -> Unit:
    """What the docstring says: a line `Unit: samples`; none is said, none it has."""
    found = re.search(r"^\s*unit:\s*(.+?)\.?\s*$", said, re.IGNORECASE | re.MULTILINE)
    unit = found[1] if found else "1"
    if unit not in get_args(Unit):
        known = ", ".join(get_args(Unit))
        raise SettingsError(f"{path}: {name} has the unit {unit!r}: expected one of {known}", "Correct the docstring")
    return cast(Unit, unit)


def _compiled(function: Callable[..., Any]) -> tuple[Loop, str]:
    """The loop over series around a function, by numba where it can."""
    try:
        loop: Loop = njit(nogil=True)(_loop_of(njit(function)))
        loop(np.zeros(0), np.zeros(1, np.int64), 1, np.zeros(0))
        loop(np.zeros(0, np.float32), np.zeros(1, np.int64), 1, np.zeros(0))
    except NumbaError as error:
        lines = [line for line in str(error).splitlines() if line and "nopython" not in line]
        return _loop_of(function), (lines or ["?"])[0][:160]
    return loop, ""


def _loop_of(function: Callable[..., Any]) -> Loop:
    def over(values: Values, offsets: Int64s, sign: int, out: Floats) -> None:
        for i in range(len(out)):
            x = bridged(values[offsets[i] : offsets[i + 1]])
            if len(x) >= FEWEST:
                out[i] = function(sign * x)

    return over


def _failed(extra: Extra, block: SeriesBlock, sign: int, error: Exception) -> SettingsError:
    for i in range(len(block)):
        try:
            extra.over(block.values, block.offsets[i : i + 2], sign, np.zeros(1))
        except Exception as again:  # noqa: BLE001 - the user's code may raise anything
            told = f"{type(again).__name__}: {again}"
            return SettingsError(f"{extra.feature.formula} fails on series {block.ids[i]}: {told}", "Mend the function")
    return SettingsError(f"{extra.feature.formula} fails: {error}", "Mend the function")
