"""Keys beside data in S3: markers of folders and what jobs leave are no data; content is never passed over silently."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.support.broken_s3 import breaking
from tests.support.commands import call_tsclust
from tests.support.plain_s3 import Plain, plain
from tsclust.errors import SettingsError, SourceFileError
from tsclust.source.files import paths
from tsclust.source.files.objects import ObjectPath

HEADER, ROW = ",".join(f"v{n}" for n in range(9)), ",".join(["0.5"] * 9)
CSV = "\n".join([f"id,{HEADER}", *(f"{n},{ROW}" for n in range(20))]).encode()
Serve = Callable[..., Plain]


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> Iterator[Serve]:
    """Starts a server with objects and points the environment to it."""
    with ExitStack() as stack:

        def start(objects: Mapping[str, bytes], page: int = 1_000) -> Plain:
            there = stack.enter_context(plain(objects, page))
            for name, value in there.bucket.environment.items():
                monkeypatch.setenv(name, value)
            return there

        yield start


def found(where: str) -> list[str]:
    return [path.url.removeprefix("s3://plant/") for path in paths.found(where, Path()) if isinstance(path, ObjectPath)]


@pytest.mark.parametrize("where", ["two", "two/", "two/*", "two/**", "*/*", "**", "two/*.csv"])
def test_markers_of_folders_are_no_data(serve: Serve, where: str) -> None:
    serve({
        "two/": b"", "two/a.csv": CSV, "two/b.csv": CSV, "two/empty/": b"", "two/none.csv/": b"", "two_$folder$": b"",
        "two/_SUCCESS": b"", "two/_metadata": b"PAR1", "two/_started_123": b"{}", "two/.a.csv.crc": b"crc",
    })  # fmt: skip
    assert found(f"s3://plant/{where}") == ["two/a.csv", "two/b.csv"]


def test_an_empty_object_that_is_none_of_them_is_found(serve: Serve) -> None:
    serve({"two/": b"", "two/a.csv": CSV, "two/b": b""})
    assert found("s3://plant/two/**") == ["two/a.csv", "two/b"]  # and refused as empty when it is looked at


@pytest.mark.parametrize("where", ["two", "two/*", "two/**", "two/*.csv"])
def test_a_folders_own_key_with_content_is_refused(serve: Serve, where: str) -> None:
    serve({"two/": CSV, "two/a.csv": CSV})
    with pytest.raises(SettingsError, match=r"s3://plant/two/ is an object with content"):
        found(f"s3://plant/{where}")


def test_one_below_is_refused_when_it_is_read(serve: Serve) -> None:
    serve({"two/a.csv": CSV, "two/b.csv/": CSV})
    path = {path.name: path for path in paths.found("s3://plant/**/*.csv", Path())}["b.csv"]
    assert isinstance(path, ObjectPath)
    with pytest.raises(SettingsError, match=r"s3://plant/two/b\.csv/ is an object with content"):
        path.open().read()


def test_folders_that_spark_passes_over_are_no_data(serve: Serve) -> None:
    serve({f"hive/{name}/a.csv": CSV for name in ("_day=1", "_day=2", "_raw", ".cache", "_temporary")})
    assert found("s3://plant/hive") == ["hive/_day=1/a.csv", "hive/_day=2/a.csv"]


def test_the_log_of_a_table_is_found_behind_many_manifests(serve: Serve) -> None:
    manifests = {f"ice/metadata/{n:04}-m0.avro": b"" for n in range(120)}
    serve({"ice/data/a.csv": CSV, "ice/metadata/v1.metadata.json": b"{}"} | manifests, page=50)
    with pytest.raises(SourceFileError, match="belongs to an Iceberg table"):
        found("s3://plant/ice/data/*.csv")


def test_a_listing_of_several_pages_that_breaks_begins_again(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    keys = [f"many/{n % 7}/{n:03}.csv" for n in range(70)]
    there = serve(dict.fromkeys(keys, b"1"), page=20)
    with breaking(there.bucket, 1, asks=b"continuation-token=40") as breaks:
        monkeypatch.setenv("AWS_ENDPOINT_URL", breaks.bucket.environment["AWS_ENDPOINT_URL"])
        assert found("s3://plant/many/*/*.csv") == sorted(keys)
    assert breaks.left == 0
    pages = [asked.get("continuation-token") for asked, _ in there.asked if asked.get("prefix") == "many/"]
    assert pages[:7] == [None, "20", "40", None, "20", "40", "60"]  # where one fails, from the first on


def test_a_session_token_is_sent_and_kept_nowhere(serve: Serve, initialised: Path) -> None:
    there, token = serve({"one/a.csv": CSV}), "hidden-session-token"
    given = there.bucket.environment | {"AWS_SESSION_TOKEN": token}
    done = call_tsclust("extract", "-w", initialised, "--from", "s3://plant/one/", environment=given)
    assert done.returncode == 0, done.stderr
    assert {headers.get("x-amz-security-token") for _, headers in there.asked} == {token}
    written = b"".join(path.read_bytes() for path in initialised.rglob("*") if path.is_file())
    assert token.encode() not in written + (done.stdout + done.stderr).encode()
