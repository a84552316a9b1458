"""Objects in S3 as files: found by a listing, read a range at a time, by the credentials of the environment, AWS_*."""

from __future__ import annotations

import functools
import io
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from fnmatch import fnmatch
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from tsclust.errors import ConnectError, SettingsError, SourceLostError
from tsclust.source.files.object_requests import SCHEME, changed, endpoint, ends_with_slash, tried

if TYPE_CHECKING:
    from obstore.store import S3Store

AT_ONCE = 16  # objects that are looked at side by side: each look is a wait for the network
ANSWERED_WITHIN = "60s"
_BUFFER = 1 << 22  # bytes of a request, where the reader has no opinion


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
        return _known(path.bucket, tried(lambda: obstore.head(_store(path.bucket), path.key), path.url))
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

    found = tried(all_of_them, folder.url)
    if any(about["size"] for about in found if about["path"] == folder.key):
        raise ends_with_slash(folder.url)
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

    return tried(any_of_them, folder.url)


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
        return memoryview(tried(lambda: obstore.get(store, path.key, options=how).bytes(), path.url))
    except FileNotFoundError:
        raise ends_with_slash(path.url) if _is_own_folder(path) else changed(path.url) from None
    except ConnectError as error:
        raise SourceLostError(error.problem, "Run the same command again when it is back") from None


def _is_own_folder(path: ObjectPath) -> bool:
    """Whether its key is PATH/ in truth: a listing below it has it then, before all others."""
    import obstore

    first = tried(lambda: next(iter(obstore.list(_store(path.bucket), path.key)), []), path.url)
    return any(about["path"] == path.key for about in first)


def _store(bucket: str) -> S3Store:
    return _opened(bucket, endpoint(), tuple(sorted(pair for pair in os.environ.items() if pair[0].startswith("AWS_"))))


@functools.lru_cache(maxsize=8)
def _opened(bucket: str, at: str, _: tuple[tuple[str, str], ...]) -> S3Store:
    """The bucket, by the environment as it is. We try again ourselves: the library only until an answer begins."""
    try:
        from obstore.store import S3Store
    except ImportError as error:
        raise SettingsError(f"{SCHEME}{bucket} needs {error.name}", "Install it: pip install 'tsclust[s3]'") from None
    client: Any = {"connect_timeout": "5s", "timeout": ANSWERED_WITHIN, "allow_http": at.startswith("http://")}
    retry: Any = {"max_retries": 0, "retry_timeout": timedelta(seconds=10)}
    more: Any = {"endpoint": at} if at else {}
    return S3Store(bucket, client_options=client, retry_config=retry, **more)
