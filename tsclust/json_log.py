"""The log: a JSON object for each line, on stderr, with the id of the request or the job that it is about."""

from __future__ import annotations

import json
import logging
import sys
from typing import Any

from tsclust.clock import now
from tsclust.passwords import redacted

LOG = logging.getLogger("tsclust")
_OURS = "fields"  # attribute of a record: what the line has beside the message


class JsonLines(logging.Formatter):
    """time, level, event, and what was given with it; no password, no line break."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {"time": now(), "level": record.levelname.lower(), "event": record.getMessage()}
        line |= getattr(record, _OURS, {})
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return redacted(json.dumps(line, ensure_ascii=False, default=str))


def start() -> None:
    """Have this process log like this, what its libraries warn of included."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    logging.getLogger().handlers[:] = [handler]
    logging.getLogger().setLevel(logging.WARNING)
    LOG.setLevel(logging.INFO)


def note(event: str, level: int = logging.INFO, error: BaseException | None = None, **fields: object) -> None:
    """A line."""
    LOG.log(level, event, exc_info=error, extra={_OURS: fields})
