"""Lines of bars in a terminal."""

from __future__ import annotations

import pytest

from tsclust.cli.render import ASCII, BLOCKS, sparkline


@pytest.mark.parametrize(
    ("values", "upper", "lower"),
    [
        ([0, 15], " █", "▁█"),
        (list(range(16)), "        ▁▂▃▄▅▆▇█", "▁▂▃▄▅▆▇█████████"),
        ([0, None, 15.0], "  █", "▁ █"),
        ([-15, 0], " █", "▁█"),
        ([7, 7, 7], "   ", "▁▁▁"),
        ([None, None], "  ", "  "),
        ([], "", ""),
    ],
)
def test_bars_go_from_the_lowest_value_to_the_highest(values: list[float | None], upper: str, lower: str) -> None:
    assert sparkline(values, BLOCKS.bars, 20) == (upper, lower)


def test_bars_in_plain_ascii() -> None:
    assert sparkline([0, 1, 2, 3, 4, 5], ASCII.bars, 20) == ("   .:|", ".:||||")


def test_a_long_series_keeps_its_peaks_and_gaps() -> None:
    values = [1.0] * 50 + [9.0] + [1.0] * 49 + [None] * 100 + [1.0] * 99 + [-6.0]
    assert sparkline(values, BLOCKS.bars, 12) == ("  █         ", "████    ███▁")
