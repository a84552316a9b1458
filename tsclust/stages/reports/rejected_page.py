"""What one rule sets rule_page -> one HTML page of some of its series."""

from __future__ import annotations

from dataclasses import dataclass

from tsclust.config import Rule
from tsclust.stages.features.lost_groups import LostGroup
from tsclust.stages.reports.charts import drawing
from tsclust.stages.reports.data import Band, Curve
from tsclust.stages.reports.html import page
from tsclust.stages.reports.measured import UNKNOWN, Measured


@dataclass(frozen=True)
class RejectedPage:
    """What a page says of one rule.

    editable               False for the rule that holds whatever the settings say
    series                 how many there are in all
    rejected, in_all, alone  of them: rejected by this rule as the first, by it at all, by no other
    examples               some of the rejected
    groups                 of which groups of series it rejects more than a third
    normal                 where the kept ones lie
    measured               what is recorded, for axes and names
    """

    rule: Rule
    editable: bool
    series: int
    rejected: int
    in_all: int
    alone: int
    examples: tuple[Curve, ...]
    normal: Band
    groups: tuple[LostGroup, ...] = ()
    measured: Measured = UNKNOWN


def render(rule_page: RejectedPage, lang: str) -> str:
    """The page in the language `lang`: nothing but HTML and style, the same bytes for the same data."""
    language = rule_page.measured.language(lang)
    # A frame of its own for each: one endless or huge recording leaves the others as they are.
    drawings = [
        drawing.draw(drawing.Frame.around((rule_page.normal,), (curve,)), rule_page.normal, None, (curve,), language)
        for curve in rule_page.examples
    ]
    template = page.templates(language).get_template("rejected.html")
    style = page.static("page.css")
    return template.render(page=rule_page, drawings=drawings, r=language.texts["rejected"], style=style)
