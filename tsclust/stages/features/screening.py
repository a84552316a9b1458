"""What features and filter share: applying the rules to a part and counting what they reject."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import polars as pl
import polars.selectors as cs
import pyarrow as pa

from tsclust.config import Rule
from tsclust.engine.base import Listener, Progress, map_parts
from tsclust.stages.features import parts
from tsclust.stages.features import rules as screen
from tsclust.stages.features.catalogue import Feature
from tsclust.stages.features.survey import as_columns
from tsclust.stages.features.tally import Tally
from tsclust.stages.series import parts as series_parts
from tsclust.workspace.folder import Workspace

CLEAR = 0.9  # share of the series that must agree on the direction of the peak before the others count as upside down


WORKERS = 2


Judge = Callable[[pl.DataFrame, pa.Array, Path], tuple[pa.Table, "Tally"]]


def judge(
    workspace: Workspace,
    rules: tuple[Rule, ...],
    typical: Mapping[str, tuple[float, float]],
    features: Sequence[Feature],
) -> Judge:
    """What gives each row its `rejected_by`. Raises SettingsError for a rule that reads what is not there."""
    names = [f.name for f in features]
    carried = [name for name in series_parts.carried_columns(workspace) if name not in names]
    constants = as_columns(typical)
    used = screen.columns_used(rules, (*names, *carried, *constants))
    columns, given = sorted(used & set(carried)), {n: pl.lit(v) for n, v in constants.items() if n in used}

    def judged(frame: pl.DataFrame, ids: pa.Array, path: Path) -> tuple[pa.Table, Tally]:
        # NaN is greater than all: missing, it rejects nothing.
        carried = series_parts.read_carried(path, columns).with_columns(cs.float().fill_nan(None))
        verdict = screen.screen(frame.hstack(carried).with_columns(**given), rules)
        table = parts.table_of(ids, frame, verdict.rejected_by)
        first = Counter(verdict.rejected_by.drop_nulls().to_list())
        return table, Tally(len(frame), first, Counter(verdict.in_all), Counter(verdict.alone))

    return judged


def features_used(rules: tuple[Rule, ...], names: Sequence[str]) -> list[str]:
    """Those of the features `names` that the rules read."""
    return [name for name in names if name in screen.columns_read(rules)]


def heard(
    function: Callable[[Path], Tally], paths: Sequence[Path], stage: str, done: int, rows: int, listen: Listener
) -> dict[str, Tally]:
    """The tally of every part by its name, the progress told to the listener; `done` of `rows` were there before."""

    def lean(path: Path) -> Tally:
        tally = function(path)
        pa.default_memory_pool().release_unused()  # else pieces pile up: 60 MB more for three million series
        return tally

    tallies = {}
    for path, tally in zip(paths, map_parts(lean, paths, WORKERS), strict=True):
        tallies[path.name] = tally
        done += tally.rows
        listen(Progress(stage, done, rows))
    return tallies
