"""The command that serves: options, the service, and a line that says where it is."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from tsclust.cli import interruption
from tsclust.cli.options import Json
from tsclust.cli.runtime import shown
from tsclust.errors import SettingsError
from tsclust.workspace.result import Result

Folder = Annotated[
    Path,
    typer.Option("-w", "--workspace", envvar="TSCLUST_WORKSPACE", help="The folder of workspaces; it is made."),
]  # fmt: skip
Certificate = Annotated[Path | None, typer.Option("--tls-cert", help="Serve HTTPS with this certificate, in PEM.")]
Key = Annotated[Path | None, typer.Option("--tls-key", help="The key of that certificate, in PEM.")]
TokenFile = Annotated[
    Path | None,
    typer.Option(help="Ask for a token of this file: lines of TOKEN, or of view, answer or score and TOKEN."),
]
Prefix = Annotated[str, typer.Option(help="The path below which a proxy offers the service, e.g. /tsclust")]
AllowFeatures = Annotated[
    bool, typer.Option("--allow-features", help="Run the Python code that models with features of their own bring.")
]


def serve(
    root: Folder = Path("served"),
    host: Annotated[str, typer.Option(help="The address to listen at; beyond this machine with --token-file.")] = (
        "127.0.0.1"
    ),
    port: Annotated[int, typer.Option(min=1, max=65_535, help="The port to listen at.")] = 8765,
    token_file: TokenFile = None,
    certificate: Certificate = None,
    key: Key = None,
    prefix: Prefix = "",
    allow_features: AllowFeatures = False,
    jobs: Annotated[
        bool, typer.Option("--jobs/--no-jobs", help="Without jobs: models and scores, no PostgreSQL.")
    ] = True,
    json: Json = False,
) -> None:
    """Serve jobs, reports, models and scores over HTTP, until it is stopped."""
    with shown(json) as (_, show):
        try:
            from tsclust.serve import access, place, settings
        except ImportError as error:
            raise SettingsError(
                f"tsclust serve needs {error.name}", "Install it: pip install 'tsclust[serve]'"
            ) from None
        where = place.Place(host, port, certificate, key)
        where.check()
        tokens = _tokens(token_file, host)
        found = settings.load(root)
        names = access.names_of(host, found.hosts, bool(tokens))
        prefix = _prefix(prefix)
        # Polars reads it when it is imported: of few series at a time, its threads would wait for each other.
        os.environ.setdefault("POLARS_MAX_THREADS", "1")
        from tsclust import json_log
        from tsclust.serve import app, server

        options = app.Options(access.Access(names, tokens), prefix, allow_features)
        interruption.hand_over()
        json_log.start()
        note = f"at {where.url}{prefix}{', for who has a token' if tokens else ''}; Ctrl-C stops it"
        facts = {"url": f"{where.url}{prefix}", "token": bool(tokens)}
        started = Result("serve", root, 0, 0, notes=(note,), facts=facts)
        server.serve(root, found, options, where, lambda: show([started]), jobs)


def _tokens(path: Path | None, host: str) -> dict[str, str]:
    from tsclust.serve import access

    if path is not None:
        return access.read_tokens(path)
    if not access.is_loopback(host):
        raise SettingsError(
            f"--host {host} can be reached from other machines: expected a token that they need",
            "Add --token-file FILE, or leave --host out",
        )
    return {}


def _prefix(text: str) -> str:
    if text and (not text.startswith("/") or text.endswith("/") or not text.isascii() or "//" in text):
        raise SettingsError(f"--prefix {text}: expected a path", "For example --prefix /tsclust")
    return text
