"""The pages' texts, sessions and what is untrusted in them; workspaces over HTTP. Browsers: tests/browser."""

from __future__ import annotations

import ast
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest
from starlette.testclient import TestClient

import tsclust
from tests.support.bundles import Trained
from tests.support.served import refused, serving, with_tokens
from tsclust.serve import page_texts, report_pages, routes_pages
from tsclust.serve.access import COOKIE

HTML = {"Accept": "text/html,*/*"}
STATIC = Path(routes_pages.__file__).parent / "static"
SOURCE = Path(tsclust.__file__).parent


@pytest.fixture(scope="module")
def root(trained: Trained, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("workspaces")
    shutil.copytree(trained.workspace.root, folder / "line")
    tsclust.init(folder / "new")
    (folder / "other").mkdir()
    return folder


@pytest.fixture(scope="module")
def pages(root: Path) -> Iterator[TestClient]:
    with serving(root) as client:
        yield client


def test_both_languages_have_the_same_texts_and_the_pages_use_them() -> None:
    english, russian = routes_pages.texts("en"), routes_pages.texts("ru")
    assert english.keys() == russian.keys()
    own = {name: text for name, text in russian.items() if name not in ("title", "language", "other")}
    tables = [own.pop(name) for name in ("stages", "units", "errors", "problems")]
    assert all(re.search("[а-яё]", text) for all_of in (own, *tables) for text in all_of.values())
    used = " ".join(path.read_text(encoding="utf-8") for path in STATIC.iterdir() if path.stem != "report")
    assert set(re.findall(r"\bt(?:exts)?\.(\w+)", used)) <= english.keys() | {"metadata"}


def test_both_languages_of_a_report_have_the_same_texts_and_its_script_uses_them() -> None:
    english, russian = report_pages._texts("en"), report_pages._texts("ru")
    assert english.keys() == russian.keys()
    assert len(english["instead"]) == len(russian["instead"]) == 4
    used = set(re.findall(r"\btexts\.(\w+)", (STATIC / "report.js").read_text(encoding="utf-8")))
    assert used | page_texts.of_problems("en").keys() == english.keys()


def test_the_pages_are_in_the_language_asked_for(pages: TestClient) -> None:
    assert '<html lang="en"' in pages.get("/").text
    assert '<html lang="ru"' in pages.get("/", headers={"Accept-Language": "ru-RU,ru;q=0.9"}).text
    chosen = pages.get("/?lang=ru")
    assert "samesite=strict" in chosen.headers["set-cookie"].lower()
    assert '<html lang="ru"' in pages.get("/").text
    pages.cookies.clear()
    refused(pages.get("/?lang=fr"), 422)


def test_names_from_elsewhere_are_no_html(tmp_path: Path) -> None:
    tsclust.init(tmp_path / "a-b")
    reports = tmp_path / "a-b" / "reports"
    reports.mkdir()
    (reports / "<img src=x onerror=alert(1)>.html").write_text("<html>")
    with serving(tmp_path, sources={'"><script>': {"table": "t"}}) as client:
        for path in ("/", "/pages/workspaces/a-b"):
            text = client.get(path).text
            assert "<img" not in text
            assert '"><script>' not in text
        # A browser states its origin, by which a login is known to come from our own page where there is no HTTPS.
        assert client.get("/login").headers["referrer-policy"] == "same-origin"
        policy = client.get("/").headers["content-security-policy"]
        assert "script-src 'self'" in policy
        assert "unsafe" not in policy


def test_a_browser_logs_in_and_has_its_right(tmp_path: Path) -> None:
    with serving(tmp_path, with_tokens(view="v" * 20, all="a" * 20)) as client:
        there = client.get("/pages/workspaces/x", headers=HTML, follow_redirects=False)
        assert (there.status_code, there.headers["location"]) == (303, "/login")
        refused(client.get("/"), 401)  # a program
        made_with = re.findall(r'(?:href|src)="(/static/[^"]+)"', client.get("/login").text)
        assert len(made_with) == 3
        assert {client.get(path).status_code for path in made_with} == {200}
        assert client.post("/login", data={"token": "x" * 20}).status_code == 401
        refused(client.post("/login", data={"token": "v" * 20}, headers={"Origin": "http://evil.example"}), 403)
        done = client.post("/login", data={"token": "v" * 20}, follow_redirects=False)
        assert (done.status_code, done.headers["location"]) == (303, "/")
        cookie = done.headers["set-cookie"].lower()
        assert all(word in cookie for word in ("httponly", "samesite=strict", "path=/"))
        assert client.get("/", headers=HTML).status_code == 200
        refused(client.post("/jobs", json={"workspace": "x"}), 403)
        client.cookies.clear()
        client.cookies.set(COOKIE, "x" * 43)
        assert client.get("/", headers=HTML, follow_redirects=False).status_code == 303


def test_workspaces_and_their_files_are_offered(pages: TestClient, root: Path) -> None:
    found = {one["name"]: one for one in pages.get("/workspaces").json()["workspaces"]}
    assert found.keys() == {"line", "new"}
    assert (found["line"]["model"], found["new"]["model"]) == (True, False)
    assert "model.html" in found["line"]["reports"]
    page = pages.get("/workspaces/line/reports/model.html")
    assert page.content == (root / "line" / "reports" / "model.html").read_bytes()
    for file in ("..%2Ftsclust.toml", "none.html", "%00"):
        refused(pages.get(f"/workspaces/line/reports/{file}"), 404)
    labels = pages.get("/workspaces/line/labels.parquet")
    assert 'filename="labels.parquet"' in labels.headers["content-disposition"]
    assert pl.read_parquet(labels.content).height == tsclust.open(root / "line").labels.height
    assert pages.get("/workspaces/line/labels.csv").text.startswith('"series_id"')
    assert refused(pages.get("/workspaces/new/labels.csv"), 409)["code"] == 6
    refused(pages.get("/workspaces/none/labels.csv"), 404)
    refused(pages.get("/workspaces/line/model.csv"), 422)


@pytest.mark.parametrize("content", [b"", b"{}", b"[]", b"\xff", b'{"format": "tsclust-answers"}', b"{" * 10_000])
def test_what_is_no_answers_file_is_refused_and_not_kept(pages: TestClient, root: Path, content: bytes) -> None:
    problem = refused(pages.post("/workspaces/line/answers", content=content), 422)
    assert problem["code"] == 16
    assert not list((root / "line" / "answers").glob("*.json"))


def sentences() -> set[str]:
    """Every text in the source, {} for a value in it, as problems say it: they begin with a capital letter, too."""
    found = set[str]()
    for path in SOURCE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.JoinedStr):
                found.add("".join(str(one.value) if isinstance(one, ast.Constant) else "{}" for one in node.values))
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.add(node.value)
    return found


def test_what_is_translated_is_said_somewhere_and_its_values_are_there() -> None:
    said = sentences()
    for english, russian in routes_pages.texts("ru")["problems"].items():
        assert english in said, english
        assert all(int(at) <= english.count("{}") for at in re.findall(r"\{(\d)\}", russian)), english
        assert re.search("[а-яё]", russian)


def test_each_sentence_is_translated_as_itself_and_not_as_one_that_it_is_an_example_of() -> None:
    """The first that fits is taken."""
    known = routes_pages.texts("ru")["problems"]
    fits = {one: re.compile("(.*?)".join(map(re.escape, one.split("{}"))), re.I | re.S) for one in known}
    for english in known:
        filled = english.replace("{}", "x")
        assert next(one for one, fit in fits.items() if fit.fullmatch(filled)) == english


def test_who_opens_what_is_not_there_sees_a_page_and_a_program_problem_json(pages: TestClient) -> None:
    for path, status in (("/pages/jobs/none", 404), ("/workspaces/none/labels.csv", 404), ("/nowhere", 404)):
        refused(pages.get(path), status)
        shown = pages.get(path, headers=HTML | {"Accept-Language": "ru"})
        assert shown.status_code == status
        assert shown.headers["content-security-policy"] == routes_pages.POLICY
        assert 'role="alert"' in shown.text
        assert "&#34;request_id&#34;" in shown.text
