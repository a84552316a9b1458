"""Whether features/ fits series/, and a model the features there are."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa

from tsclust.config import Settings
from tsclust.errors import DamagedError, NoSeriesError, StageMissingError, TsclustError, WorkspaceBusyError
from tsclust.stages.features.facts import FEATURES, FeaturesFacts
from tsclust.stages.series.facts import SERIES, SeriesFacts
from tsclust.workspace.commands import command
from tsclust.workspace.folder import Workspace
from tsclust.workspace.manifest import Manifest


def refuse_other(now: object, then: object, base: Path) -> None:
    """Raises StageMissingError where features are described otherwise than when the model was trained."""
    if now != then:
        raise StageMissingError(
            f"the model of {base} was trained on other features, rules or baselines than [features], [[rule]] and"
            " [cluster] set now",
            f"Train it again: {command('train', base)}  (or set them back)",
        )


def refuse_stale(workspace: Workspace) -> None:
    """Raises StageMissingError where features/ describes other series than series/ holds now: every command that reads
    features/ asks here."""
    series = workspace.manifest(SERIES)  # first: where neither is there, it is what is to be made
    if describes_others(workspace.manifest(FEATURES), series):
        raise other_series(workspace)


def describes_others(features: Manifest[FeaturesFacts], series: Manifest[SeriesFacts]) -> bool:
    """Whether a part of features/ describes other series than series/ holds. Further series alone do not count; but of
    earlier versions nobody knows which part was made from which."""
    parts, now = features.facts.by_part, series.output_hash
    if not parts:
        return features.inputs.get(SERIES.name, now) != now
    return any(series.outputs.get(name) != part.series for name, part in parts.items())


@contextmanager
def one_state(workspace: Workspace, before: Manifest[FeaturesFacts]) -> Iterator[None]:
    """All is read from the features/ of this manifest, which is of series/ as it is. There is no lock: a look needs no
    right to write, nor waits."""
    try:
        yield
    except (TsclustError, pa.ArrowInvalid, OSError) as error:
        _refuse_change(workspace, before)
        if isinstance(error, TsclustError) or (isinstance(error, OSError) and error.errno):
            raise
        raise DamagedError(
            f"a Parquet file in {workspace.root} cannot be read: {error}",
            f"Remove that stage's folder and make it again: {command('run', workspace.root)}",
        ) from None
    _refuse_change(workspace, before)
    refuse_stale(workspace)


def _refuse_change(workspace: Workspace, before: Manifest[FeaturesFacts]) -> None:
    now = workspace.find_manifest(FEATURES)
    if now is None or now.output_hash != before.output_hash:
        raise WorkspaceBusyError(f"{workspace.stage(FEATURES)} was rewritten while it was read", "Run this again")


def refuse_older(workspace: Workspace) -> None:
    """Raises StageMissingError where an older tsclust described the series: rules may read what it did not know."""
    if workspace.manifest(FEATURES).facts.kinds is None:
        raise StageMissingError(
            f"{workspace.stage(FEATURES)} was made by an older tsclust, whose features and rules were others",
            f"Run: {command('features', workspace.root)}",
        )


def stale_notes(workspace: Workspace, settings: Settings) -> tuple[str, ...]:
    """A note where rules were judged by another baseline than is set now, or by none."""
    kinds = workspace.manifest(FEATURES).facts.kinds
    again = f"run {command('features', workspace.root)}"
    if kinds is None:
        return (f"features/ is out of date: an older tsclust made it, whose rules were others; {again}",)
    now = settings.cluster.baseline_columns
    if kinds.baseline == now:
        return ()
    then = ", ".join(kinds.baseline) or "none"
    return (
        f"features/ is out of date: its rules were judged with baseline {then}, now it is {', '.join(now) or 'none'}; "
        f"set [cluster] baseline in tsclust.toml and {again}",
    )


def refuse_nothing(workspace: Workspace) -> None:
    """Raises NoSeriesError where series/ is empty."""
    if not workspace.manifest(SERIES).rows:
        raise NoSeriesError(f"{workspace.stage(SERIES)} has no series", "Check the source, then run: tsclust extract")


def other_series(workspace: Workspace) -> StageMissingError:
    """The error for a features/ that describes other series than series/ holds now."""
    return StageMissingError(
        f"{workspace.stage(FEATURES)} does not describe the series that are now in {workspace.stage(SERIES)}",
        f"Run: {command('features', workspace.root)}",
    )
