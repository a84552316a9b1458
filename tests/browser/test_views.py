"""Curve and bands of a card as recorded, or as differences from what is normal for the same machine."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
from playwright.sync_api import Page, expect

from tests.support.pages import CLIPPED, Opened
from tsclust.stages.reports.data import ReportData


def test_the_switch_shows_differences_by_a_key_and_is_kept(
    page: Page, four_kinds_page: Path, four_kinds_data: ReportData
) -> None:
    opened = Opened(page, four_kinds_page)
    group = next(g for g in four_kinds_data.groups if g.apart and not g.normal)
    card = page.locator(f"#group-{group.name}")
    recorded, apart = card.locator(".chart:not(.apart) .plot"), card.locator(".chart.apart .plot")
    button = card.get_by_role("button", name="difference from normal")
    button.focus()
    page.keyboard.press("Enter")
    expect(button).to_have_attribute("aria-pressed", "true")
    expect(apart).to_be_visible()
    expect(recorded).to_be_hidden()
    expect(card.get_by_text("difference from what is usual for series from the same machine")).to_be_visible()
    assert page.evaluate(CLIPPED) == []
    assert drawn(str(card.locator(".apart .typical").get_attribute("d"))) == len(differences(group.members[0]))
    page.reload()
    expect(page.locator(f"#group-{group.name} .chart.apart .plot")).to_be_visible()
    button.click()
    expect(recorded).to_be_visible()
    expect(apart).to_be_hidden()
    page.reload()
    expect(recorded).to_be_visible()
    assert opened.is_quiet()


def test_members_are_laid_over_what_was_recorded(
    page: Page, four_kinds_page: Path, four_kinds_data: ReportData
) -> None:
    Opened(page, four_kinds_page)
    group = next(g for g in four_kinds_data.groups if g.apart and not g.normal)
    card = page.locator(f"#group-{group.name}")
    card.locator("button.view").click()
    expect(card.locator(".chart.apart .plot")).to_be_visible()
    card.locator(".tools button").first.click()
    expect(card.locator(".chart:not(.apart) .overlay")).to_be_visible()
    expect(card.locator(".chart.apart .plot")).to_be_hidden()


def test_the_typical_difference_is_the_curve_less_the_usual_one(four_kinds_data: ReportData) -> None:
    """And of normal series nine of ten lie about zero."""
    group = next(g for g in four_kinds_data.groups if g.apart and not g.normal)
    assert group.apart
    stated = [np.nan if value is None else value for value in group.apart.typical.values]
    wide = min(len(stated), len(differences(group.members[0])))
    np.testing.assert_allclose(stated[:wide], differences(group.members[0])[:wide], atol=1e-9)
    assert np.median(group.apart.normal.low) < 0 < np.median(group.apart.normal.high)


def differences(curve: object) -> list[float]:
    values, usual, start = (getattr(curve, name) for name in ("values", "usual", "start"))
    at = np.arange(len(values)) - start
    return (np.array([np.nan if v is None else v for v in values]) - np.interp(at, usual.at, usual.values)).tolist()


def drawn(path: str) -> int:
    """How many samples the path goes across, both ends counted: steps are relative, equal ones are one."""
    return 1 + sum(int(step) for step in re.findall(r"[l ](\d+)[+-]", path))
