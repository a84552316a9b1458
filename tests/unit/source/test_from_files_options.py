"""extract --from CSV and Parquet: empty columns, names of columns, limits and samples."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.commands import call_tsclust
from tests.support.file_tables import (
    INT,
    Table,
    array_table,
    as_csv,
    as_parquet,
    extracted,
    long_table,
    read,
    same,
)
from tests.support.workspaces import hashes, new_workspace


@pytest.mark.slow
def test_a_column_that_is_empty_far_into_a_wide_file_is_one_of_the_values(tmp_path: Path) -> None:
    path, count = tmp_path / "wide.csv", 190_000
    line = ",1.25,1.5,1.75,2.25,,2.5,2.75,3.25,3.5,3.75,4.25,4.5,4.75,5.25,5.5,5.75,6.25,6.5,6.75,7.25\n"
    with path.open("w") as file:
        file.write("id," + ",".join(f"v{j}" for j in range(20)) + "\n")
        file.writelines(f"{i}{line}" for i in range(count))
        file.write(f"{count}{line.replace(',,', ',9,')}")
    assert path.stat().st_size > 1 << 24
    got = read(extracted(tmp_path / "ws", path, where=f"id < 2 OR id = {count}"))
    cells = [None if c == "" else float(c) for c in line.strip().split(",")[1:]]
    assert got == {0: (cells,), 1: (cells,), count: ([*cells[:4], 9.0, *cells[5:]],)}


@pytest.mark.parametrize("asked", [{"layout": "wide"}, {"values": "v*"}])
def test_an_empty_column_of_a_narrow_wide_file(tmp_path: Path, asked: dict[str, str]) -> None:
    (tmp_path / "x.csv").write_text("id,v0,v1,v2,note7\n1,5,,6,\n2,7,,,\n")
    got = read(extracted(tmp_path / "ws", tmp_path / "x.csv", **asked))
    assert got == {1: (None, [5.0, None, 6.0]), 2: (None, [7.0])}


# What is asked for


def test_columns_are_named_and_written_down(tmp_path: Path) -> None:
    as_csv(Table("x", {"a": INT, "b": INT, "c": INT, "d": INT, "e": INT}, [(i % 3, i, -i, i * 2, 9) for i in range(9)],
                 {}), tmp_path / "x.csv")  # fmt: skip
    new_workspace(tmp_path / "ws", "# mine\n")
    words = "--layout long --id a --order c --values d --carry e --carry b --where b<8 --part_rows"
    done = call_tsclust("extract", "-w", tmp_path / "ws", "--from", tmp_path / "x.csv", "--save", *words.split()[:-1])
    assert (done.returncode, done.stderr) == (0, "")
    wanted = {i: (9, max(b), [2.0 * n for n in sorted(b, reverse=True)]) for i in range(3) if (b := range(i, 8, 3))}
    assert read(tmp_path / "ws") == wanted
    before = hashes(tmp_path / "ws", "series")
    assert call_tsclust("extract", "-w", tmp_path / "ws").returncode == 0
    assert hashes(tmp_path / "ws", "series") == before
    assert (tmp_path / "ws" / "tsclust.toml").read_text().startswith("# mine\n")


@pytest.mark.slow
def test_a_limit_counts_whole_series(tmp_path: Path) -> None:
    for table in (long_table(300), array_table("a", INT, range(300))):
        path = as_csv(table, tmp_path / f"{table.name}.csv")
        for limit in (1, 30, 299, 1_000):
            got = read(extracted(tmp_path / f"{table.name}{limit}", path, limit=limit, part_rows=7))
            assert len(got) == min(limit, 300)
            assert same(got, {i: table.series[i] for i in got})


@pytest.mark.slow
def test_a_sample_is_always_the_same_whole_series(tmp_path: Path) -> None:
    long, array = long_table(2_000), array_table("a", INT, range(2_000))
    got = read(extracted(tmp_path / "1", as_csv(long, tmp_path / "x.csv"), sample="10%"))
    assert 150 < len(got) < 250
    assert same(got, {i: long.series[i] for i in got})
    assert read(extracted(tmp_path / "2", as_parquet(array, tmp_path / "x.parquet"), sample="0.1")).keys() == got.keys()
    assert read(extracted(tmp_path / "3", tmp_path / "x.csv", sample="20%")).keys() > got.keys()
