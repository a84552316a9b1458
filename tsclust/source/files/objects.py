"""Objects in S3 as files: found by a listing, read a range at a time, by the credentials of the environment, AWS_*."""

from __future__ import annotations

import functools
import io
import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from fnmatch import fnmatch
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, TypeVar

from tenacity import Retrying, retry_if_exception, stop_after_attempt, wait_random_exponential

from tsclust.errors import ConnectError, SettingsError, SourceFileError, SourceLostError, TsclustError

if TYPE_CHECKING:
    from obstore.store import S3Store

SCHEME = "s3://"
AT_ONCE = 16  # objects that are looked at side by side: each look is a wait for the network
_BUFFER = 1 << 22  # bytes of a request, where the reader has no opinion
_TRIES = 6
_REFUSED = ("401", "403")
_PASSING = ("429", "500", "502", "503", "504")  # what a server answers that has too much to do
_STATUS = re.compile(r"status code: (\d{3})")
_CODE = re.compile(r"<Code>(\w{1,60})</Code>")
T = TypeVar("T")


@dataclass(frozen=True)
class About:
    """What a listing says of an object: its size, and by what another content is seen."""

    st_size: int
    mark: str  # its ETag; the time of its last change where the server keeps none
    is_etag: bool


class ObjectPath(PurePosixPath):
    """An object, as the path /BUCKET/KEY. Only what `listed` gives can be read: it knows `about` it."""

    about: About | None = None

    @property
    def bucket(self) -> str:
        return self.parts[1] if len(self.parts) > 1 else ""

    @property
    def key(self) -> str:
        return "/".join(self.parts[2:])

    @property
    def url(self) -> str:
        return SCHEME + "/".join(self.parts[1:])

    def stat(self) -> About:
        """Its size, as it was listed."""
        assert self.about is not None
        return self.about

    def is_file(self) -> bool:
        return self.about is not None

    def is_dir(self) -> bool:
        return False

    def raw(self) -> io.RawIOBase:
        """Its bytes; every read is a request."""
        return ObjectFile(self)

    def open(self, _: str = "rb") -> io.BufferedReader:
        """Its bytes, some megabytes with each request."""
        return io.BufferedReader(ObjectFile(self), _BUFFER)


FilePath = Path | ObjectPath


class ObjectFile(io.RawIOBase):
    """The bytes of an object, as it was listed: where it is another one by now, reading raises SourceFileError, and
    SourceLostError where the server is away for longer than a few tries take."""

    def __init__(self, path: ObjectPath) -> None:
        self._path, self._at, self._size = path, 0, path.stat().st_size

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._at = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        return self._at

    def readinto(self, buffer: Any) -> int:
        end = min(self._at + len(buffer), self._size)
        if end <= self._at:
            return 0
        data = _bytes(self._path, self._at, end)
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)


def is_object(where: str) -> bool:
    """Whether it names objects, not files."""
    return where.startswith(SCHEME)


def parsed(where: str) -> ObjectPath:
    """s3://BUCKET/KEY as a path. Raises SettingsError where there is no bucket."""
    path = ObjectPath("/", *where.removeprefix(SCHEME).split("/"))
    if not path.bucket:
        raise SettingsError(
            f"{where} has no bucket: expected s3://BUCKET/PREFIX", "For example s3://plant/2026/*.parquet"
        )
    return path


def one(path: ObjectPath) -> ObjectPath | None:
    """The object of exactly this name; None where there is none."""
    import obstore

    if not path.key:
        return None
    try:
        return _known(path.bucket, _tried(lambda: obstore.head(_store(path.bucket), path.key), path))
    except FileNotFoundError:
        return None


def listed(folder: ObjectPath, *, below: bool) -> Iterator[ObjectPath]:
    """The objects in a folder; `below`: in those below it, too.

    The library drops a / at the end of a key, and cannot read such an object. The folder's own is left out; raises
    SettingsError where that has content.
    """
    import obstore

    store, prefix = _store(folder.bucket), f"{folder.key}/" if folder.key else None

    def all_of_them() -> list[Any]:  # in pieces of a thousand; where one fails, from the first on
        if below:
            return [about for piece in obstore.list(store, prefix) for about in piece]
        return list(obstore.list_with_delimiter(store, prefix)["objects"])

    found = _tried(all_of_them, folder)
    if any(about["size"] for about in found if about["path"] == folder.key):
        raise _ends_with_slash(folder)
    return (_known(folder.bucket, about) for about in found if about["path"] != folder.key)


def has(folder: ObjectPath, sign: str) -> bool:
    """Whether an object lies in a folder under this name, or under one of this form: metadata/*.json"""
    import obstore

    if not folder.bucket:
        return False
    name, _, form = sign.partition("/")
    store, prefix = _store(folder.bucket), f"{folder.key}/{name}".lstrip("/")

    def any_of_them() -> bool:
        pieces = obstore.list(store, prefix)
        return any(fnmatch(one["path"].removeprefix(f"{prefix}/"), form or "*") for piece in pieces for one in piece)

    return _tried(any_of_them, folder)


def _known(bucket: str, about: Any) -> ObjectPath:
    path = ObjectPath("/", bucket, *about["path"].split("/"))
    seconds = about["last_modified"].replace(microsecond=0)  # a listing has more digits than a look at one object
    path.about = About(about["size"], about["e_tag"] or str(seconds), bool(about["e_tag"]))
    return path


def _bytes(path: ObjectPath, start: int, end: int) -> memoryview:
    import obstore

    how: Any = {"range": (start, end)}
    if path.stat().is_etag:
        how["if_match"] = path.stat().mark
    store = _store(path.bucket)
    try:
        return memoryview(_tried(lambda: obstore.get(store, path.key, options=how).bytes(), path))
    except FileNotFoundError:
        raise _ends_with_slash(path) if _is_own_folder(path) else changed(path.url) from None
    except ConnectError as error:
        raise SourceLostError(error.problem, "Run the same command again when it is back") from None


def _is_own_folder(path: ObjectPath) -> bool:
    """Whether its key is PATH/ in truth: a listing below it has it then, before all others."""
    import obstore

    first = _tried(lambda: next(iter(obstore.list(_store(path.bucket), path.key)), []), path)
    return any(about["path"] == path.key for about in first)


def _ends_with_slash(path: ObjectPath) -> SettingsError:
    return SettingsError(
        f"{path.url}/ is an object with content: expected keys that do not end with /", "Copy it to another key"
    )


def changed(label: str) -> SourceFileError:
    """The error for a file that is another one while it is read."""
    return SourceFileError(
        f"{label} was changed while it was read: expected it to stay as it is",
        "Wait until it is written, or read a copy of it; then run the same command again",
    )


def _tried(ask: Callable[[], T], path: ObjectPath) -> T:
    """What it answers, after a few tries where the network or the server fails."""
    from obstore.exceptions import BaseError

    tries, waits = stop_after_attempt(_TRIES), wait_random_exponential(0.1, max=5)
    try:
        return Retrying(stop=tries, wait=waits, retry=retry_if_exception(_may_pass), reraise=True)(ask)
    except FileNotFoundError:
        raise
    except (BaseError, OSError, ValueError) as error:
        raise _explained(error, path) from None


def _may_pass(error: BaseException) -> bool:
    """Whether asking again may help: no answer, or one that says so."""
    if isinstance(error, FileNotFoundError) or _is_no_key(error):
        return False
    status = _STATUS.search(str(error))
    return status is None or status[1] in _PASSING


def _is_no_key(error: BaseException) -> bool:
    """Whether it is about a key that S3 has and the library knows no path for: one with // in it."""
    from obstore.exceptions import InvalidPathError

    return isinstance(error, ValueError | InvalidPathError) or "path segment" in str(error)


def _explained(error: Exception, path: ObjectPath) -> TsclustError:
    """The error in words of ours: those of the library have the whole request in them."""
    from obstore.exceptions import PermissionDeniedError, PreconditionError, UnauthenticatedError

    text = str(error)
    code, status = _CODE.search(text), _STATUS.search(text)
    where, bucket = _endpoint() or "Amazon S3", SCHEME + path.bucket
    if isinstance(error, PreconditionError):
        return changed(path.url)
    if _is_no_key(error):
        return SettingsError(
            f"{path.url}: {text[:300]}: expected keys without // in them", "Copy the object to another key"
        )
    if code and code[1] == "NoSuchBucket":
        return SettingsError(f"{bucket}: there is no such bucket at {where}", "Check its name, and AWS_ENDPOINT_URL")
    if "169.254.169.254" in text:  # where a machine of Amazon would have them
        return ConnectError(f"{bucket}: no credentials for {where}", "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY")
    refused = isinstance(error, PermissionDeniedError | UnauthenticatedError) or (status and status[1] in _REFUSED)
    if refused:
        why = code[1] if code else "403"
        return ConnectError(
            f"{path.url}: {where} refuses access ({why})",
            "Check AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN, and that they may list and read there",
        )
    what = f"answers with {code[1] if code else status[1]}" if status else "does not answer"
    return ConnectError(f"{path.url}: {where} {what}", "Check AWS_ENDPOINT_URL, AWS_REGION and the network")


def _endpoint() -> str:
    return os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL") or ""


def _store(bucket: str) -> S3Store:
    return _opened(
        bucket, _endpoint(), tuple(sorted(pair for pair in os.environ.items() if pair[0].startswith("AWS_")))
    )


@functools.lru_cache(maxsize=8)
def _opened(bucket: str, endpoint: str, _: tuple[tuple[str, str], ...]) -> S3Store:
    """The bucket, by the environment as it is. We try again ourselves: the library only until an answer begins."""
    try:
        from obstore.store import S3Store
    except ImportError as error:
        raise SettingsError(f"{SCHEME}{bucket} needs {error.name}", "Install it: pip install 'tsclust[s3]'") from None
    client: Any = {"connect_timeout": "5s", "timeout": "60s", "allow_http": endpoint.startswith("http://")}
    retry: Any = {"max_retries": 0, "retry_timeout": timedelta(seconds=10)}
    more: Any = {"endpoint": endpoint} if endpoint else {}
    return S3Store(bucket, client_options=client, retry_config=retry, **more)
