"""Where verdicts go beside Kafka, models that are replaced, drift: each on a real broker."""

from __future__ import annotations

import json
import shutil
import time
import urllib.request
from pathlib import Path

import numpy as np
import polars as pl
import psycopg
import pyarrow as pa
import pytest

import tsclust
from tests.support.brokers import Broker, content, messages_of, read, sources, streaming_within, until
from tests.support.bundles import Trained
from tests.support.fleet import Fleet
from tests.support.plant import Plant
from tests.support.proxy import message, proxied
from tests.support.series import machine_cycles
from tests.support.service import free_port, running
from tsclust.stages.model import bundle_file
from tsclust.stages.series.parts import SeriesFiles
from tsclust.stream.run import Options
from tsclust.workspace.folder import Workspace

INTO = Options(to_table="verdicts")


def rows_of(dsn: str) -> list[tuple[object, ...]]:
    with psycopg.connect(dsn) as connection:
        try:
            return connection.execute("SELECT * FROM verdicts ORDER BY series_id").fetchall()
        except psycopg.errors.UndefinedTable:
            return []


def test_a_table_has_each_verdict_once_whatever_comes_again(
    broker: Broker, database: str, trained: Trained, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """The database is away for a while; then all is read again from the beginning, which changes nothing."""
    cycles, model = machine_cycles(6_000, 1)[0].slice(0, 300), trained.bundles / "logistic"
    broker.topics("cycles", "verdicts")
    broker.send("cycles", messages_of(cycles))
    away = [True]

    def change(kind: bytes, body: bytes) -> list[bytes | None]:
        return [None] if away[0] else [message(kind, body)]

    with (
        proxied(database, tmp_path_factory.mktemp("p"), change) as dsn,
        streaming_within(broker, tmp_path, model, INTO, dsn) as stream,
    ):
        until(lambda: any("database" in line["event"] for line in stream.lines()))
        away[0] = False
        until(lambda: len(rows_of(database)) == len(cycles))
        assert stream.stop() == 0
    first = rows_of(database)
    expected = {row["series_id"]: row["said"] for row in trained.scorer("logistic").score(cycles).to_pylist()}
    assert {row[0]: row[1] for row in first} == expected
    with streaming_within(broker, tmp_path, model, INTO, database, group="another", to_topic="again") as stream:
        assert len(read(broker.address, "again", lambda found: len(found) >= len(cycles))) == len(cycles)
        assert stream.stop() == 0
    assert rows_of(database) == first


def strange(table: pa.Table, first: int) -> pa.Table:
    """These cycles with three peaks on the way, which nobody has ever seen; their ids from `first` on."""
    values = [np.array(one, float) for one in table["values"].to_pylist()]
    for one in values:
        one[20:50:10] *= 4
    names = table.drop_columns(["series_id", "values"])
    return names.append_column("series_id", pa.array(range(first, first + len(values)))).append_column(
        "values", pa.array(values, pa.list_(pa.float64()))
    )


def test_what_has_no_name_is_kept_for_cluster_to_find_new_kinds(broker: Broker, fleet: Fleet, tmp_path: Path) -> None:
    root = Path(shutil.copytree(fleet.workspace("logistic").root, tmp_path / "ws"))
    made, kinds = pl.read_parquet(fleet.series), pl.read_parquet(fleet.series.with_name("planted.parquet"))
    tsclust.cluster(root, {"cluster": {"k": "2..4", "shapes": False}})
    normal = made.join(kinds.filter(pl.col("kind") == "normal"), on="series_id").drop("kind", "recorded_at")
    new = strange(normal.head(80).to_arrow(), 1_000_000)
    broker.topics("cycles", "verdicts")
    rows = [(b"k", json.dumps(one).encode()) for one in new.to_pylist()]
    with streaming_within(broker, root, root / "model") as stream:
        broker.send("cycles", rows)
        verdicts = read(broker.address, "verdicts", lambda found: len(found) >= len(rows))
        assert stream.stop() == 0
    unknown = {content(one)["series_id"] for one in verdicts if content(one)["said"] == "none of these"}
    assert len(unknown) > 60
    done = tsclust.cluster(root, {"cluster": {"k": "2..5", "shapes": False}}, unlabelled=True)
    assert any(f"{len(unknown)} series of incoming/" in note for note in done.notes)
    series = SeriesFiles.of(Workspace.open(root))
    assert series.manifest.rows == len(made) + len(unknown)
    ids = pl.concat([pl.read_parquet(path, columns=["series_id"]) for path in series.paths])["series_id"]
    assert unknown <= set(ids.to_list())
    found = pl.concat([pl.read_parquet(path) for path in (root / "clusters/within-000/assignments").glob("*.parquet")])
    mine = found.filter(pl.col("series_id").is_in(list(unknown)))
    assert len(mine) == len(unknown)
    again = tsclust.cluster(root, {"cluster": {"k": "2..5", "shapes": False}}, unlabelled=True)
    assert not any("incoming/" in note for note in again.notes)


def test_a_new_model_takes_over_and_no_recording_is_lost(broker: Broker, trained: Trained, tmp_path: Path) -> None:
    """A folder that is swapped, one that is damaged, and a service that gets another version."""
    cycles = machine_cycles(6_000, 1)[0].slice(0, 900)
    model, ids = tmp_path / "model", []
    shutil.copytree(trained.bundles / "logistic", model)
    broker.topics("cycles", "verdicts")
    with streaming_within(broker, tmp_path, model) as stream:
        broker.send("cycles", messages_of(cycles.slice(0, 300)))
        read(broker.address, "verdicts", lambda found: len(found) >= 300)
        (model / "model.skops").write_bytes(b"half of it")
        (model / "manifest.json").touch()
        until(lambda: any("cannot be used" in line["event"] for line in stream.lines()))
        broker.send("cycles", messages_of(cycles.slice(300, 300)))
        read(broker.address, "verdicts", lambda found: len(found) >= 600)
        shutil.rmtree(model)
        shutil.copytree(trained.bundles / "trees", model)
        until(lambda: any(line["event"] == "model" for line in stream.lines()))
        broker.send("cycles", messages_of(cycles.slice(600)))
        found = read(broker.address, "verdicts", lambda found: len(found) >= 900)
        assert stream.stop() == 0
    ids = [json.loads((trained.bundles / name / "manifest.json").read_text()) for name in ("logistic", "trees")]
    by_model = {one["facts"]["id"]: 0 for one in ids}
    for one in found:
        by_model[content(one)["model"]] += 1
    assert list(by_model.values()) == [600, 300]
    assert set(sources(found).values()) == {1}


def test_the_model_is_that_of_a_service(broker: Broker, trained: Trained, tmp_path: Path) -> None:
    for name in ("logistic", "trees"):
        bundle_file.write(trained.bundles / name, tmp_path / f"{name}.zip")
    broker.topics("cycles", "verdicts")
    with running(tmp_path / "served", "--no-jobs") as service:
        add(service.url, tmp_path / "logistic.zip")
        options = Options(port=(port := free_port()))
        with streaming_within(broker, tmp_path, f"{service.url}/models/plant", options) as stream:
            first = watched(port, "healthz")["model"]
            add(service.url, tmp_path / "trees.zip")
            until(lambda: watched(port, "healthz")["model"] != first)
            broker.send("cycles", messages_of(machine_cycles(6_000, 1)[0].slice(0, 50)))
            read(broker.address, "verdicts", lambda found: len(found) >= 50)
            until(lambda: "tsclust_stream_series_total" in str(watched(port, "metrics")))
            assert stream.stop() == 0


def add(url: str, file: Path) -> None:
    body = b'--x\r\nContent-Disposition: form-data; name="name"\r\n\r\nplant\r\n'
    body += b'--x\r\nContent-Disposition: form-data; name="file"; filename="b.zip"\r\n\r\n' + file.read_bytes()
    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    urllib.request.urlopen(urllib.request.Request(f"{url}/models", body + b"\r\n--x--\r\n", headers)).close()


def watched(port: int, what: str) -> dict[str, object]:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/{what}", timeout=10) as answer:
        text = answer.read().decode()
    told: dict[str, object] = json.loads(text) if what == "healthz" else {"text": text}
    return told


def test_a_fault_that_begins_on_one_machine_is_named_within_seconds(
    broker: Broker, small_plant: Plant, tmp_path: Path
) -> None:
    """By the log and by the topic, and no other machine."""
    series = pl.read_parquet(small_plant.path).drop("recorded_at")
    usual = series.join(small_plant.kinds.filter(pl.col("kind") == "normal"), on="series_id").drop("kind")
    machine = str(usual.group_by("machine_id").len().sort("len", "machine_id")["machine_id"][-1])
    stiff = usual.filter(pl.col("machine_id") == machine).to_arrow()
    broker.topics("cycles", "verdicts", "alarms")
    with streaming_within(broker, tmp_path, small_plant.workspace.root / "model", alarms="alarms") as stream:
        broker.send("cycles", [(b"k", json.dumps(one).encode()) for one in usual.head(4_000).to_dicts()])
        read(broker.address, "verdicts", lambda found: len(found) >= 4_000)
        assert not any(line["event"] == "drift" for line in stream.lines())
        began = time.monotonic()
        broker.send("cycles", [(b"k", json.dumps(one).encode()) for one in strange(stiff, 0).to_pylist()[:20]])
        alarms = read(broker.address, "alarms", lambda found: len(found) >= 1, 40)
        assert time.monotonic() - began < 40
        assert stream.stop() == 0
    assert [content(one)["machine"] for one in alarms] == [machine]
    assert [line["machine"] for line in stream.lines() if line["event"] == "drift"] == [machine]
    assert content(alarms[0])["text"].startswith(machine)
