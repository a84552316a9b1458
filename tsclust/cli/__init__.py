"""The command line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tsclust.cli.commands import app as app


def main() -> None:
    """The entry point. Signals are listened to before the rest is imported, which takes a moment."""
    from tsclust.cli import interruption

    try:
        interruption.listen()
        from tsclust.cli.commands import run

        run()
    finally:
        interruption.leave()


def __getattr__(name: str) -> Any:
    if name == "app":
        from tsclust.cli.commands import app

        return app
    raise AttributeError(name)
