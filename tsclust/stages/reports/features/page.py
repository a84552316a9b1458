"""FeaturesData -> one HTML file that needs nothing else. Texts from the data are escaped by the template."""

from __future__ import annotations

from dataclasses import dataclass

from tsclust.stages.clusters.scaling import BAND
from tsclust.stages.reports.charts.axis import NARROW
from tsclust.stages.reports.charts.drawing import Drawing, Frame, draw
from tsclust.stages.reports.data import Curve
from tsclust.stages.reports.features.data import SAME, STRONG, FeaturesData, RuleSeen
from tsclust.stages.reports.features.drawing import FLAT, SIGNS, Histogram, draw_heat, draw_histogram, draw_pairs
from tsclust.stages.reports.features.limits import Limit
from tsclust.stages.reports.features.sample import PAIRED_PER_RULE
from tsclust.stages.reports.html.form import members
from tsclust.stages.reports.html.page import CHARTS, hash_of, static, templates
from tsclust.wording.language import Language

# What the page says of how it was made.
LIMITS = {"flat": FLAT, "narrow": NARROW, "normal": BAND, "same": SAME, "strong": STRONG, "each": PAIRED_PER_RULE}


@dataclass(frozen=True)
class RuleLine:
    """A line of the table of rules. lines: (limit in words, number of the feature's card); undrawn: in words."""

    rule: RuleSeen
    lines: tuple[tuple[str, int], ...]
    undrawn: tuple[str, ...]


def render(data: FeaturesData, lang: str) -> str:
    """The page in the language `lang` (en or ru): the same bytes for the same data."""
    language = Language.load(lang)
    own = language.texts["features_page"]
    style = static("page.css") + static("features.css")
    script = "".join(map(static, CHARTS))
    template = templates(language).get_template("features.html")
    return template.render(
        data=data,
        own=own,
        rows=_numbers(data, language),
        histograms=_histograms(data, language),
        pairs=draw_pairs(data, language),
        heat=draw_heat(data.correlations, language),
        rules=[_rule_line(rule, data, language) for rule in data.rules],
        examples={r.name: _draw(data, r.examples, language) for r in data.rules},
        strange=[(s, _draw(data, (s.curve,), language)) for s in data.strange],
        members=members({f"rule-{r.name}": r.examples for r in data.rules}, language),
        limits=LIMITS,
        style=style,
        script=script,
        hashes=[hash_of(script)],
    )


def said(limit: Limit, language: Language) -> str:
    """A limit in words: `rule: feature > 3`."""
    return f"{limit.feature} {SIGNS.get(limit.sign, limit.sign)} {language.number(limit.value, 4)}"


def _numbers(data: FeaturesData, language: Language) -> dict[str, str]:
    rejected = data.series - data.kept
    return {
        "kept": f"{language.fixed(data.kept, 0)} ({language.share(data.kept / max(data.series, 1))})",
        "rejected": f"{language.fixed(rejected, 0)} ({language.share(rejected / max(data.series, 1))})",
    }


def _histograms(data: FeaturesData, language: Language) -> list[tuple[Histogram, str]]:
    """Each with what its feature means."""
    return [(draw_histogram(d, language), language.meaning(d.feature.meaning)) for d in data.distributions]


def _rule_line(rule: RuleSeen, data: FeaturesData, language: Language) -> RuleLine:
    names = [d.feature.name for d in data.distributions]
    lines = tuple((said(limit, language), names.index(limit.feature) + 1) for limit in rule.parsed.limits)
    against = language.texts["features_page"]["against"]
    return RuleLine(rule, lines, tuple(f" {against} ".join(columns) for columns in rule.parsed.undrawn))


def _draw(data: FeaturesData, curves: tuple[Curve, ...], language: Language) -> Drawing:
    return draw(Frame.around((data.normal,), curves), data.normal, None, curves, language)
