"""A report as the service shows it: the page that is mailed, whose answers also go to the service and come from it.

The file on the disk stays as closed as it is. A header cannot relax the policy that a page states itself, so the one
that is shown states another: it may connect to where it comes from, and run one more script, known by its hash.
"""

from __future__ import annotations

import json
import re
import tomllib
from dataclasses import dataclass
from functools import cache
from typing import Any

from tsclust.serve import page_texts
from tsclust.serve.page_texts import HERE
from tsclust.stages.reports.html.page import hash_of
from tsclust.wording.language import Language

# The page has a policy of its own, which is as strict: a header would only add to it.
POLICY = {"Content-Security-Policy": "frame-ancestors 'none'"}
SANDBOX = "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'none'"
_ICON = b'<link rel="icon" href="data:,">\n'  # a browser asks for one anyway
_HASH = "(?: (?:'|&#39;)sha256-[A-Za-z0-9+/=]+(?:'|&#39;))+"
_OURS = re.compile(
    rb"""<meta http-equiv="Content-Security-Policy" content="default-src 'none';(?P<scripts> script-src"""
    + _HASH.encode()
    + rb"""(?: (?:'|&#39;)wasm-unsafe-eval(?:'|&#39;))?;)?"""
    + rb""" style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'">"""
)
_LANG = re.compile(rb'<html lang="(en|ru)">')
_FORM, _END = b'<script type="application/json" id="form">', b"</body>"
HEAD = 2_000  # bytes in which these stand


@dataclass(frozen=True)
class Page:
    content: bytes
    policy: str


def served(content: bytes, answers: str, may: bool) -> Page:
    """The page for a browser. answers: the address of the answers to it; may: whether who opens it may send some.

    A page that asks nothing is as it was; one that is not ours gets no script to run.
    """
    found, lang = _OURS.search(content, 0, HEAD), _LANG.search(content, 0, HEAD)
    if found is None or lang is None:
        return Page(content, SANDBOX)
    if found["scripts"] is None or _FORM not in content or content.rfind(_END) < 0:
        return Page(content, POLICY["Content-Security-Policy"])
    scripts, style, script = found["scripts"], *_parts()
    allowed = scripts[:-1] + f" {hash_of(script)}; connect-src 'self'; img-src data:;".encode()
    at, end = found.span("scripts"), content.rfind(_END)
    told = {"answers": answers, "may": may, "texts": _texts(lang[1].decode())}
    more = (
        f'<style>{style}</style>\n<script type="application/json" id="service">{_as_json(told)}</script>\n'
        f"<script>{script}</script>\n"
    ).encode()
    head = (content[: at[0]], allowed, content[at[1] : found.end()], _ICON)
    whole = b"".join((*head, content[found.end() : end], more, content[end:]))
    return Page(whole, POLICY["Content-Security-Policy"])


@cache
def _parts() -> tuple[str, str]:
    files = ("report.css", "problems.js", "report.js")
    style, *scripts = ((HERE / "static" / name).read_text(encoding="utf-8") for name in files)
    return style, "".join(scripts)


@cache
def _texts(lang: str) -> dict[str, Any]:
    """Those of the script, and which of the page's own are others here: [as it is, as it is shown]."""
    own = tomllib.loads((HERE / f"report.{lang}.toml").read_text(encoding="utf-8"))
    page = Language.load(lang).texts["page"]
    instead = [[page[name], text] for name, text in own.pop("instead").items()]
    return own | {"instead": instead} | page_texts.of_problems(lang)


def _as_json(value: object) -> str:
    """What cannot end the script that it stands in."""
    return json.dumps(value, ensure_ascii=False).replace("<", "\\u003c")
