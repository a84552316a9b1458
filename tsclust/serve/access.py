"""Who may ask for what: the name by which the service is called, where a browser's request comes from, tokens.

A page of another site can have a browser send requests here. It cannot read answers, nor set an Authorization header;
so what changes something is taken from a browser only where it states that one of our own pages asked (Sec-Fetch-Site,
or Origin). A site whose name leads to this machine (DNS rebinding) is caught by the Host header.
"""

from __future__ import annotations

import hmac
import ipaddress
import secrets
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.requests import cookie_parser

from tsclust.errors import SettingsError
from tsclust.serve.problems import Refusal

# right -> what it includes. To see; to see and answer; to ask for scores; everything.
RIGHTS: Mapping[str, frozenset[str]] = {
    "view": frozenset({"view"}), "answer": frozenset({"view", "answer"}), "score": frozenset({"score"}),
    "all": frozenset({"view", "answer", "score", "all"}),
}  # fmt: skip
SAFE = ("GET", "HEAD", "OPTIONS")
OPEN = ("/healthz", "/readyz", "/login")
STATIC = "/static/"  # what the page to log in is made with: the same for everybody
LEAST = 16  # characters of a token
COOKIE = "tsclust_session"


@dataclass(frozen=True)
class Access:
    """hosts: names that the Host header may have, None for any; tokens: token -> right, {} where none is asked for.

    sessions: of browsers that have logged in with a token, as long as the process lives: cookie -> right
    """

    hosts: frozenset[str] | None
    tokens: Mapping[str, str]
    sessions: dict[str, str] = field(default_factory=dict)

    def check(self, method: str, path: str, headers: Headers) -> None:
        """Raises Refusal: 421, 403 or 401."""
        if self.hosts is not None and (host := _host(headers)) not in self.hosts:
            raise Refusal(
                421, f"the service is not called {host[:100]!r}", "Add the name to [serve] hosts in serve.toml"
            )
        bearer = headers.get("authorization", "").partition(" ")
        if method not in SAFE and not (self.tokens and bearer[0].lower() == "bearer"):
            _refuse_other_sites(headers)
        if self.tokens and path not in OPEN and not path.startswith(STATIC):
            _check_right(self._right(headers), needed(method, path))

    def may(self, headers: Headers, right: str) -> bool:
        """Whether who asks has this right."""
        has = self._right(headers)
        return not self.tokens or (has is not None and right in RIGHTS[has])

    def log_in(self, token: str) -> str | None:
        """A cookie for a browser, None for a token that is none. Old ones go: there are not so many people."""
        right = self.right_of(token)
        if right is None:
            return None
        while len(self.sessions) >= 1_000:
            del self.sessions[next(iter(self.sessions))]
        cookie = secrets.token_urlsafe(32)
        self.sessions[cookie] = right
        return cookie

    def _right(self, headers: Headers) -> str | None:
        scheme, _, token = headers.get("authorization", "").partition(" ")
        return self.right_of(token.strip()) if scheme.lower() == "bearer" else self._right_of_session(headers)

    def _right_of_session(self, headers: Headers) -> str | None:
        return self.sessions.get(cookie_parser(headers.get("cookie", "")).get(COOKIE, ""))

    def right_of(self, token: str) -> str | None:
        """The right that a token gives; every token is compared, in the same time."""
        found = [right for one, right in self.tokens.items() if hmac.compare_digest(one.encode(), token.encode())]
        return found[0] if found else None


def _check_right(has: str | None, right: str) -> None:
    if has is None:
        asks = {"WWW-Authenticate": 'Bearer realm="tsclust"'}
        raise Refusal(401, "a token is needed", "Send Authorization: Bearer TOKEN, or log in: /login", headers=asks)
    if right not in RIGHTS[has]:
        raise Refusal(403, f"the token gives the right {has}: expected {right}", "Ask for one that does")


def needed(method: str, path: str) -> str:
    """The right that a request needs."""
    if method in SAFE:
        return "view"
    last = path.rstrip("/").rpartition("/")[2]
    return {"score": "score", "answers": "answer"}.get(last, "all")


def read_tokens(path: Path) -> dict[str, str]:
    """The tokens of a file: a line each, `TOKEN` or `RIGHT TOKEN`. Raises SettingsError."""
    try:
        text, mode = path.read_text(encoding="utf-8"), path.stat().st_mode
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"--token-file {path}: {error}", "Name a text file with a token in it") from None
    if mode & (stat.S_IRWXG | stat.S_IRWXO) & ~stat.S_IRGRP:
        raise SettingsError(f"--token-file {path} can be read by others", f"Run: chmod 600 {path}")
    found: dict[str, str] = {}
    for line in filter(None, map(str.strip, text.splitlines())):
        right, _, token = line.rpartition(" ")
        right = right.strip() or "all"
        if right not in RIGHTS or len(token) < LEAST or not token.isascii():
            raise SettingsError(
                f"--token-file {path}: a line is no token: expected TOKEN, or one of {', '.join(RIGHTS)} and TOKEN, "
                f"of at least {LEAST} ASCII characters", "For example the output of: openssl rand -hex 24",
            )  # fmt: skip
        found[token] = right
    if not found:
        raise SettingsError(f"--token-file {path} has no token", "For example the output of: openssl rand -hex 24")
    return found


def is_loopback(host: str) -> bool:
    """Whether only this machine can connect there."""
    try:
        return host == "localhost" or ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def names_of(host: str, more: tuple[str, ...], has_tokens: bool) -> frozenset[str] | None:
    """The names that a Host header may have; None, any, where a token is asked for and no names are set: a site whose
    name leads here has no token."""
    if has_tokens and not more:
        return None
    return frozenset({"localhost", "127.0.0.1", "[::1]", host.lower(), *(one.lower() for one in more)})


def _host(headers: Headers) -> str:
    """The name in the Host header, without its port."""
    host = headers.get("host", "").lower()
    return host[: host.index("]") + 1] if host.startswith("[") and "]" in host else host.partition(":")[0]


def _refuse_other_sites(headers: Headers) -> None:
    site, origin = headers.get("sec-fetch-site"), headers.get("origin")
    ours = site in ("same-origin", "none") if site else origin is None or urlsplit(origin).netloc == headers.get("host")
    if not ours:
        raise Refusal(403, "a page of another site asks for this", "Open the service's own page, or use a program")
