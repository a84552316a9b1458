"""Reports as the service shows them, and the answers that come back: whose they are, and what is refused."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from starlette.testclient import TestClient

from tests.support.served import refused, serving
from tsclust.serve import report_pages
from tsclust.simulation.expert import answered, form_of
from tsclust.workspace.folder import Workspace

HTML = {"Accept": "text/html,*/*"}
REPORT = "/workspaces/line/reports/report.html"
ANSWERS = "/workspaces/line/answers"


@pytest.fixture
def client(line: Path) -> Iterator[TestClient]:
    with serving(line.parent) as client:
        yield client


def of(line: Path, who: str, said: dict[str, Any], at: str = "2026-01-01T00:00:00.000Z") -> str:
    """An answers file to the report."""
    return json.dumps(answered(form_of(line / "reports" / "report.html"), who, said, at=at))


def send(client: TestClient, content: str, query: str = "?own=true", **headers: str) -> Any:
    return client.post(ANSWERS + query, content=content, headers={"Content-Type": "application/json", **headers})


def seen(client: TestClient, line: Path) -> Any:
    model = form_of(line / "reports" / "report.html")["report"]["model"]
    return client.get(ANSWERS, params={"model": model})


def files(line: Path) -> list[Path]:
    return sorted((line / "answers").glob("*.json"))


def policy(text: str) -> dict[str, str]:
    """The page's own, by directive."""
    (found,) = re.findall('Content-Security-Policy" content="([^"]*)"', text)
    return dict(one.strip().split(" ", 1) for one in found.replace("&#39;", "'").split(";"))


def test_a_browser_gets_a_page_that_may_connect_here_and_a_program_the_file(client: TestClient, line: Path) -> None:
    mailed = (line / "reports" / "report.html").read_bytes()
    assert client.get(REPORT).content == client.get(f"{REPORT}?download=true", headers=HTML).content == mailed
    shown = client.get(REPORT, headers=HTML)
    assert shown.headers["vary"] == "Accept"
    closed, own = policy(mailed.decode()), policy(shown.text)
    assert "connect-src" not in closed
    assert own.pop("connect-src") == "'self'"
    assert own.pop("img-src") == "data:"
    assert own.pop("script-src").startswith(closed.pop("script-src") + " 'sha256-")
    assert own == closed
    text = shown.text
    for more in re.findall('<style>.others.*?</style>\n|<script[^>]* id="service">.*?</script>\n', text, re.DOTALL):
        text = text.replace(more, "")
    scripts = (
        (report_pages.HERE / "static" / name).read_text(encoding="utf-8") for name in ("problems.js", "report.js")
    )
    left = text.replace(f"<script>{''.join(scripts)}</script>\n", "").replace('<link rel="icon" href="data:,">\n', "")
    assert re.sub("<meta http[^>]*>", "", left) == re.sub("<meta http[^>]*>", "", mailed.decode()).replace("\r", "")


def test_a_page_that_asks_nothing_is_as_it_was_and_one_that_is_not_ours_runs_nothing(
    client: TestClient, line: Path
) -> None:
    plain = (line / "reports" / "otchet.html").read_bytes().replace(b'id="form"', b'id="none"')
    (line / "reports" / "plain.html").write_bytes(plain)
    assert client.get("/workspaces/line/reports/plain.html", headers=HTML).content == plain
    scores = plain.replace(b"; style-src", b" 'wasm-unsafe-eval'; style-src", 1)
    assert scores != plain
    (line / "reports" / "scores.html").write_bytes(scores)  # a page that scores
    shown = client.get("/workspaces/line/reports/scores.html", headers=HTML)
    assert (shown.content, "sandbox" in shown.headers["content-security-policy"]) == (scores, False)
    evil = b'<!DOCTYPE html><html lang="en"><script>alert(1)</script></body>'
    (line / "reports" / "evil.html").write_bytes(evil)
    shown = client.get("/workspaces/line/reports/evil.html", headers=HTML)
    assert shown.content == evil
    assert shown.headers["content-security-policy"].startswith("sandbox; default-src 'none'")


def test_reports_in_several_files_are_offered_and_nothing_beside_them(client: TestClient, line: Path) -> None:
    assert "several/index.html" in client.get("/workspaces").json()["workspaces"][0]["reports"]
    assert client.get("/workspaces/line/reports/several/part-1.html").status_code == 200
    (line / "reports" / "link.html").symlink_to(line / "tsclust.toml")
    (line / "reports" / "linked").symlink_to(line)
    for file in (
        "several/../report.html",
        "several",
        "several/none.html",
        "link.html",
        "linked/x.html",
        ".x/index.html",
        f"{'x' * 300}.html",
        f"{'x' * 300}/index.html",
    ):
        refused(client.get(f"/workspaces/line/reports/{file.replace('.', '%2E')}"), 404)


def test_a_browser_replaces_what_it_has_sent_itself_and_nobody_else_s(client: TestClient, line: Path) -> None:
    client.get(REPORT, headers=HTML)
    assert send(client, of(line, "Anna", {"1": "normal"})).json()["imported"] is True
    again = of(line, " ANNA", {"1": "worn brushes", "2": "normal"}, at="2026-01-02T00:00:00.000Z")
    assert send(client, again, "?own=true&draft=true").json()["imported"] is False
    assert [path.read_text(encoding="utf-8") for path in files(line)] == [again]
    kinds = pl.read_parquet(line / "labels" / "labels.parquet")["kind"].unique().to_list()
    assert kinds == ["normal"]  # a draft is no label yet
    send(client, of(line, "Boris", {"1": "normal"}))
    client.cookies.clear()
    client.get(REPORT, headers=HTML)
    send(client, of(line, "Anna", {"3": "normal"}))
    assert len(files(line)) == 3
    found = seen(client, line).json()["answers"]
    assert sorted((one["labeller"], one["mine"]) for one in found) == [
        ("ANNA", False),
        ("Anna", True),
        ("Boris", False),
    ]
    secrets = {client.cookies["tsclust_browser"]}
    assert not [path for path in files(line) if any(secret in path.name for secret in secrets)]


def test_nobody_answers_over_what_they_have_not_seen(client: TestClient, line: Path) -> None:
    client.get(REPORT, headers=HTML)
    empty = seen(client, line).headers["etag"]
    first = send(client, of(line, "Anna", {"1": "normal"}), **{"If-Match": empty})
    assert first.status_code == 200
    refused(send(client, of(line, "Boris", {"1": "normal"}), **{"If-Match": empty}), 412)
    now = seen(client, line)
    assert now.headers["etag"] == first.headers["etag"]
    unchanged = client.get(str(now.url), headers={"If-None-Match": now.headers["etag"]})
    assert (unchanged.status_code, unchanged.content) == (304, b"")
    assert send(client, of(line, "Boris", {"1": "normal"}), **{"If-Match": now.headers["etag"]}).status_code == 200


def test_what_cannot_be_imported_leaves_what_was_there(client: TestClient, line: Path) -> None:
    client.get(REPORT, headers=HTML)
    good = of(line, "Anna", {"1": "normal"})
    send(client, good)
    form = form_of(line / "reports" / "report.html")
    form["groups"][0]["members_hash"] = "0" * 32
    wrong = json.dumps(answered(form, "Anna", {"1": "normal"}))
    assert refused(send(client, wrong), 422)["code"] == 16
    refused(send(client, "{}"), 422)
    refused(send(client, good[:-30], "?own=true&draft=true"), 422)
    assert [path.read_text(encoding="utf-8") for path in files(line)] == [good]
    (line / "answers" / "odd.json").write_text("{")
    (line / "answers" / "link.json").symlink_to(line / "tsclust.toml")
    assert [one["labeller"] for one in seen(client, line).json()["answers"]] == ["Anna"]
    assert client.get(ANSWERS, params={"model": "f" * 16}).json() == {"answers": [], "left_out": 0}


def test_a_draft_about_another_workspace_is_not_kept(client: TestClient, line: Path) -> None:
    """It would fail in every job."""
    client.get(REPORT, headers=HTML)
    form = form_of(line / "reports" / "report.html")
    form["report"]["model"] = "0" * len(form["report"]["model"])
    known = json.dumps(answered(form, "Anna", {"1": "normal"}))
    assert send(client, known, "?own=true&draft=true").status_code == 200  # its groups are here
    for group in form["groups"]:
        group["members_hash"] = "0" * 32
    wrong = json.dumps(answered(form, "Anna", {"1": "normal"}))
    assert refused(send(client, wrong, "?own=true&draft=true"), 422)["code"] == 16
    with Workspace(line).locked():
        refused(send(client, wrong), 422)
    assert [path.read_text(encoding="utf-8") for path in files(line)] == [known]


def test_a_browser_without_the_cookie_heaps_up_no_drafts(client: TestClient, line: Path) -> None:
    said = of(line, "Anna", {"1": "normal"})
    for query in ("?own=true", "?own=true&draft=true", "?draft=true"):
        assert "Allow cookies" in refused(send(client, said, query), 409)["next"]
    assert files(line) == []
    shown = client.get(REPORT, headers=HTML)
    assert "samesite=lax" in shown.headers["set-cookie"].lower()  # a link in a mail brings it, too
    assert send(client, said).status_code == 200


def test_two_reports_of_one_sweep_and_a_busy_workspace(client: TestClient, line: Path) -> None:
    client.get(REPORT, headers=HTML)
    with Workspace(line).locked():
        kept = send(client, of(line, "Anna", {"1": "normal"})).json()
    assert (kept["imported"], "next job" in kept["notes"][0]) == (False, True)
    assert send(client, of(line, "Anna", {"1": "normal"})).json()["imported"] is True
