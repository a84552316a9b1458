"""Scores over HTTP: the values of the Scorer, whatever the body is; an error for each series that has none."""

from __future__ import annotations

import json
import queue
import re
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from starlette.testclient import TestClient

from tests.support.bundles import Trained
from tests.support.served import add, arrow, parquet, post, refused, serving
from tsclust.pipeline import unusual
from tsclust.serve import batches
from tsclust.serve.bodies import ARROW, JSON, PARQUET
from tsclust.stages.scores import parts
from tsclust.stages.scores.scorer import score_rows

COLUMNS = ["series_id", "values", "machine_id", "direction"]


@pytest.fixture(scope="module")
def table(trained: Trained) -> pa.Table:
    """400 series, some of them odd; one whose id is missing is no series."""
    return trained.new.select(COLUMNS)


@pytest.fixture(scope="module")
def expected(trained: Trained, table: pa.Table) -> pa.Table:
    return trained.scorer("logistic").score(table)


def as_json(table: pa.Table) -> bytes:
    rows = table.to_pylist()
    for row in rows:
        row["values"] = (
            None if row["values"] is None else [v if v is not None and np.isfinite(v) else None for v in row["values"]]
        )
        row["values"] = row["values"] or []
    return json.dumps({"series": rows}).encode()


def read(content: bytes) -> pa.Table:
    return pa.ipc.open_stream(content).read_all()


def test_arrow_and_parquet_give_what_the_scorer_gives_to_the_bit(
    client: TestClient, table: pa.Table, expected: pa.Table
) -> None:
    for body, kind in ((arrow(table), ARROW), (parquet(table), PARQUET)):
        answer = post(client, body, kind, Accept=ARROW)
        assert answer.headers["content-type"] == ARROW
        found = read(answer.content)
        assert found["error"].null_count == len(table)
        assert found.drop_columns(["error"]).equals(expected)
    answer = post(client, parquet(table), PARQUET)
    assert pq.read_table(pa.BufferReader(answer.content)).drop_columns(["error"]).equals(expected)


def test_json_gives_the_same_and_says_in_words_what_is_unusual(
    client: TestClient, table: pa.Table, expected: pa.Table
) -> None:
    found = post(client, as_json(table), JSON).json()
    plain = [{name: row[name] for name in parts.COLUMNS if name != "model"} for row in found["scores"]]
    assert plain == expected.drop_columns(["model"]).to_pylist()
    assert found["version"] == expected["model"][0].as_py()
    odd = [row for row in found["scores"] if row["said"] not in ("normal", "impossible")]
    assert sum(bool(row["unusual"]) for row in odd) > len(odd) / 2
    assert all(row["unusual"] == [] for row in found["scores"] if row["said"] == "normal")
    assert all(bool(row["reason"]) == (row["said"] == "impossible") for row in found["scores"])


def test_words_are_in_the_language_asked_for_and_left_out_on_demand(client: TestClient, table: pa.Table) -> None:
    body = as_json(table)
    russian = post(client, body, JSON, "?lang=ru").json()["scores"]
    assert any("обычно" in sentence for row in russian for sentence in row["unusual"] or ())
    assert all(row["unusual"] is None for row in post(client, body, JSON, "?unusual=false").json()["scores"])
    assert "unusual" in read(post(client, arrow(table), ARROW, "?unusual=true").content).column_names
    refused(post(client, body, JSON, "?lang=fr"), 422)


def test_bad_series_get_an_error_each_and_the_others_their_scores(client: TestClient, table: pa.Table) -> None:
    good = json.loads(as_json(table.slice(20, 2)))["series"]
    bad: list[Any] = [
        "no object", None, {}, {"values": [1.0]}, good[0] | {"series_id": 1.5}, good[0] | {"series_id": 2**70},
        good[0] | {"series_id": ""}, good[0] | {"series_id": " \t"},
        good[0] | {"values": "1,2"}, good[0] | {"values": [1.0, "2"]}, good[0] | {"values": [True]},
        good[0] | {"values": [10**30]}, {k: v for k, v in good[0].items() if k != "direction"},
        good[0] | {"machine_id": {"a": 1}}, good[0] | {"machine_id": True}, good[0] | {"values": [0.0] * 100_001},
    ]  # fmt: skip
    found = post(client, json.dumps({"series": [good[0], *bad, good[1]]}).encode(), JSON).json()["scores"]
    alone = post(client, json.dumps({"series": good}).encode(), JSON).json()["scores"]
    assert [found[0], found[-1]] == alone
    for row in found[1:-1]:
        assert row["said"] is None
        assert row["error"].count(". ") >= 1, row
    ids = [row["series_id"] for row in found]
    assert ids[0] == good[0]["series_id"]
    for nameless in (pa.array([1, None, 3]), pa.array(["1", "", "3"]), pa.array(["1", " ", "3"], pa.large_string())):
        without = table.slice(20, 3).set_column(0, "series_id", nameless)
        for content, kind in ((arrow(without), ARROW), (parquet(without), PARQUET)):
            third = read(post(client, content, kind, Accept=ARROW).content)
            assert [error is None for error in third["error"].to_pylist()] == [True, False, True]
            assert third["said"].to_pylist()[1] is None


def test_values_beyond_float64_are_impossible_and_spoil_nothing(client: TestClient, table: pa.Table) -> None:
    good = json.loads(as_json(table.slice(20, 1)))["series"][0]
    huge = [good | {"values": values} for values in ([1e308] * 50, [5e-324, 0.0] * 25, [1e155, 0.0] * 25)]
    found = post(client, json.dumps({"series": [*huge, good]}).encode(), JSON)
    assert found.status_code == 200, found.text
    scores = found.json()["scores"]
    assert scores[0]["said"] == "impossible"
    assert scores[-1] == post(client, json.dumps({"series": [good]}).encode(), JSON).json()["scores"][0]


def test_an_error_of_ours_costs_one_series_its_score(
    client: TestClient, table: pa.Table, expected: pa.Table, monkeypatch: pytest.MonkeyPatch
) -> None:

    def fails_for_one(model: Any, rows: Any, carried: Any) -> Any:
        if 7 in rows.ids.to_pylist():
            raise ZeroDivisionError
        return score_rows(model, rows, carried)

    monkeypatch.setattr(unusual, "score_rows", fails_for_one)
    found = read(post(client, arrow(table.slice(0, 20)), ARROW).content)
    assert [row for row, error in enumerate(found["error"].to_pylist()) if error] == [7]
    assert "error of its own" in found["error"][7].as_py()
    kept = pa.array([row for row in range(20) if row != 7])
    assert found.drop_columns(["error"]).take(kept).equals(expected.take(kept))


def test_what_is_taken_is_scored_although_the_model_is_unloaded(
    trained: Trained, table: pa.Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between what is taken and its place in the queue no end slips in."""
    closing: list[threading.Thread] = []

    class Late(queue.Queue[Any]):
        def put(self, piece: Any, block: bool = True, timeout: float | None = None) -> None:
            if piece is not None and not closing:
                closing.append(threading.Thread(target=batcher.close))
                closing[0].start()
                closing[0].join(0.3)
            super().put(piece, block, timeout)

    monkeypatch.setattr(queue, "SimpleQueue", Late)
    batcher = batches.Batcher(trained.scorer("logistic"), 1_000)
    (scored,) = batcher.submit(table.slice(0, 3).set_column(0, "series_id", pa.array([0, 1, 2])), None)
    assert len(scored.result(10)) == 3
    closing[0].join()


def test_ids_come_back_as_they_were_given(client: TestClient, table: pa.Table) -> None:
    one = json.loads(as_json(table.slice(20, 1)))["series"][0]
    given = [7, "7", "Ünïcode", -1, " 7"]
    body = json.dumps({"series": [one | {"series_id": it} for it in given]}).encode()
    assert [row["series_id"] for row in post(client, body, JSON).json()["scores"]] == given


@pytest.mark.parametrize("machine", [7, "7", None, "", 3.5])
def test_a_machine_may_be_a_number_where_it_was_text(client: TestClient, table: pa.Table, machine: object) -> None:
    """As in training: 7 is "7"; what is neither is an error of that series alone."""
    one = json.loads(as_json(table.slice(20, 1)))["series"][0]
    body = json.dumps({"series": [one | {"machine_id": machine}, one]}).encode()
    first, second = post(client, body, JSON).json()["scores"]
    assert (first["error"] is None) == (machine != 3.5)
    assert second["error"] is None


def test_no_series_is_an_answer_too(client: TestClient, table: pa.Table) -> None:
    assert post(client, b'{"series": []}', JSON).json()["scores"] == []
    assert len(read(post(client, arrow(table.slice(0, 0)), ARROW).content)) == 0


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"", JSON, 422), (b"[]", JSON, 422), (b"{}", JSON, 422), (b'{"series": 1}', JSON, 422), (b"{", JSON, 422),
        (b'{"series": [NaN]}', JSON, 422), (b"[" * 100_000, JSON, 422), (b"\xff", JSON, 422),
        (b'{"series": [], "more": 1}', JSON, 422), (b'{"series": [{"series_id": "\\ud800"}]}', JSON, 422),
        (b'{"path": "day.parquet"}', JSON, 422), (b'{"path": 1}', JSON, 422),
        (b'{"series": [' + b"9" * 5_000 + b"]}", JSON, 422),
        (b"", ARROW, 422), (b"ARROW1", ARROW, 422), (b"\xff" * 64, ARROW, 422), (b"PAR1", PARQUET, 422),
        (b"", PARQUET, 422), (b"x", "text/csv", 415), (b"x", "", 415), (b"x" * 2_000_000, JSON, 422),
    ],
)  # fmt: skip
def test_a_body_that_is_none_is_refused_in_one_line(client: TestClient, body: bytes, kind: str, status: int) -> None:
    refused(post(client, body, kind), status)


def test_a_table_lacks_a_column_or_has_another_type(client: TestClient, table: pa.Table) -> None:
    assert "machine_id" in refused(post(client, arrow(table.drop_columns(["machine_id"])), ARROW), 422)["error"]
    wrong = table.set_column(1, "values", pa.array(["1,2"] * len(table)))
    assert refused(post(client, arrow(wrong), ARROW), 422)["code"] == 3
    twice = table.append_column("series_id", table["series_id"])
    refused(post(client, arrow(twice), ARROW), 422)
    refused(post(client, parquet(table), ARROW), 422)
    machines = table.set_column(2, "machine_id", pa.array([1.5] * len(table)))
    assert "trained on string" in refused(post(client, arrow(machines), ARROW), 422)["error"]


def test_a_file_below_the_folder_is_scored_and_none_elsewhere(
    zips: Path, tmp_path: Path, table: pa.Table, expected: pa.Table
) -> None:
    folder = tmp_path / "files" / "2026"
    folder.mkdir(parents=True)
    pq.write_table(table, folder / "day.parquet")
    pq.write_table(table, tmp_path / "secret.parquet")
    (folder / "link.parquet").symlink_to(folder / "day.parquet")
    (tmp_path / "files" / "up").symlink_to(tmp_path)
    with serving(tmp_path, files="files") as client:
        add(client, zips / "logistic.zip")
        answer = post(client, b'{"path": "2026/day.parquet"}', JSON, Accept=ARROW)
        assert read(answer.content).drop_columns(["error"]).equals(expected)
        for path in (
            "../secret.parquet", "/etc/passwd", str(tmp_path / "secret.parquet"), "2026/../../secret.parquet", "2026",
            "2026/link.parquet", "up/secret.parquet", "", ".", "2026/day.parquet/x", "a\0b", "x" * 5_000,
            "2026/none.parquet", "\ud800",
        ):  # fmt: skip
            status = 422 if path == "\ud800" else 404
            refused(post(client, json.dumps({"path": path}).encode(), JSON), status)


def test_many_at_once_get_what_each_gets_alone(client: TestClient, table: pa.Table, expected: pa.Table) -> None:
    """Requests that wait together are scored together, a bad one among them too."""
    bad = table.set_column(2, "machine_id", pa.array([1.5] * len(table)))
    with ThreadPoolExecutor(8) as pool:
        asked = [
            pool.submit(post, client, arrow((bad if at % 7 == 0 else table).slice(at, 5)), ARROW)
            for at in range(0, 100, 5)
        ]
        answers = [one.result() for one in asked]
    for at, answer in zip(range(0, 100, 5), answers, strict=True):
        if at % 7 == 0:
            refused(answer, 422)
        else:
            assert read(answer.content).drop_columns(["error"]).equals(expected.slice(at, 5))


def test_more_than_may_wait_is_refused_for_now(
    zips: Path, tmp_path: Path, table: pa.Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_it, go_on, usual = threading.Event(), threading.Event(), batches.scores_of

    def slowly(*given: Any) -> pa.Table:
        at_it.set()
        assert go_on.wait(30)
        return usual(*given)

    with serving(tmp_path, waiting=400, seconds=20) as client, ThreadPoolExecutor(1) as pool:
        add(client, zips / "logistic.zip")
        client.post("/models/plant/load")
        monkeypatch.setattr(batches, "scores_of", slowly)
        first = pool.submit(post, client, arrow(table), ARROW)
        assert at_it.wait(30)
        busy = post(client, arrow(table.slice(0, 1)), ARROW)
        assert refused(busy, 429)["error"].startswith("400 series wait")
        assert busy.headers["retry-after"] == "1"
        go_on.set()
        assert first.result().status_code == 200
        assert post(client, arrow(table), ARROW).status_code == 200


def test_who_waits_too_long_is_told_so(
    zips: Path, tmp_path: Path, table: pa.Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on = threading.Event()
    with serving(tmp_path, seconds=0.2) as client:
        add(client, zips / "logistic.zip")
        client.post("/models/plant/load")
        monkeypatch.setattr(batches, "scores_of", lambda *_: go_on.wait(30))
        late = post(client, arrow(table), ARROW)
        go_on.set()
        refused(late, 503)
        assert late.headers["retry-after"]


def test_metrics_count_series_by_verdict(client: TestClient, table: pa.Table) -> None:
    before = client.get("/metrics").text
    post(client, b'{"series": [1]}', JSON)
    after = client.get("/metrics").text
    pattern = re.compile(r'^tsclust_series_total{verdict="error"} (.*)', re.MULTILINE)
    counted = [float((pattern.findall(text) or ["0"])[0]) for text in (before, after)]
    assert counted[1] == counted[0] + 1
    assert "tsclust_models_loaded 1.0" in after
    assert all(str(one) not in after for one in table["machine_id"].to_pylist()[:3])
