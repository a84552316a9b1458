"""The page of labels that are probably wrong: what it says of what is recorded."""

from __future__ import annotations

import pytest

from tsclust.stages.reports.data import Band, Curve
from tsclust.stages.reports.measured import UNKNOWN, Measured
from tsclust.stages.reports.review_page import Item, ReviewData, render


@pytest.mark.parametrize(("measured", "said", "name"), [
    (Measured("Torque", "Nm", 0.05, {"machine_id": "Press"}), ("Torque, Nm", "seconds after the start"), "Press"),
    (UNKNOWN, ("samples after the start",), "Machine"),
])  # fmt: skip
def test_axes_and_columns_are_those_of_what_is_recorded(measured: Measured, said: tuple[str, ...], name: str) -> None:
    curve = Curve("7", 1, (0.0, 1.0, 2.0, 1.0), (("machine_id", "M1"),), None)
    band = Band((0, 1, 2), (0.0, 1.0, 0.0), (1.0, 3.0, 1.0))
    item = Item(curve, "worn", "normal", (curve,), (curve,), band, band)
    verdicts = {"worn": "malfunction", "normal": "normal"}
    page = render(ReviewData("", (item,), verdicts, "0" * 16, measured), "en", "review")
    assert [text for text in said if text not in page] == []
    assert f"<dt><bdi>{name}</bdi></dt>" in page
