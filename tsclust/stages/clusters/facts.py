"""What clusters/ remembers of its making: of the main sweep, and of each drill-down in it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from tsclust.config import Cluster
from tsclust.stages.clusters.parts import ASSIGNMENTS, GROUPS_FILE, is_within
from tsclust.workspace.manifest import Facts, KeptSetting, Manifest, Stage


class Asked(Cluster):
    """The settings of a sweep, as they were: what a later version no longer knows is left out."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class Advice(BaseModel):
    """The k that each of three criteria speaks for; None: no clear k."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    elbow: int | None = None
    silhouette: int | None = None
    stability: int | None = None


class SweepFacts(BaseModel):
    """Of one sweep.

    k               of its models; fewer_clusters: those that have fewer clusters than k, or empty ones
    rows            series; coreset: how many of them the restarts ran on
    groups          distinct sets found; proposed: of them to be looked at, without those that are normal;
                    normal: part of the normal mass
    """

    model_config = ConfigDict(extra="ignore", frozen=True)

    advice: Advice = Advice()
    k: tuple[int, ...] = ()
    rows: int = 0
    coreset: int = 0
    fewer_clusters: tuple[int, ...] = ()
    groups: int = 0
    proposed: int = 0
    normal: int = 0


class DrilldownFacts(SweepFacts):
    """Of the sweep within a group: the hash of its settings, those that tsclust.toml did not have, what it cost.

    state: of what has no name yet, the hash of what says so; "" for a group's members
    no_shapes: of what has no name yet, why it was compared by features alone; "" where it was not, or was to be so
    """

    settings: str = ""
    state: str = ""
    no_shapes: str = ""
    seed: int = 0
    seconds: float = 0.0
    peak_mb: float = 0.0
    made_with: Mapping[str, KeptSetting] = Field(default_factory=dict)


class ShapesFacts(SweepFacts):
    """Of the sweep over shapes: how many typical curves the series run along, and the stretches of each; none: why
    there was no such sweep, "" where nobody wanted one."""

    curves: int = 0
    none: str = ""
    stretches: tuple[int, ...] = ()


class ClustersFacts(Facts, SweepFacts):
    """Of clusters/.

    baseline          columns that name one; baseline_groups: those compared with themselves; baseline_too_few: those
                      of too few series, compared with the whole
    regimes           of the normal mass, in all or in every baseline
    asked             the settings; None in the manifests of the first versions
    left_out_k        values of k that were asked for and not fewer than the series
    highest           number that a group was ever given
    compared          whether there was an earlier sweep: then kept_groups of its groups kept their numbers, gone are
                      those that no group has now; changed, new: of the groups proposed
    described         a hash of how the series were described and screened, and of the first of them: while it is the
                      same, only further series have come
    shapes            of the sweep over shapes, curves: how many typical ones there are; None where there was none
    within            number of a group, or 0, as text -> the drill-down into it
    """

    baseline: tuple[str, ...] = ()
    baseline_groups: int = 0
    baseline_too_few: int = 0
    regimes: int = 0
    scaling: str = ""
    asked: Asked | None = None
    left_out_k: int = 0
    highest: int = 0
    compared: bool = False
    kept_groups: int = 0
    changed: tuple[int, ...] = ()
    new: tuple[int, ...] = ()
    gone: tuple[int, ...] = ()
    described: str = ""
    shapes: ShapesFacts | None = None
    within: Mapping[str, DrilldownFacts] = {}

    def summary(self) -> dict[str, Any]:
        """How many groups there are, and what became of those of before."""
        about = {"groups", "proposed", "highest"} | ({"changed", "new", "gone"} if self.compared else set())
        asked = self.asked.k if self.asked else ""
        return {**self.model_dump(mode="json", include=about), "k": asked, "within": [*self.within]}


CLUSTERS = Stage("clusters", "cluster", ClustersFacts, parts_in=ASSIGNMENTS)


def sweep_hash(manifest: Manifest[Any]) -> str:
    """One hash of the main sweep in clusters/, whatever was swept within its groups since."""
    main = [pair for pair in sorted(manifest.outputs.items()) if not (is_within(pair[0]) or pair[0] == GROUPS_FILE)]
    return hashlib.sha256(repr(main).encode()).hexdigest()[:16]
