"""Where the series are: found from columns and keys, or as the settings say. No server."""

from __future__ import annotations

from typing import Any

import pytest

from tsclust.config import Source
from tsclust.errors import QueryError
from tsclust.source.columns import Column, Key, Kind
from tsclust.source.layouts import Layout, layout
from tsclust.source.table import near

TYPES: dict[Kind, str] = {
    "integer": "bigint", "number": "double precision", "numbers": "real[]", "json": "jsonb", "text": "text",
    "time": "timestamp with time zone", "other": "uuid",
}  # fmt: skip


def columns(**kinds: Kind) -> list[Column]:
    return [Column(name, kind, TYPES[kind]) for name, kind in kinds.items()]


def wide(prefix: str, *numbers: int | str) -> list[Column]:
    return [Column(f"{prefix}{n}", "number", "real") for n in numbers]


def found(there: list[Column], *keys: tuple[str, ...], **said: Any) -> Layout:
    """The layout of a table with these columns and unique keys."""
    return layout("t", there, [Key(key, unique=True) for key in keys], Source(table="t", **said))


ARRAY = columns(cycle_id="integer", started_at="time", switch_id="text", values="numbers")
LONG = columns(cycle_id="integer", idx="integer", switch_id="text", value="number")
WIDE = [*columns(cycle_id="integer", switch_id="text"), *wide("v", *range(12))]


# Array


def test_the_one_array_of_numbers_holds_the_values() -> None:
    assert found(ARRAY) == Layout("array", "cycle_id", ("values",), "", ("started_at", "switch_id"))
    there = columns(id="integer", current="numbers", power="number")
    assert found(there) == Layout("array", "id", ("current",), "", ("power",))


def test_the_likelier_of_two_arrays_holds_the_values() -> None:
    assert found(columns(id="integer", places="numbers", samples="numbers")).values == ("samples",)


def test_json_may_hold_the_values() -> None:
    assert found(columns(id="integer", samples="json", name="text")) == Layout(
        "array", "id", ("samples",), "", ("name",)
    )


def test_an_array_goes_before_json_and_before_numbered_columns() -> None:
    there = [*columns(id="integer", about="json", curve="numbers"), *wide("v", *range(9))]
    assert found(there).values == ("curve",)


def test_numbered_columns_go_before_json() -> None:
    assert found([*WIDE, *columns(about="json")]).form == "wide"


@pytest.mark.parametrize(
    ("kind", "step"),
    [
        ("number", r"column values of t is of type double precision: .*set source\.layout = \"long\""),
        ("text", r"column values of t is of type text: .*string_to_array\(values, ','\)::float8\[\] AS values"),
        (
            "other",
            r"expected an array of numbers.*Name another column, or use a query that makes a float8\[\] of values",
        ),
    ],
)
def test_values_of_another_type(kind: Kind, step: str) -> None:
    with pytest.raises(QueryError, match=step):
        found(columns(series_id="integer", values=kind))


# Long


def test_numbers_row_by_row_are_long() -> None:
    assert found(LONG) == Layout("long", "cycle_id", ("value",), "idx", ("switch_id",))


def test_a_key_of_two_columns_is_the_id_and_the_order() -> None:
    there = columns(run="integer", machine="integer", tick="integer", amps="number")
    assert found(there, ("run", "tick")) == Layout("long", "run", ("amps",), "tick", ("machine",))


def test_the_keys_order_goes_before_likely_names() -> None:
    there = columns(cycle_id="integer", idx="integer", taken="time", value="number")
    assert found(there, ("cycle_id", "taken")).order == "taken"


def test_a_key_of_one_column_is_no_id_of_long_rows() -> None:
    there = columns(id="integer", cycle_id="integer", idx="integer", value="number")
    assert found(there, ("id",), ("cycle_id", "idx")) == Layout("long", "cycle_id", ("value",), "idx", ("id",))


def test_whole_numbers_may_be_the_values_of_long_rows() -> None:
    assert found(columns(series_id="text", t="time", v="integer")) == Layout("long", "series_id", ("v",), "t", ())


def test_a_number_named_as_values_makes_rows_long() -> None:
    there = columns(id="integer", idx="integer", amps="number", volts="number")
    assert found(there, values="volts") == Layout("long", "id", ("volts",), "idx", ("amps",))


def test_long_rows_whose_values_are_no_numbers() -> None:
    with pytest.raises(QueryError, match=r"column note of t is of type text: expected one number per row.*is long"):
        found([*LONG, *columns(note="text")], layout="long", values="note")


# Wide


def test_numbered_columns_are_wide_in_the_order_of_their_numbers() -> None:
    there = [*columns(id="integer"), *wide("v", 10, 2, 1, 0, *range(3, 10), 11)]
    assert found(there) == Layout("wide", "id", tuple(f"v{i}" for i in range(12)), "", ())


def test_numbers_may_begin_with_zeros() -> None:
    assert found([*columns(id="integer"), *wide("s_", "09", "10", "08", *range(8))]).values[-3:] == (
        "s_08",
        "s_09",
        "s_10",
    )


def test_few_numbered_columns_are_columns_of_their_own() -> None:
    there = [*LONG, *wide("phase", *range(7))]
    assert found(there).form == "long"
    assert found([*LONG, *wide("phase", *range(8))]).form == "wide"


def test_the_largest_family_of_numbered_columns_holds_the_values() -> None:
    there = [*columns(id="integer"), *wide("limit", *range(9)), *wide("v", *range(10))]
    assert found(there).values == tuple(f"v{i}" for i in range(10))
    assert found(there).carry == tuple(f"limit{i}" for i in range(9))


def test_a_pattern_names_wide_columns() -> None:
    there = [*columns(id="integer", valve="text"), *wide("limit", *range(9)), *wide("v", *range(3))]
    assert found(there, values="v*") == Layout(
        "wide", "id", ("v0", "v1", "v2"), "", ("valve", *(f"limit{i}" for i in range(9)))
    )


def test_a_pattern_that_fits_nothing_lists_the_number_columns() -> None:
    with pytest.raises(QueryError, match=r"'x\*' matches no number columns of t \(it has v0, v1, "):
        found(WIDE, values="x*")


# The id


def test_a_primary_key_is_the_id() -> None:
    there = columns(id="integer", number="integer", values="numbers")
    assert found(there, ("number",)).id == "number"


def test_the_first_key_of_one_column_is_the_id_of_array_rows() -> None:
    there = columns(machine="text", number="integer", serial="other", values="numbers")
    assert found(there, ("machine", "number"), ("serial",)).id == "serial"


def test_series_id_goes_before_every_key() -> None:
    assert found(columns(series_id="text", id="integer", values="numbers"), ("id",)).id == "series_id"


@pytest.mark.parametrize(
    ("there", "id_"),
    [
        (columns(recording_id="integer", id="integer", values="numbers"), "id"),
        (columns(ID="integer", name="text", values="numbers"), "ID"),
        (columns(pump="text", values="numbers"), "pump"),
        (columns(pump="text", pull_id="other", about="text", values="numbers"), "pull_id"),
        (columns(guid="other", values="numbers"), "guid"),
    ],
)
def test_without_keys_the_likeliest_name_is_the_id(there: list[Column], id_: str) -> None:
    assert found(there).id == id_


# Not clear, not there


@pytest.mark.parametrize(
    ("there", "told"),
    [
        (
            columns(pump="text", place="text", values="numbers"),
            r"no column is clearly the id \(pump text, place text, values real\[\]\)\. Name it: source\.id \(flag ",
        ),
        (
            columns(id="integer", left="numbers", right="numbers"),
            r"not clear which array holds the values \(id bigint, left real\[\], right real\[\]\).*source\.values",
        ),
        (
            columns(id="integer", idx="integer", amps="number", volts="number"),
            r"not clear where the values are .*--values",
        ),
        (
            columns(id="integer", a="number", b="number"),
            r"no column is clearly the order of the values .*source\.order",
        ),
        (columns(id="integer"), r"source\.order"),
    ],
)
def test_what_is_not_clear_lists_the_columns_and_names_the_setting(there: list[Column], told: str) -> None:
    with pytest.raises(QueryError, match=told):
        found(there)


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ({"id": "cycleid"}, r"source\.id: t has no column cycleid \(it has cycle_id, "),
        ({"values": "valeus"}, r"source\.values: t has no column valeus \(it has values, "),
        ({"carry": ("swich",)}, r"source\.carry: t has no column swich \(it has switch_id, .*Set source\.carry"),
        ({"layout": "long", "order": "idx"}, r"source\.order: t has no column idx "),
        ({"layout": "array", "values": "started_at"}, r"column started_at of t is of type timestamp with time zone"),
    ],
)
def test_columns_that_are_not_there(said: dict[str, Any], told: str) -> None:
    with pytest.raises(QueryError, match=told):
        found(ARRAY, **said)


def test_a_column_twice() -> None:
    with pytest.raises(QueryError, match=r"t returns column values twice\. Name its columns"):
        found([*ARRAY, *columns(values="text")])


# Settings


def test_settings_go_before_what_could_be_found() -> None:
    there = columns(id="integer", number="integer", idx="integer", step="integer", value="number", amps="number")
    said = {"layout": "long", "id": "number", "order": "step", "values": "amps", "carry": ("value",)}
    assert found(there, ("id", "idx"), **said) == Layout("long", "number", ("amps",), "step", ("value",))


@pytest.mark.parametrize(
    ("carry", "names"),
    [
        (("*",), ("started_at", "switch_id")),
        (("switch_id",), ("switch_id",)),
        ((), ()),
        (("switch_id", "started_at", "switch_id", "cycle_id", "values"), ("switch_id", "started_at")),
        (("switch_id", "*"), ("started_at", "switch_id")),
    ],
)
def test_carried_columns(carry: tuple[str, ...], names: tuple[str, ...]) -> None:
    assert found(ARRAY, carry=carry).carry == names


@pytest.mark.parametrize("there", [ARRAY, LONG, WIDE], ids=["array", "long", "wide"])
def test_what_was_found_can_be_said_as_settings(there: list[Column]) -> None:
    first = found(there)
    assert found(there, **first.settings) == first


def test_a_layout_in_words() -> None:
    assert str(found(ARRAY)) == (
        "array layout (a row per series): id cycle_id, values values, carried started_at, switch_id"
    )
    assert str(found(LONG, carry=())) == (
        "long layout (a row per value): id cycle_id, values value in the order of idx, nothing carried"
    )
    assert "(a column per value): id cycle_id, values v0 ... v11, carried switch_id" in str(found(WIDE))


def test_near_names_come_first() -> None:
    assert near("Cycels", ["apples", "cycles", "pears"]) == "cycles, apples, pears"
    assert near("x", [str(i) for i in range(12)]).endswith("9, ...")
    assert near("x", []) == ""


@pytest.mark.parametrize(
    "there",
    [
        [Column(f"t{i}_amp", "number", "real") for i in range(3)],
        [*wide("v", 0, 1, 2), Column("v1_amp", "number", "real")],
    ],
)
def test_a_pattern_of_wide_columns_can_be_said_again(there: list[Column]) -> None:
    there = [*columns(id="integer"), *there]
    first = found(there, values="*_amp" if there[1].name == "t0_amp" else "v[0-2]")
    assert found(there, **first.settings).values == first.values
