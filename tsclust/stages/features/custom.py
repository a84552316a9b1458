"""The user's own features: plain Python functions of one array, from a file that the user names."""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, cast, get_args

import numpy as np
from numba import njit
from numba.core.types import Optional

from tsclust.arrays import Floats, Int64s, Values
from tsclust.errors import SettingsError
from tsclust.series import SeriesBlock
from tsclust.stages.features.catalogue import NAMES, Feature, Unit
from tsclust.stages.features.kernels import FEWEST, bridged

Loop = Callable[[Values, Int64s, int, Floats], None]
_MODULE = "_extra_features"
# Columns of the workspace's files, and what rules know by such a name.
_TAKEN = re.compile(
    r"series_id|values|rejected_by|k|k\d+|cluster|size|silhouette|(typical|spread|shape)_.*|" + "|".join(NAMES)
)
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


def load(path: Path, text: str) -> tuple[Extra, ...]:
    """The public functions of a Python file with this text, in their order. Its docstrings say what they mean.

    Raises SettingsError for a file that cannot be imported, a function with another signature or without docstring,
    or a name that is taken.
    """
    module = _executed(path, text)
    functions = {name: f for name, f in vars(module).items() if not name.startswith("_") and _is_of(f, module)}
    if not functions:
        raise SettingsError(
            f"{path} has no function: expected at least one like def ripple(x): ...",
            "Write one that takes an array of values and returns a number (names that begin with _ do not count)",
        )
    return tuple(_extra(path, name, getattr(f, "py_func", f)) for name, f in functions.items())


def of_function(function: Callable[..., Any]) -> Extra:
    """A feature to be tried out: a function as `load` finds them, which needs no docstring yet and may have any name.

    Raises SettingsError for what is no function of one argument.
    """
    plain = getattr(function, "py_func", function)
    name = getattr(plain, "__name__", repr(plain))
    if not callable(plain) or _needed(plain) != 1:
        raise SettingsError(
            f"{name}: expected a function of one argument, the values", "For example: lambda x: x.max()"
        )
    over, slow = _compiled(plain)
    meaning = (inspect.getdoc(plain) or "").partition("\n")[0]
    return Extra(Feature(name, "1", "extra", meaning, f"{name}(x)"), over, slow)


def describe_extra(block: SeriesBlock, sign: int, extra: Sequence[Extra]) -> Floats:
    """(n, len(extra)): the user's features of each series; NaN where there are too few values or it gives no number.

    Raises SettingsError with the id of a series on which a function fails.
    """
    out = np.full((len(extra), len(block)), np.nan)
    for feature, row in zip(extra, out, strict=True):
        try:
            with np.errstate(all="ignore"):
                for rows, offsets, values in block.pieces():
                    feature.over(values, offsets, sign, row[rows])
        except Exception as error:
            raise _failed(feature, block, sign, error) from error
    return np.where(np.isfinite(out), out, np.nan).T


def _executed(path: Path, text: str) -> ModuleType:
    """The text that settings were hashed with, and no compiled file that may be of an older one."""
    module = ModuleType(_MODULE)
    sys.modules[_MODULE] = module  # dataclasses look there for theirs
    try:
        exec(compile(text, str(path), "exec"), module.__dict__)  # a file that the user names
    except (Exception, SystemExit) as error:
        line = f", line {error.lineno}" if isinstance(error, SyntaxError) else ""
        raise SettingsError(f"{path}{line}: {type(error).__name__}: {error}", "Fix the file") from error
    return module


def _is_of(value: object, module: ModuleType) -> bool:
    function = getattr(value, "py_func", value)  # one that the user has compiled already
    return inspect.isfunction(function) and function.__module__ == module.__name__


def _extra(path: Path, name: str, function: Callable[..., Any]) -> Extra:
    said = inspect.getdoc(function) or ""
    needed = _needed(function)
    if not said or needed != 1:
        lacks = "has no docstring" if not said else f"takes {needed} arguments"
        raise SettingsError(
            f"{path}: {name} {lacks}: expected one argument, the values, and a docstring",
            "Fix it, or rename it to _" + name,
        )
    if _TAKEN.fullmatch(name) or not _NAME.fullmatch(name):
        raise SettingsError(
            f"{path}: a feature cannot be named {name}: expected an unused name of a-z, 0-9, _", "Give it another name"
        )
    over, slow = _compiled(function)
    return Extra(
        Feature(name, _unit(path, name, said), "extra", said.splitlines()[0], f"{path.name}: {name}(x)"), over, slow
    )


def _needed(function: Callable[..., Any]) -> int:
    """How many arguments it cannot be called without; 1 for one written in C that does not say."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except ValueError:
        return 1
    return sum(p.default is p.empty for p in parameters)


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
        one = njit(boundscheck=True)(function)
        loop: Loop = njit(nogil=True, boundscheck=True)(_loop_of(one))
        none = np.zeros(0)
        none.flags.writeable = False
        loop(none, np.zeros(1, np.int64), 1, np.zeros(0))
    except Exception as error:  # noqa: BLE001 - numba has many, not all of them of its own kind
        lines = [line for line in str(error).splitlines() if line and "nopython" not in line]
        return _loop_of(function), (lines or ["?"])[0][:160]
    if any(isinstance(signature.return_type, Optional) for signature in one.nopython_signatures):
        return _loop_of(function), "it returns None for some series"
    return loop, ""


def _loop_of(function: Callable[..., Any]) -> Loop:
    def over(values: Values, offsets: Int64s, sign: int, out: Floats) -> None:
        for i in range(len(out)):
            x = bridged(values[offsets[i] : offsets[i + 1]])
            if len(x) >= FEWEST:
                out[i] = function(sign * x)

    return over


def _failed(extra: Extra, block: SeriesBlock, sign: int, error: Exception) -> SettingsError:
    for rows, offsets, values in block.pieces():
        for i, series_id in enumerate(block.ids[rows]):
            try:
                extra.over(values, offsets[i : i + 2], sign, np.zeros(1))
            except Exception as again:  # noqa: BLE001 - the user's code may raise anything
                told = f"{type(again).__name__}: {again}"
                return SettingsError(f"{extra.feature.formula} fails on series {series_id}: {told}", "Fix the function")
    return SettingsError(f"{extra.feature.formula} fails: {error}", "Fix the function")
