"""What goes wrong, as problem+json (RFC 9457) with what the command line says: code, error and next step."""

from __future__ import annotations

import errno
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse

from tsclust import errors
from tsclust.errors import TsclustError, one_line
from tsclust.passwords import redacted
from tsclust.serve.next_steps import over_http

MEDIA_TYPE = "application/problem+json"
USAGE = 2  # the exit code of a command line that cannot be read: here, of a request
STATUS: Mapping[type[TsclustError], int] = {
    errors.SettingsError: 422, errors.NotAWorkspaceError: 404, errors.WorkspaceBusyError: 409,
    errors.StageMissingError: 409, errors.ConnectError: 502, errors.QueryError: 422, errors.NoSeriesError: 422,
    errors.BadSeriesError: 422, errors.DiskFullError: 507, errors.DemoServerError: 503, errors.SourceLostError: 502,
    errors.DamagedError: 422, errors.SourceFileError: 422, errors.AnswersError: 422,
}  # fmt: skip
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class Refusal(HTTPException):
    """A request that is refused: status, the value with what was expected, and the next step."""

    def __init__(
        self, status: int, error: str, next_step: str, *, code: int = USAGE, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(status, redacted(one_line(error)), dict(headers or {}))
        self.next_step, self.code = redacted(one_line(next_step)), code


def of_error(error: BaseException) -> Refusal:
    """The refusal that an error becomes: what nobody has foreseen is 500, and tells nothing of the machine."""
    if isinstance(error, Refusal):
        return error
    if isinstance(error, TsclustError):
        status = STATUS.get(type(error), 500)
        return Refusal(status, error.problem, over_http(error.next_step), code=error.exit_code)
    if isinstance(error, RequestValidationError | ValidationError):
        return _of_validation(error)
    if isinstance(error, HTTPException):
        return _of_http(error)
    if is_full(error):
        full = errors.DiskFullError.exit_code
        return Refusal(507, "no space left on the disk of the server", "Have some freed, then try again", code=full)
    if isinstance(error, MemoryError):
        return Refusal(503, "the server is out of memory", "Send less at a time", code=1, headers={"Retry-After": "10"})
    return Refusal(500, "the server met an error of its own", "See its log, by the request id", code=1)


def is_full(error: BaseException) -> bool:
    """Whether the disk is: that passes when somebody makes space."""
    return isinstance(error, errors.DiskFullError) or (isinstance(error, OSError) and error.errno in FULL)


def answer(error: BaseException, request_id: str) -> JSONResponse:
    """The response of an error."""
    found = of_error(error)
    return JSONResponse(body(found, request_id), found.status_code, found.headers, MEDIA_TYPE)


def body(found: Refusal, request_id: str) -> dict[str, Any]:
    """problem+json, with the fields of `--json` beside its own."""
    sentence = found.detail if found.detail.endswith("?") else f"{found.detail}."
    return {
        "type": "about:blank", "title": HTTPStatus(found.status_code).phrase, "status": found.status_code,
        "detail": f"{sentence} {found.next_step}", "code": found.code, "error": found.detail, "next": found.next_step,
        "request_id": request_id,
    }  # fmt: skip


async def handle(request: Request, error: Exception) -> JSONResponse:
    """For FastAPI: the handler of errors."""
    return answer(error, request.scope.get("request_id", ""))


def _of_http(error: HTTPException) -> Refusal:
    """What Starlette refuses: a path or a method that is not there."""
    known = {
        404: ("there is nothing at this address", "See /openapi.json for what there is"),
        405: ("this address does not take this method", "See /openapi.json for those it takes"),
    }
    said, then = known.get(error.status_code, (str(error.detail), "Correct the request: /openapi.json describes it"))
    return Refusal(error.status_code, said, then, headers=error.headers)


def _of_validation(error: RequestValidationError | ValidationError) -> Refusal:
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"][:6])[:200] or "the body"
    return Refusal(422, f"{where}: {first['msg']}"[:500], "Correct the request: /openapi.json describes it")
