"""What reports show, as plain values: the steps make them, pages and charts only draw them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from tsclust.stages.clusters.parts import Trait
from tsclust.stages.features.catalogue import Feature
from tsclust.stages.features.lost_groups import LostGroup
from tsclust.stages.labels.group_state import GroupState
from tsclust.stages.reports.made_from import Model, Stage
from tsclust.stages.reports.measured import UNKNOWN, Measured

FIRST = 20  # groups are asked about first, and the others offered: two hours are no plan for anyone
Plain = str | int | float | bool | date | datetime | None


@dataclass(frozen=True)
class Unusual:
    """A feature in which a group lies `away` robust deviations from normal.

    value, usual  medians over the members, of the feature and of what is normal for each, in the feature's unit
    times         median of their ratio; None where a ratio means nothing
    unit          of the feature, as the catalogue has it
    """

    feature: str
    value: float
    usual: float
    times: float | None
    away: float
    unit: str = "value"


@dataclass(frozen=True)
class Often:
    """A value of a carried column: how many members have it, their share, its share of all series kept.

    sign: it is no chance, and so much that it says something to people
    times: how many times as often the group's series have it as all others; None where it is no sign, or no others do
    """

    value: str | None
    count: int
    share: float
    overall: float
    sign: bool = False
    times: float | None = None


@dataclass(frozen=True)
class Where:
    """A carried column: `distinct` of `known` values occur in the group; `often` are those that occur too often, or,
    where they are MOST_NAMED of many and no months, all of them.

    month: the values are months, like 2024-03
    """

    column: str
    month: bool
    distinct: int
    known: int
    often: tuple[Often, ...]


@dataclass(frozen=True)
class Spread:
    """One feature, from `low` to `high` in its unit: heights of BINS bars, 0 to HIGHEST, of the group and of normal.

    With a baseline, or regimes, values are differences from what is usual for it.
    """

    feature: str
    low: float
    high: float
    group: tuple[int, ...]
    normal: tuple[int, ...]


@dataclass(frozen=True)
class Near:
    """Another group, and the share of this one's members that are its members too."""

    group: str
    shared: float


@dataclass(frozen=True)
class Line:
    """Values, one for each of `at` samples after the start."""

    at: tuple[int, ...]
    values: tuple[float, ...]


@dataclass(frozen=True)
class Curve:
    """One real series: values (None is missing), the index its run starts at, its carried columns.

    usual: the median of normal series that share its baseline; None without a baseline, or with too few of them
    """

    series_id: str
    start: int
    values: tuple[float | None, ...]
    carried: tuple[tuple[str, Plain], ...]
    usual: Line | None


@dataclass(frozen=True)
class Band:
    """Where 90 % of some series lie, `at` samples after their start."""

    at: tuple[int, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]


@dataclass(frozen=True)
class Apart:
    """Differences from what is usual for each series' own machine or regime: of members, of normal series, and of the
    typical member."""

    band: Band
    normal: Band
    typical: Curve


@dataclass(frozen=True)
class Month:
    """Of one month, like 2024-03: how many members, and how many of all series."""

    month: str
    members: int
    series: int


@dataclass(frozen=True)
class Period:
    """When members were recorded, by a carried column of times: the first, the last, and how many in each month.

    began: the month before which there are none, where that is no chance
    """

    column: str
    first: date | datetime
    last: date | datetime
    months: tuple[Month, ...]
    began: str | None = None


@dataclass(frozen=True)
class Part:
    """One of two parts of a group that it may be better divided into, or a way of being normal: its share, a typical
    series of it, and what is unusual about it. name: of the carried column by whose value it differs, ""
    where there is none."""

    share: float
    typical: Curve
    unusual: tuple[Unusual, ...]
    name: str = ""


@dataclass(frozen=True)
class Group:
    """One card: a group, or a cluster of one model, which has no number.

    members   from the most to the least typical, each stands for as many; the first is the typical one
    sample    these and further members, in the same order: all where there are few
    known     what its members were called before; None where nothing is labelled yet
    fingerprint  the fingerprint of all its members' ids
    around    where 90 % of the normal series of the typical one's machine, or regime, lie, and `band` is as if all
              members were of it; None where series are compared with all
    family    where most of its series are on the card of another group: of which, and what share of them
    agreement how alike the ways are in which two of its series differ from normal, up to 1; None for too few
    trait     in what its shape differs, where that is how it was found
    parts     the two that agree clearly more within themselves; none where there are no such parts
    """

    number: int | None
    k: int
    cluster: int
    size: int
    share: float
    first_k: int
    last_k: int
    parent: int | None
    within: int | None
    normal: bool
    band: Band
    members: tuple[Curve, ...]
    unusual: tuple[Unusual, ...]
    where: tuple[Where, ...]
    periods: tuple[Period, ...]
    near: tuple[Near, ...]
    known: GroupState | None
    spreads: tuple[Spread, ...]
    fingerprint: str
    family: Near | None = None
    around: Band | None = None
    apart: Apart | None = None
    sample: tuple[Curve, ...] = ()
    agreement: float | None = None
    parts: tuple[Part, ...] = ()
    trait: Trait | None = None

    @property
    def name(self) -> str:
        """Unlike that of any other card: 7, or 12.3 for cluster 3 of the model with 12."""
        return name_of(self.number, self.k, self.cluster)


def name_of(number: int | None, k: int, cluster: int) -> str:
    """What a group, or a cluster of one model, is called."""
    return f"{k}.{cluster}" if number is None else str(number)


@dataclass(frozen=True)
class Rejected:
    """What a rule set aside. groups: of which groups of series it is more than a third."""

    rule: str
    when: str
    reason: str
    count: int
    examples: tuple[Curve, ...]
    groups: tuple[LostGroup, ...] = ()


@dataclass(frozen=True)
class ReportData:
    """Everything the page says.

    series, kept  how many there are, and how many of them the rules keep
    periods       carried column of times, first, last
    peak          `max` or `min`: which way it points
    found         groups in the whole sweep
    baseline      carried columns within which series are compared
    regimes       ways of being normal that no column names, each series compared with the nearest; 0: only one way
    groups        most worth looking at first, the normal mass last
    named         groups that are not shown, since they have their names already
    kinds         of malfunctions, that were named before
    elbow, best_silhouette  the k that they speak for
    features      that series are compared by
    settings      name, value: of what the stages were asked
    model         hash of clusters/, by which answers know what they are about
    sheet         single series that are asked about, to find out what a model misses
    measured      what is recorded, for axes and words
    ways          of being normal that may be none: regimes, and machines that differ as a whole
    is_part       of a report in several files
    """

    title: str
    origin: str
    series: int
    kept: int
    periods: tuple[tuple[str, date | datetime, date | datetime], ...]
    peak: str
    found: int
    baseline: tuple[str, ...]
    regimes: int
    normal: Band
    groups: tuple[Group, ...]
    named: int
    kinds: tuple[str, ...]
    rejected: tuple[Rejected, ...]
    sweep: tuple[Model, ...]
    elbow: int | None
    best_silhouette: int | None
    features: tuple[Feature, ...]
    settings: tuple[tuple[str, Any], ...]
    stages: tuple[Stage, ...]
    model: str
    sheet: tuple[Curve, ...] = ()
    measured: Measured = UNKNOWN
    ways: tuple[Part, ...] = ()
    is_part: bool = False

    @property
    def faint(self) -> frozenset[str]:
        """Names of the groups of the sweep that differ from normal in nothing that can be stated: they are offered
        behind the others, and nobody is asked about them. Where those are more than half of few groups, what can be
        stated may not fit these recordings, and all are asked about, as in the parts of a report."""
        own = [g for g in self.groups if not g.normal and g.family is None and g.number is not None]
        silent = frozenset(g.name for g in own if not (g.unusual or g.trait) and not (g.known and g.known.labelled))
        many, most = len(own) > FIRST, 2 * len(silent) > len(own)
        apart = len(silent) < len(own) and (many or not most) and not self.is_part
        return silent if apart else frozenset()
