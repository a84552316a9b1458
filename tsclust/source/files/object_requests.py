"""Requests to S3: tried again where that may help, and their errors in words of ours."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from typing import TypeVar

from tenacity import Retrying, retry_if_exception, stop_after_attempt, wait_random_exponential

from tsclust.errors import ConnectError, SettingsError, SourceFileError, TsclustError

SCHEME = "s3://"
_TRIES = 6
_REFUSED = ("401", "403")
_PASSING = ("429", "500", "502", "503", "504")  # what a server answers that has too much to do
_STATUS = re.compile(r"status code: (\d{3})")
_ROLE = re.compile(r"/latest/(?:api/token|meta-data/iam)")  # what a machine of Amazon asks for its own
_BUSY = re.compile(r"status: (?:429|5\d\d)")
_CODE = re.compile(r"<Code>(\w{1,60})</Code>")
T = TypeVar("T")


def endpoint() -> str:
    """The server's URL; "" for Amazon's own."""
    return os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL") or ""


def changed(label: str) -> SourceFileError:
    """The error for a file that is another one while it is read."""
    return SourceFileError(
        f"{label} was changed while it was read: expected it to stay as it is",
        "Wait until it is written, or read a copy of it; then run the same command again",
    )


def ends_with_slash(url: str) -> SettingsError:
    """The error for a key that S3 has and the library knows without the / at its end."""
    return SettingsError(
        f"{url}/ is an object with content: expected keys that do not end with /", "Copy it to another key"
    )


def tried(ask: Callable[[], T], url: str) -> T:
    """What it answers, after a few tries where the network or the server fails."""
    from obstore.exceptions import BaseError

    tries, waits = stop_after_attempt(_TRIES), wait_random_exponential(0.1, max=5)
    try:
        return Retrying(stop=tries, wait=waits, retry=retry_if_exception(_may_pass), reraise=True)(ask)
    except FileNotFoundError:
        raise
    except (BaseError, OSError, ValueError) as error:
        raise _explained(error, url) from None


def _may_pass(error: BaseException) -> bool:
    """Whether asking again may help: no answer, or one that says so."""
    if isinstance(error, FileNotFoundError) or _is_no_key(error) or _has_no_credentials(error):
        return False
    status = _STATUS.search(str(error))
    return status is None or status[1] in _PASSING


def _is_no_key(error: BaseException) -> bool:
    """Whether it is about a key that S3 has and the library knows no path for: one with // in it."""
    from obstore.exceptions import InvalidPathError

    return isinstance(error, ValueError | InvalidPathError) or "path segment" in str(error)


def _has_no_credentials(error: BaseException) -> bool:
    """Whether the last place to look for them is not there: what gives a machine of Amazon its role."""
    text = str(error)
    return _ROLE.search(text) is not None and not _BUSY.search(text)


def _explained(error: Exception, url: str) -> TsclustError:
    """The error in words of ours: those of the library have the whole request in them."""
    from obstore.exceptions import PermissionDeniedError, PreconditionError, UnauthenticatedError

    text = str(error)
    code, status = _CODE.search(text), _STATUS.search(text)
    where, bucket = endpoint() or "Amazon S3", "/".join(url.split("/")[:3])
    if isinstance(error, PreconditionError):
        return changed(url)
    if _is_no_key(error):
        return SettingsError(f"{url}: {text[:300]}: expected keys without // in them", "Copy the object to another key")
    if code and code[1] == "NoSuchBucket":
        return SettingsError(f"{bucket}: there is no such bucket at {where}", "Check its name, and AWS_ENDPOINT_URL")
    if _has_no_credentials(error):
        return ConnectError(f"{bucket}: no credentials for {where}", "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY")
    refused = isinstance(error, PermissionDeniedError | UnauthenticatedError) or (status and status[1] in _REFUSED)
    if refused:
        why = code[1] if code else "403"
        return ConnectError(
            f"{url}: {where} refuses access ({why})",
            "Check AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN, and that they may list and read there",
        )
    what = f"answers with {code[1] if code else status[1]}" if status else "does not answer"
    return ConnectError(f"{url}: {where} {what}", "Check AWS_ENDPOINT_URL, AWS_REGION and the network")
