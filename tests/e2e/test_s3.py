"""Series in S3, read from a real server: the same as from files, over connections that break, and what is refused."""

from __future__ import annotations

import gzip
import io
from collections.abc import Callable, Iterator
from pathlib import Path

import polars as pl
import pytest

import tsclust
from tests.support.broken_s3 import Breaks, breaking
from tests.support.commands import call_tsclust
from tests.support.endurance import times
from tests.support.many_objects import load
from tests.support.plant import cycles_file
from tests.support.s3 import SECRET, Bucket, formatted, served, started
from tsclust.errors import SourceFileError
from tsclust.source.files import objects as objects_in_s3
from tsclust.source.files import paths
from tsclust.source.files.objects import ObjectPath
from tsclust.source.files.unchanged import Unchanged

SERIES = 1_500
# Nor a machine of Amazon, whose role would be asked for.
NO_KEYS = {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": "", "AWS_METADATA_ENDPOINT": "http://127.0.0.1:9"}


def parquet(table: pl.DataFrame) -> bytes:
    into = io.BytesIO()
    table.write_parquet(into, row_group_size=200)
    return into.getvalue()


def csv(table: pl.DataFrame) -> bytes:
    texts = pl.concat_str(
        pl.lit("["), pl.col("values").list.eval(pl.element().cast(pl.String)).list.join(","), pl.lit("]")
    )
    return table.with_columns(values=texts).write_csv().encode()


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> pl.DataFrame:
    path, _ = cycles_file(tmp_path_factory.mktemp("cycles"), SERIES)
    return pl.read_parquet(path).with_columns(pl.col("values").list.eval(pl.element().round(4)))


@pytest.fixture(scope="module")
def objects(bucket: Bucket, table: pl.DataFrame) -> dict[str, bytes]:
    """The same series in several forms: below folders of these names, in objects of these."""
    half = SERIES // 2
    found = {
        "one/cycles.parquet": parquet(table),
        "two/part-0.parquet": parquet(table[:half]), "two/part-1.parquet": parquet(table[half:]),
        "two/_SUCCESS": b"", "two/_metadata": b"PAR1",
        "days/a/x-1.csv": csv(table[:half]), "days/b/x-2.csv": csv(table[half:]), "days/b/notes.md": b"none",
        "packed/cycles.csv.gz": gzip.compress(csv(table)),
        "hive/line=1/part-0.parquet": parquet(table[:half]), "hive/line=2/part-0.parquet": parquet(table[half:]),
        "delta/_delta_log/0.json": b"{}", "delta/part-0.parquet": parquet(table[:5]),
        "dump/plant.sql": b"--\n-- PostgreSQL database dump\n--\n", "text/none.csv": b"\x00\x01\x02" * 100,
    }  # fmt: skip
    for folder in ("two", "two/empty", "two/none.parquet", "hive", "hive/line=3"):
        bucket.mark(folder)
    for key, content in found.items():
        bucket.put(key, content)
    return found


@pytest.fixture
def there(bucket: Bucket, objects: dict[str, bytes], monkeypatch: pytest.MonkeyPatch) -> Callable[[Bucket], None]:
    """The environment points to the bucket, or to what stands in front of it."""

    def point(to: Bucket) -> None:
        for name, value in to.environment.items():
            monkeypatch.setenv(name, value)

    point(bucket)
    return point


def extracted(root: Path, where: str) -> pl.DataFrame:
    if not root.exists():
        tsclust.init(root)
    tsclust.extract(root, {"source": {"files": where, "part_rows": 400}})
    return pl.read_parquet(root / "series" / "part-*.parquet")


@pytest.mark.parametrize(
    ("where", "local"),
    [
        ("one/cycles.parquet", "one/cycles.parquet"), ("two/", "two"), ("two/*.parquet", "two/*.parquet"),
        ("two/*", "two/*"), ("two/**", "two/**"),
        ("days/**/x-[0-9].csv", "days/**/x-[0-9].csv"), ("packed/*.gz", "packed/*.gz"), ("hive", "hive"),
        ("t[!e]*/part-0.parquet", "two/part-0.parquet"),
    ],
)  # fmt: skip
@pytest.mark.usefixtures("there")
def test_objects_are_read_as_files_are(tmp_path: Path, objects: dict[str, bytes], where: str, local: str) -> None:
    for key, content in objects.items():
        (tmp_path / key).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / key).write_bytes(content)
    found, expected = extracted(tmp_path / "a", f"s3://plant/{where}"), extracted(tmp_path / "b", str(tmp_path / local))
    assert found.equals(expected)
    parts = [sorted((tmp_path / name / "series").glob("part-*.parquet")) for name in ("a", "b")]
    assert [path.read_bytes() for path in parts[0]] == [path.read_bytes() for path in parts[1]]


@pytest.mark.parametrize(
    ("where", "environment", "code", "says"),
    [
        ("s3://plant/none/*.parquet", {}, 3, "There is no s3://plant/none/*.parquet"),
        ("s3://plant/days", {}, 3, 'Name a glob: "s3://plant/days/**/*.csv"'),
        ("s3://none/one/", {}, 3, "s3://none: there is no such bucket at http://127.0.0.1"),
        ("s3://", {}, 3, "has no bucket"),
        ("s3://plant/delta/", {}, 15, "belongs to a Delta table"),
        ("s3://plant/dump/plant.sql", {}, 15, "Copy it here first: aws s3 cp s3://plant/dump/plant.sql ."),
        ("s3://plant/text/none.csv", {}, 15, "s3://plant/text/none.csv is not text"),
        ("s3://plant/[op]*/cycles*", {}, 3, "has files of several kinds"),
        ("s3://plant/one/", {"AWS_ACCESS_KEY_ID": "other"}, 7, "refuses access"),
        ("s3://plant/one/", {"AWS_SECRET_ACCESS_KEY": SECRET[::-1]}, 7, "Check AWS_ACCESS_KEY_ID"),
        ("s3://plant/one/", {"AWS_ENDPOINT_URL": "http://127.0.0.1:9"}, 7, "http://127.0.0.1:9 does not answer"),
        ("s3://plant/one/", NO_KEYS, 7, "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"),
    ],
)
@pytest.mark.usefixtures("objects")
def test_what_cannot_be_read_is_said_in_one_line(
    initialised: Path, bucket: Bucket, where: str, environment: dict[str, str], code: int, says: str
) -> None:
    given = {name: value for name, value in (bucket.environment | environment).items() if value}
    done = call_tsclust("extract", "-w", initialised, "--from", where, environment=given)
    assert (done.returncode, done.stderr.count("\n")) == (code, 1), done.stderr
    assert says in done.stderr
    assert SECRET not in done.stderr
    assert SECRET[::-1] not in done.stderr


def test_a_connection_that_breaks_is_tried_again(
    tmp_path: Path, bucket: Bucket, there: Callable[[Bucket], None], table: pl.DataFrame
) -> None:
    with breaking(bucket, 4, after=30_000) as breaks:
        there(breaks.bucket)
        assert extracted(tmp_path / "ws", "s3://plant/two/")["series_id"].sort().equals(table["series_id"].sort())
    assert breaks.left == 0
    with breaking(bucket, 1_000, after=30_000) as breaks:
        given = breaks.bucket.environment
        done = call_tsclust("extract", "-w", tmp_path / "ws", "--from", "s3://plant/one/", environment=given)
    assert (done.returncode, done.stderr.count("\n")) == (13, 1), done.stderr
    assert "Run the same command again when it is back" in done.stderr
    assert len(pl.read_parquet(tmp_path / "ws" / "series" / "part-*.parquet")) == SERIES  # as it was


@pytest.mark.parametrize(("asks", "code"), [(b"list-type=2", 7), (b"range: bytes", 13)])
@pytest.mark.usefixtures("objects")
def test_a_server_that_falls_silent_ends_in_one_line(
    initialised: Path, bucket: Bucket, monkeypatch: pytest.MonkeyPatch, asks: bytes, code: int
) -> None:
    monkeypatch.setattr(objects_in_s3, "ANSWERED_WITHIN", "0.5s")
    with breaking(bucket, 1_000, asks=asks, silent=True) as breaks:
        given = breaks.bucket.environment
        done = call_tsclust("extract", "-w", initialised, "--from", "s3://plant/one/", environment=given)
    assert (done.returncode, done.stderr.count("\n")) == (code, 1), done.stderr
    assert f"{given['AWS_ENDPOINT_URL']} does not answer" in done.stderr
    assert breaks.left == 1_000 - 6  # tries


def test_run_takes_in_new_objects(tmp_path: Path, bucket: Bucket, there: object, table: pl.DataFrame) -> None:
    root, flags = tmp_path / "ws", {"source": {"files": "s3://plant/grows/"}, "cluster": {"k": "2..3", "shapes": False}}
    bucket.put("grows/part-0.parquet", parquet(table[:1_000]))
    list(tsclust.run(root, flags))
    again = {one.command: one for one in tsclust.run(root, flags)}
    assert again["extract"].skipped
    bucket.put("grows/part-1.parquet", parquet(table[1_000:]))
    news = tsclust.status(root).facts
    assert news is not None
    assert news["source"]["files_changed"] is True
    done = {one.command: one for one in tsclust.run(root, flags)}
    assert (done["extract"].facts or {})["new"] == SERIES - 1_000
    bucket.put("grows/part-1.parquet", parquet(table[1_000:].reverse()))  # as long, with other content
    assert (tsclust.status(root).facts or {})["source"]["files_changed"] is True
    written = [path.read_bytes() for path in root.rglob("*") if path.is_file()]
    assert not any(SECRET.encode() in content for content in written)


@pytest.mark.usefixtures("there")
def test_an_object_that_is_replaced_while_it_is_read_is_noticed(tmp_path: Path, bucket: Bucket) -> None:
    bucket.put("changing/x.csv", b"a" * 100)
    (path,) = paths.found("s3://plant/changing/", tmp_path)
    assert isinstance(path, ObjectPath)
    bucket.put("changing/x.csv", b"b" * 100)
    with pytest.raises(SourceFileError, match=r"s3://plant/changing/x\.csv was changed while it was read"):
        path.open().read()


def test_one_of_a_server_without_etags_is_noticed_in_the_end(
    tmp_path: Path, there: Callable[[Bucket], None], table: pl.DataFrame
) -> None:
    with served(tmp_path) as to:
        there(to)
        to.put("one.parquet", parquet(table[:100]))
        assert len(extracted(tmp_path / "ws", "s3://plant/*.parquet")) == 100
        seen = Unchanged.of(paths.found("s3://plant/one.parquet", tmp_path))
        to.put("one.parquet", parquet(table[:101]))
        with pytest.raises(SourceFileError, match=r"s3://plant/one\.parquet was changed"):
            seen.check()


@pytest.fixture
def many(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Breaks, list[str]]]:
    """A server of its own with more objects than a page of it has (5,000), and their keys."""
    database = formatted(tmp_path)
    keys = load(times(6_000, 100_000), database, tmp_path / "dump.json")
    with started(database, tmp_path, "--keep-etag") as to, breaking(to, 1, asks=b"continuation-token") as breaks:
        for name, value in breaks.bucket.environment.items():
            monkeypatch.setenv(name, value)
        yield breaks, keys


@pytest.mark.endurance
def test_a_listing_of_many_objects(tmp_path: Path, many: tuple[Breaks, list[str]]) -> None:
    breaks, keys = many
    found = paths.found("s3://plant/many/*/*.csv", tmp_path)
    assert [str(path) for path in found] == [f"/plant/{key}" for key in keys]
    assert {path.stat().st_size for path in found} == {1}
    assert breaks.left == 0  # a second page was asked for, and broke off
