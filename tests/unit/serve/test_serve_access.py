"""Who may ask: tokens and rights, other sites' pages, names of the host; limits on bodies; request ids."""

from __future__ import annotations

import json
import logging
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from tests.support.commands import call_tsclust
from tests.support.served import ADDRESS, refused, serving, with_tokens
from tsclust.errors import SettingsError, TsclustError, WorkspaceBusyError
from tsclust.json_log import LOG, JsonLines
from tsclust.serve import server, settings
from tsclust.serve.access import names_of, read_tokens
from tsclust.serve.app import Options, create
from tsclust.serve.place import Place

VIEW, SCORE, ALL = "v" * 20, "s" * 20, "a" * 20


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


@pytest.fixture(scope="module")
def locked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    with serving(tmp_path_factory.mktemp("locked"), with_tokens(view=VIEW, score=SCORE, all=ALL)) as client:
        yield client


def test_without_a_token_only_the_watch_is_answered(locked: TestClient) -> None:
    for path in ("/models", "/metrics", "/openapi.json", "/nothing"):
        answer = locked.get(path)
        refused(answer, 401)
        assert answer.headers["www-authenticate"].startswith("Bearer")
    for token in ("", "x" * 20, VIEW[:-1], VIEW + "v", "é"):
        refused(locked.get("/models", headers={"Authorization": f"Bearer {token}".encode()}), 401)
    assert locked.get("/healthz").json()["status"] == "ok"
    assert locked.get("/readyz").json() == {"status": "ok", "version": "0.1.0", "models": 0, "jobs": 0}


@pytest.mark.parametrize(
    ("token", "get", "score", "load"), [(VIEW, 200, 403, 403), (SCORE, 403, 415, 403), (ALL, 200, 415, 404)]
)
def test_a_token_gives_its_right(locked: TestClient, token: str, get: int, score: int, load: int) -> None:
    assert locked.get("/models", headers=bearer(token)).status_code == get
    assert locked.post("/models/none/score", headers=bearer(token)).status_code == score
    assert locked.post("/models/none/load", headers=bearer(token)).status_code == load


OTHER_SITES = [
    {"Origin": "http://evil.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site", "Origin": ADDRESS}, {"Origin": "http://127.0.0.1:9999"},
]  # fmt: skip


@pytest.mark.parametrize("headers", OTHER_SITES)
def test_a_page_of_another_site_changes_nothing(client: TestClient, headers: dict[str, str]) -> None:
    for path in ("/models", "/models/plant/load", "/models/plant/score", "/models/plant/rollback"):
        refused(client.post(path, headers=headers), 403)
    assert client.get("/models", headers=headers).status_code == 200


@pytest.mark.parametrize(
    "headers", [{"Origin": ADDRESS}, {"Sec-Fetch-Site": "same-origin"}, {"Sec-Fetch-Site": "none"}, {}]
)
def test_our_own_page_and_programs_do(client: TestClient, headers: dict[str, str]) -> None:
    assert client.post("/models/plant/load", headers=headers).status_code == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "", "[::2]:8765", "localhost.:1", "x" * 500]
)
def test_the_service_answers_to_its_names_alone(client: TestClient, host: str) -> None:
    refused(client.get("/models", headers={"Host": host}), 421)


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:8765", "127.0.0.1:1", "[::1]:8765"])
def test_the_names_of_this_machine_are_known(client: TestClient, host: str) -> None:
    assert client.get("/models", headers={"Host": host}).status_code == 200


def test_names_are_those_of_the_settings_where_there_are_any() -> None:
    assert names_of("0.0.0.0", (), True) is None
    names = names_of("0.0.0.0", ("Plant.example",), True)
    assert names is not None
    assert "plant.example" in names


def test_a_body_that_says_what_to_do_is_small(client: TestClient) -> None:
    refused(client.post("/models/plant/current", content=b"x" * 1_000_001), 413)
    refused(client.post("/models/plant/current", content=b"{" * 10_000), 422)


def test_every_answer_has_an_id_and_says_how_it_may_be_shown(client: TestClient) -> None:
    given = client.get("/models", headers={"X-Request-ID": "order-4711.a"})
    assert given.headers["x-request-id"] == "order-4711.a"
    for wrong in ("short", "x" * 65, "a b c d e f g", '"><script>', "é" * 10):
        own = client.get("/nothing", headers={"X-Request-ID": wrong.encode()})
        assert refused(own, 404)["request_id"] != wrong
    for name, value in {
        "x-content-type-options": "nosniff",
        "x-frame-options": "DENY",
        "cache-control": "no-store",
    }.items():
        assert own.headers[name] == value
    assert "default-src 'none'" in own.headers["content-security-policy"]


def test_below_a_prefix_a_proxy_may_take_it_off_or_not(tmp_path: Path) -> None:
    with serving(tmp_path, Options(prefix="/tsclust")) as client:
        assert client.get("/tsclust/healthz").status_code == client.get("/healthz").status_code == 200
        assert client.get("/tsclust/openapi.json").json()["servers"] == [{"url": "/tsclust"}]
        refused(client.get("/other/healthz"), 404)


def test_the_log_is_a_json_object_for_each_request(client: TestClient, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, LOG.name):
        client.get("/models/a%0Ab?dsn=postgresql://u:geheim@h/d", headers={"X-Request-ID": "order-4712"})
    (line,) = [json.loads(JsonLines().format(record)) for record in caplog.records]
    assert (line["request_id"], line["status"], line["method"]) == ("order-4712", 404, "GET")
    assert "geheim" not in json.dumps(line)


@pytest.mark.parametrize(
    ("content", "tokens"),
    [
        (f"{ALL}\n", {ALL: "all"}), (f"view {VIEW}\n\nscore {SCORE}\n", {VIEW: "view", SCORE: "score"}),
        ("short", None), (f"admin {ALL}", None), ("", None), ("é" * 20, None), (f"view {VIEW} more", None),
    ],
)  # fmt: skip
def test_a_token_file_has_tokens_and_their_rights(tmp_path: Path, content: str, tokens: dict[str, str] | None) -> None:
    path = tmp_path / "tokens"
    path.write_text(content, encoding="utf-8")
    path.chmod(0o600)
    if tokens is None:
        with pytest.raises(SettingsError) as refused:
            read_tokens(path)
        assert ALL not in str(refused.value)
    else:
        assert read_tokens(path) == tokens
        path.chmod(0o644)
        with pytest.raises(SettingsError, match="can be read by others"):
            read_tokens(path)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("--host 0.0.0.0", "expected a token"), ("--host plant.example", "expected a token"),
        ("--token-file none", "No such file"), ("--prefix tsclust", "expected a path"), ("--port 0", "port"),
        ("--tls-cert none.pem", "none.pem"), ("--tls-key none.pem", "none.pem"), ("--token " + ALL, "no such option"),
    ],
)  # fmt: skip
def test_what_cannot_be_served_is_refused_in_one_line(tmp_path: Path, words: str, said: str) -> None:
    done = call_tsclust("serve", "-w", tmp_path / "served", "--json", *words.split())
    problem = json.loads(done.stderr)
    assert said in problem["error"]
    assert problem["code"] == done.returncode in (2, 3)


def test_settings_come_from_serve_toml_and_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert settings.load(tmp_path).rows == 100_000
    text = '[serve]\nrows = 5\n[serve.sources.plant]\ntable = "machine.cycles"\n'
    (tmp_path / "serve.toml").write_text(text, encoding="utf-8")
    monkeypatch.setenv("TSCLUST_SERVE__JOBS", "3")
    monkeypatch.setenv("TSCLUST_SERVE__JOBS_DSN", "postgresql://u:geheim@h/d")
    found = settings.load(tmp_path)
    assert (found.rows, found.jobs, found.sources["plant"].table) == (5, 3, "machine.cycles")
    assert "geheim" not in repr(found)
    monkeypatch.delenv("TSCLUST_SERVE__JOBS")
    monkeypatch.delenv("TSCLUST_SERVE__JOBS_DSN")
    for wrong, said in (
        ("[serve]\nrow = 5", "did you mean rows"), ("[serve]\nrows = 0", "serve.rows = 0"),
        ("[other]\n", "unknown key"),
        ('[serve.sources.p]\nquery = "postgresql://u:geheim@h/d"', "password"), ("serve = 1", "serve = 1"),
    ):  # fmt: skip
        (tmp_path / "serve.toml").write_text(wrong, encoding="utf-8")
        with pytest.raises(SettingsError) as refused:
            settings.load(tmp_path)
        assert said in str(refused.value), str(refused.value)
        assert "geheim" not in str(refused.value)
    (tmp_path / "tsclust.toml").touch()
    with pytest.raises(SettingsError, match="is a workspace"):
        settings.load(tmp_path)


def test_one_service_has_a_folder_and_an_address(tmp_path: Path) -> None:
    with server.lock(tmp_path), pytest.raises(WorkspaceBusyError, match="another tsclust serve has"):
        server.lock(tmp_path)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        place = Place(port=taken.getsockname()[1])
        with pytest.raises(TsclustError, match="--port"):
            server.run(create(tmp_path, settings.load(tmp_path), Options()), place, (), lambda: None)


def test_methods_that_a_client_makes_up_are_counted_as_one(client: TestClient) -> None:
    for made_up in ("BREW", "WHEN"):
        assert client.request(made_up, "/nothing").status_code in (404, 405)
    text = client.get("/metrics").text
    assert 'method="other"' in text
    assert "BREW" not in text
    assert "WHEN" not in text


def test_a_folder_of_files_that_is_not_there_stops_the_start(tmp_path: Path) -> None:
    (tmp_path / "serve.toml").write_text('[serve]\nfiles = "daily"\n')
    with pytest.raises(SettingsError, match="files = 'daily': there is no such folder"):
        settings.load(tmp_path)
    (tmp_path / "daily").mkdir()
    assert settings.load(tmp_path).files == "daily"
