"""A baseline where nobody has chosen one: what explains how features vary, and nothing else."""

from __future__ import annotations

import numpy as np
import polars as pl

from tsclust.stages.features import explained
from tsclust.stages.features.explained import MUCH, choose

NAMES = ("level", "length", "noise")
LEAST = np.zeros(3)
Columns = dict[str, object]


def fleet(machines: int = 40, n: int = 4_000, differ: float = 2.0) -> tuple[np.random.Generator, Columns, pl.Series]:
    """Machines whose level differs by so many deviations of their own; what is carried of each series."""
    rng = np.random.default_rng(4)
    machine = rng.integers(0, machines, n)
    level = differ * rng.standard_normal(machines)[machine] + rng.standard_normal(n)
    x = np.column_stack([level, rng.standard_normal(n), rng.standard_normal(n)])
    return rng, {"machine": np.char.add("M", machine.astype(str))}, pl.Series("x", x)


def chosen(columns: Columns, x: pl.Series) -> list[tuple[str, str]]:
    return [(one.column, one.feature) for one in choose(pl.DataFrame(columns), NAMES, x.to_numpy(), LEAST)]


def test_the_column_that_explains_a_feature() -> None:
    rng, columns, x = fleet()
    columns |= {"shift": rng.choice(["early", "late", "night"], len(x)), "cycle": np.arange(len(x))}
    assert chosen(columns, x) == [("machine", "level")]


def test_the_share_is_the_one_of_the_variance() -> None:
    """Of normal levels, 2 deviations apart, four fifths; by ranks nearly so."""
    _, columns, x = fleet(machines=200, n=20_000)
    (one,) = choose(pl.DataFrame(columns), NAMES, x.to_numpy(), LEAST)
    assert abs(one.share - 0.8) < 0.05


def test_none_where_machines_are_alike() -> None:
    """Nor by chance: a column of many values explains much of a small sample."""
    _, columns, x = fleet(machines=250, differ=0.0)
    assert chosen(columns, x) == []


def test_no_column_that_is_nearly_unique() -> None:
    """A group of three has no middle, although the level of each is its own."""
    _, columns, x = fleet(machines=1_300, differ=9.0)
    assert chosen(columns, x) == []


def test_no_column_that_names_what_is_odd() -> None:
    """A tester's verdict explains the level, as those that failed have another one: compared within them nothing would
    be unusual any more."""
    rng, _, x = fleet(differ=0.0)
    failed = rng.random(len(x)) < 0.12
    level = x.to_numpy().copy()
    level[failed, 0] += 10
    columns: Columns = {"verdict": np.where(failed, "failed", "passed")}
    groups = explained._numbered(pl.DataFrame(columns))
    assert explained._shares(explained._ranks(level), groups).max() > MUCH, "it does explain much"
    assert chosen(columns, pl.Series("x", level)) == []


def test_a_product_beside_the_machine() -> None:
    rng, columns, x = fleet()
    product = rng.integers(0, 3, len(x))
    values = x.to_numpy().copy()
    values[:, 1] += 5.0 * product
    columns |= {"product": product, "again": product.astype(str)}
    assert [column for column, _ in chosen(columns, pl.Series("x", values))] in (
        ["product", "machine"],
        ["machine", "product"],
    )


def test_a_missing_value_is_a_group_of_its_own() -> None:
    _, columns, x = fleet(machines=5)
    assert chosen(columns, x) == chosen({"machine": pl.Series(columns["machine"]).replace("M1", None)}, x) != []


def test_nothing_carried() -> None:
    _, _, x = fleet(n=100)
    assert choose(pl.DataFrame(), NAMES, x.to_numpy(), LEAST) == ()


def test_machines_that_products_without_a_column_hide() -> None:
    """Products differ in all features, by far more than the machines do in one: of the whole these explain little."""
    rng, columns, x = fleet(n=12_000)
    values = x.to_numpy() + 40.0 * rng.choice(3, len(x), p=[0.5, 0.3, 0.2])[:, None]
    machine = explained._numbered(pl.DataFrame(columns))
    assert explained._shares(explained._ranks(values), machine).max() < MUCH, "it explains little of the whole"
    assert chosen(columns, pl.Series("x", values)) == [("machine", "level")]


def test_nothing_where_regimes_leave_nothing_to_explain() -> None:
    rng, columns, x = fleet(n=12_000, differ=0.0)
    values = x.to_numpy() + 40.0 * rng.choice(3, len(x), p=[0.5, 0.3, 0.2])[:, None]
    assert chosen(columns, pl.Series("x", values)) == []
