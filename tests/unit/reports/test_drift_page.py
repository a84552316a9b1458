"""The page of what has changed since training: what is collected for it, and that it shows it."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from tests.support.models import learned
from tsclust.arrays import Floats
from tsclust.stages.features.catalogue import NAMES
from tsclust.stages.model.profile import unlikeness
from tsclust.stages.reports.data import Band, Curve, Line
from tsclust.stages.reports.drift.data import (
    MEMBERS,
    DriftData,
    MachineDrift,
    Reason,
    Recordings,
    Scored,
    Side,
    reasons_of,
    showing,
    side_of,
    signs_of,
)
from tsclust.stages.reports.drift.page import render
from tsclust.stages.reports.measured import Measured
from tsclust.stages.scores.drift import Changed, Shift
from tsclust.stages.scores.onset import Sign

FEATURES = ("p50", "area")


def recordings(values: Floats, starts: Floats) -> Recordings:
    x = np.full((len(values), len(NAMES)), np.nan)
    x[:, NAMES.index("start")], x[:, NAMES.index("p50")] = starts, values.mean(axis=1)
    table = pl.DataFrame({"series_id": np.arange(len(values)), "values": values.tolist()}).to_arrow()
    return Recordings(table, x)


def test_a_side_is_the_band_and_the_median_of_its_series() -> None:
    rng = np.random.default_rng(1)
    values, starts = rng.normal(size=(41, 12)), np.repeat([0.0, 2.0, np.nan], [20, 11, 10])
    rows = rng.permutation(41)[:31]
    found = side_of(recordings(values, starts), 900, rows)
    at = {}  # sample after the start -> values there
    for row in rows.tolist():
        start = int(np.nan_to_num(starts[row]))
        for i, value in enumerate(values[row].tolist()):
            at.setdefault(i - start, []).append(value)
    assert found.middle is not None
    for time, low, middle, high in zip(
        found.band.at, found.band.low, found.middle.values, found.band.high, strict=True
    ):
        there = sorted(at[time])
        ranks = [round(q * (len(there) - 1)) for q in (0.05, 0.5, 0.95)]
        assert (low, middle, high) == tuple(there[rank] for rank in ranks)
    assert (found.series, len(found.band.at)) == (900, 14)
    assert [one.series_id for one in found.members] == [str(row) for row in rows[:MEMBERS]]
    assert found.medians["p50"] == pytest.approx(np.median(values.mean(axis=1)[rows]))


def scored(series: int) -> Scored:
    rng = np.random.default_rng(2)
    keep = rng.random(series) < 0.8
    return Scored(
        keep, np.where(keep[:, None], rng.normal(size=(series, 2)) * 3, 0.0), keep & (rng.random(series) < 0.3)
    )


@pytest.mark.parametrize("sign", [
    Sign(None, "feature", 1, 1.5), Sign(None, "feature", 0, -0.5, False), Sign(None, "refused"), Sign(None, "rejected"),
    Sign(None, "unlike", now=0.1),
], ids=lambda sign: sign.what)  # fmt: skip
def test_members_are_those_that_show_it(sign: Sign) -> None:
    of, rows = scored(300), np.random.default_rng(3).permutation(300)[:200]
    far = sorted((float(unlikeness(of.z[row : row + 1])[0]) for row in rows.tolist() if of.keep[row]), reverse=True)
    expected = []
    for row in rows.tolist():
        value = of.z[row, sign.feature]
        shows = {
            "feature": of.keep[row] and (value > sign.edge if sign.above else value <= sign.edge),
            "refused": of.refused[row], "rejected": not of.keep[row],
            "unlike": of.keep[row] and unlikeness(of.z[row : row + 1])[0] >= far[round(0.1 * 200) - 1],
        }  # fmt: skip
        expected += [row] if shows[sign.what] else []
    assert showing(of, sign, rows).tolist() == expected
    assert expected


def test_each_thing_that_has_changed_is_a_reason() -> None:
    shift = Shift("p50", 2.0, 0.0, True, 0.5, 0.9, 1.2)
    one = Changed("A", 200, 0.3, True, 0.2, True, (shift,), unlike=0.1, unlike_then=0.01, unlike_more=True)
    signs = list(signs_of(one, FEATURES, (0.001, 0.002)))
    of, rows = recordings(np.zeros((200, 5)), np.zeros(200)), np.arange(200)
    found = reasons_of(signs, of, scored(200), rows, ({"p50": 1.0}, {"p50": 2.0}))
    assert [(one.what, one.then, one.now, one.medians) for one in found] == [
        ("feature", 0.5, 0.9, (1.0, 2.0)), ("unlike", 0.01, 0.1, None), ("refused", 0.001, 0.3, None),
        ("rejected", 0.002, 0.2, None),
    ]  # fmt: skip
    assert [len(one.members) for one in found] == [MEMBERS] * 4


@pytest.mark.parametrize(("shifts", "shown"), [
    ([("roughness_to_peak", 3.0, 2.0), ("side_roughness", 2.0, 2.0)], ["side_roughness"]),  # both: jitter higher
    ([("roughness_to_peak", 3.0, 2.0), ("side_roughness", 1.0, 2.0)], ["roughness_to_peak"]),
    ([("side_mean", 3.0, 2.0), ("side_to_peak", 2.0, -2.0)], ["side_mean", "side_to_peak"]),  # not the same
    ([("run_length", 3.0, 2.0), ("of_my_own", 2.0, 2.0), ("p50", 1.0, 2.0), ("side_mean", 0.9, 2.0)],
     ["run_length", "of_my_own", "side_mean"]),
])  # fmt: skip
def test_what_says_the_same_is_stated_once(shifts: list[tuple[str, float, float]], shown: list[str]) -> None:
    found = tuple(Shift(name, index, moved=moved) for name, index, moved in shifts)
    one = Changed("A", 200, 0.0, False, 0.0, False, found)
    signs = list(signs_of(one, [name for name, _, _ in shifts], (0.0, 0.0)))
    assert [shift.feature for _, shift in signs if shift] == shown
    assert [sign.feature for sign, _ in signs] == [[name for name, _, _ in shifts].index(name) for name in shown]


def test_a_machine_without_any_series_of_training_has_no_band() -> None:
    nothing = side_of(Recordings(pl.DataFrame().to_arrow(), np.zeros((0, len(NAMES)))), 0, np.zeros(0, np.int64))
    assert nothing == Side()


def drifted() -> DriftData:
    curve = Curve("<7>", 1, (0.0, 1.0, 2.0, 1.0), (), None)
    band, line = Band((0, 1, 2), (0.0, 1.0, 0.0), (1.0, 3.0, 1.0)), Line((0, 1, 2), (0.5, 2.0, 0.5))
    shift = Shift("side_mean", 2.0, 8.0, True, 0.002, 0.051, 0.01)
    wide = Reason("rejected", None, 0.001, 0.4, None, (curve,))
    reasons = (Reason("feature", shift, 0.002, 0.051, (1.5, 2.5), (curve,)), wide)
    changed = Changed("W7 <script>", 192, 0.0, False, 0.4, True, (shift,), False, "2024-03-12")
    one = MachineDrift(changed, Side(900, band, line, (curve,)), Side(192, band, line), reasons, False)
    other = MachineDrift(Changed(None, 5, 0.0, False, 0.4, True, ()), Side(), Side(5), (wide,), True)
    return DriftData("", "new.csv", 1_234, (one, other), ("W8", None), learned().stage)


@pytest.mark.parametrize("lang", ["en", "ru"])
def test_the_page_shows_it_offline_and_without_a_script(lang: str) -> None:
    html = render(drifted(), lang)
    assert html == render(drifted(), lang)
    assert "default-src 'none'; style-src" in html
    assert not re.search(r"<script|<7>|https?://(?!www\.w3\.org)", html)
    assert "W7 &lt;script&gt;" in html
    assert html.count('<article class="card"') == 2
    words = {
        "en": ("since March 12, 2024 · 192", "plateau: level higher", "5.1% of the series, 0.2% in training",
               "Median in training 1.5, now 2.5.", "All other machines together", "knows no series of this machine"),
        "ru": ("с 12 марта 2024", "плато: уровень больше", "5,1", "Медиана в обучении 1,5, теперь 2,5."),
    }  # fmt: skip
    assert [text for text in words[lang] if text not in html] == []


@pytest.mark.parametrize(("lang", "words"), [
    ("en", "plateau: level lower against the peak"), ("ru", "плато: уровень меньше относительно пика"),
])  # fmt: skip
def test_a_ratio_to_the_peak_is_not_the_plateau_itself(lang: str, words: str) -> None:
    """A peak that grew lowers it, where the plateau in the picture is higher."""
    drift = drifted()
    reason = Reason("feature", Shift("side_to_peak", 2.0, moved=-8.0), 0.0, 0.0, (0.2, 0.13), ())
    one = replace(drift.cards[0], reasons=(reason,))
    assert words in render(replace(drift, cards=(one,)), lang)


def test_axes_are_those_of_what_is_recorded() -> None:
    page = render(replace(drifted(), measured=Measured("Torque", "Nm", 0.05)), "en")
    assert "<bdi>Torque, Nm</bdi>" in page
    assert "seconds after the start" in page
    assert "samples after the start" not in page


def test_where_no_machine_is_named_there_are_no_others() -> None:
    one = MachineDrift(Changed(None, 5, 0.0, False, 0.4, True, ()), Side(), Side(5), (), True)
    for lang, words in (("en", "All machines together"), ("ru", "Все машины вместе")):
        assert words in render(DriftData("", "new.csv", 5, (one,), (), learned().stage), lang)


def test_where_nothing_has_changed_any_more_the_page_says_so() -> None:
    nothing = DriftData("", "new.csv", 99, (), (), None)
    assert "Nothing has changed" in render(nothing, "en")
