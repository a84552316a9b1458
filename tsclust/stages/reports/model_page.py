"""What is known of a classifier -> one HTML file: which kinds it tells apart, and what saying "don't know" is worth."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tsclust.stages.labels.kinds import NORMAL
from tsclust.stages.model.facts import ModelFacts
from tsclust.stages.model.quality import LEVEL, UNKNOWN, Interval, Quality, clopper_pearson
from tsclust.stages.reports.charts.curves import Ticks, nice_ticks, steps
from tsclust.stages.reports.groups.cards import stage_of
from tsclust.stages.reports.html.page import hash_of, static, templates
from tsclust.stages.reports.made_from import Stage
from tsclust.wording.language import Language
from tsclust.workspace.manifest import Manifest

WIDE, HIGH = 1000, 500  # units of the curve's drawing
ROWS = (0.0, 0.5, 0.8, 0.9, 0.95, 0.99, 1.0)  # shares of the errors that the table says the price of


@dataclass(frozen=True)
class KindMetrics:
    """How well one kind is recognised among labelled series: shares of those called so that are labelled so, and of
    those labelled so that are called so, with their intervals; None where there are none."""

    kind: str
    labelled: int
    precision: float | None
    recall: float | None
    precision_interval: Interval = UNKNOWN
    recall_interval: Interval = UNKNOWN


@dataclass(frozen=True)
class Point:
    """At a threshold, shares: of series that are answered, of errors that are left, of answered ones that are wrong."""

    threshold: float
    answered: float
    left: float
    wrong: float


@dataclass(frozen=True)
class ModelData:
    """Everything the page says.

    confusion  of the series of each kind (rows) how many are called what
    curve      from the lowest threshold on; chosen is the one in force
    prices     for some shares of the errors that are refused: the first point that does
    quality    what is known of all that is called a malfunction, labelled or not
    """

    title: str
    classifier: str
    losses: tuple[tuple[str, float], ...]
    machine: str
    machines: int
    assumed: int
    too_few: tuple[tuple[str, int], ...]
    kinds: tuple[KindMetrics, ...]
    confusion: tuple[tuple[float, ...], ...]
    curve: tuple[Point, ...]
    chosen: Point
    prices: tuple[tuple[float, Point], ...]
    stage: Stage
    quality: Quality

    @property
    def series(self) -> int:
        """Labelled ones."""
        return sum(one.labelled for one in self.kinds)

    @property
    def apart(self) -> bool:
        """Whether all figures are of machines that were not learned from."""
        return bool(self.machine) and self.machines > 1

    @property
    def wrong(self) -> float:
        """The share of all series that is called by a wrong name, if each is called by one."""
        return self.curve[0].wrong


@dataclass(frozen=True)
class Plot:
    """The curve in WIDE x HIGH: its path, the place of the threshold in force, (per cent, label) of the ticks."""

    path: str
    at: tuple[float, float]
    across: Ticks
    down: Ticks
    grid: str


def of(manifest: Manifest[ModelFacts], title: str = "") -> ModelData:
    """From the manifest of model/."""
    facts = manifest.facts
    of = facts.coverage
    curve = tuple(map(Point, of.threshold, of.answered, of.left, of.wrong))
    chosen = next((point for point in curve if point.threshold >= facts.threshold), curve[-1])
    prices = tuple((share, _first(curve, 1 - share)) for share in ROWS)
    return ModelData(
        title=title, classifier=facts.classifier, losses=tuple(facts.losses.items()), machine=facts.machine,
        machines=facts.machines, assumed=facts.assumed, too_few=tuple(facts.too_few.items()),
        kinds=tuple(_metrics_by_kind(facts)), confusion=facts.confusion, curve=curve, chosen=chosen,
        prices=prices, stage=stage_of(manifest), quality=facts.quality,
    )  # fmt: skip


def render(data: ModelData, lang: str) -> str:
    """The page in the language `lang` (en or ru): the same bytes for the same data."""
    language = Language.load(lang)
    return (
        templates(language)
        .get_template("model.html")
        .render(
            data=data,
            m=language.texts["model_page"],
            plot=_drawn(data, language),
            shades=[[_shade(row, n) for n in row] for row in data.confusion],
            style=static("page.css") + static("model.css"),
            hashes=[hash_of("")],
        )
    )


def _metrics_by_kind(facts: ModelFacts) -> Iterator[KindMetrics]:
    for at, kind in enumerate(facts.kinds):
        n, right, called = facts.labelled.get(kind) or _of_confusion(facts, kind)
        labelled = facts.counts[kind] - (facts.assumed if kind == NORMAL else 0)
        so = sum(row[at] for row in facts.confusion)
        precision = facts.confusion[at][at] / so if so else None  # each series for as many as it stands for
        yield KindMetrics(
            kind, labelled, precision, right / n if n else None,
            clopper_pearson(round((precision or 0.0) * called), called, LEVEL), clopper_pearson(right, n, LEVEL),
        )  # fmt: skip


def _of_confusion(facts: ModelFacts, kind: str) -> tuple[int, int, int]:
    """(labelled, of them called so, all called so), of a model of an earlier version."""
    at = facts.kinds.index(kind)
    return (
        round(sum(facts.confusion[at])),
        round(facts.confusion[at][at]),
        round(sum(row[at] for row in facts.confusion)),
    )


def _first(curve: Sequence[Point], left: float) -> Point:
    """The lowest threshold with no more of the errors left."""
    return next((point for point in curve if point.left <= left + 1e-9), curve[-1])


def _drawn(data: ModelData, language: Language) -> Plot:
    """Errors left over the share of series not answered, up to where no error is left."""
    last = next((i for i, point in enumerate(data.curve) if not point.left), len(data.curve) - 1)
    points, most = data.curve[: last + 1], max(1 - data.curve[last].answered, 1e-6)
    most = max(most, 1 - data.chosen.answered)
    xy = [(WIDE * min((1 - p.answered) / most, 1.0), HIGH * (1 - p.left)) for p in points]
    stairs = steps((f"{x:.1f}", f"{y:.1f}") for x, y in xy[1:])
    return Plot(
        path=f"M{xy[0][0]:.1f} {xy[0][1]:.1f}{stairs}H{WIDE}",
        at=(100 * min((1 - data.chosen.answered) / most, 1.0), 100 * (1 - data.chosen.left)),
        across=tuple((100 * t / most, language.share(t)) for t in nice_ticks(0, most, 5)),
        down=tuple((100 * (1 - t), language.share(t)) for t in (0.0, 0.25, 0.5, 0.75, 1.0)),
        grid="".join(f"M0 {HIGH * t:g}H{WIDE}" for t in (0.0, 0.25, 0.5, 0.75, 1.0)),
    )


def _shade(row: Sequence[float], count: float) -> float:
    """The share of the row's series, for the colour of a cell."""
    return round(count / max(sum(row), 1e-300), 3)
