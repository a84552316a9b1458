"""Whether features/ fits series/, and a model the features there are."""

from __future__ import annotations

from pathlib import Path

from tsclust.errors import NoSeriesError, StageMissingError
from tsclust.stages.features.facts import FEATURES
from tsclust.stages.series.facts import SERIES
from tsclust.workspace.commands import command
from tsclust.workspace.folder import Workspace


def refuse_other(now: object, then: object, base: Path) -> None:
    """Raises StageMissingError where features are described otherwise than when the model was trained."""
    if now != then:
        raise StageMissingError(
            f"the model of {base} was trained on other features, rules or baselines than [features], [[rule]] and"
            " [cluster] set now",
            f"Train it again: {command('train', base)}  (or set them back)",
        )


def refuse_stale(workspace: Workspace) -> None:
    """Raises StageMissingError where a part of features/ describes other series than series/ holds now."""
    series, parts = workspace.manifest(SERIES), workspace.manifest(FEATURES).facts.by_part
    if any(series.outputs.get(name) != part.series for name, part in parts.items()):
        raise other_series(workspace)


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
