"""Bodies of requests as they come in: how much, and how slowly, is decided before anything is kept."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import ClientDisconnect, Request
from starlette.types import Message, Receive

from tsclust.serve.problems import Refusal

if TYPE_CHECKING:
    from python_multipart.multipart import MultipartCallbacks

SMALL = 100_000  # bytes of a body that says what to do
PATIENCE, LEAST_PER_SECOND = 20.0, 10_000  # seconds, and the bytes that buy another one
FIELDS = 100  # of a form
FIELD = 10_000  # bytes of a field of a form that is no file


class Small:
    """What a route receives whose body is read for it: no more than SMALL, and not too slowly."""

    def __init__(self, receive: Receive) -> None:
        self._receive, self._left, self._complete = receive, SMALL, False
        self._deadline = time.monotonic() + PATIENCE

    async def __call__(self) -> Message:
        if self._complete:  # what comes now is the end of the connection
            return await self._receive()
        try:
            message = await asyncio.wait_for(self._receive(), max(self._deadline - time.monotonic(), 0.001))
        except TimeoutError:
            raise _too_slow(SMALL - self._left) from None
        self._left -= len(message.get("body", b""))
        self._complete = not message.get("more_body", False)
        if self._left < 0:
            raise _too_large(SMALL)
        return message


async def chunks(request: Request, most: int, setting: str = "") -> AsyncIterator[bytes]:
    """The body, of at most so many bytes. setting: which of serve.toml says how many, "" where none does.

    Raises Refusal: 413, or 408 for one that comes too slowly.
    """
    stated = request.headers.get("content-length", "0")
    if stated.isdigit() and int(stated) > most:
        raise _too_large(most, setting)
    received, start, stream = 0, time.monotonic(), aiter(request.stream())
    while True:
        deadline = start + PATIENCE + received / LEAST_PER_SECOND - time.monotonic()
        try:
            chunk = await asyncio.wait_for(anext(stream), max(deadline, 0.001))
        except StopAsyncIteration:
            return
        except TimeoutError:
            raise _too_slow(received) from None
        except ClientDisconnect:
            raise Refusal(400, "the body ended before its end", "Send it again") from None
        received += len(chunk)
        if received > most:
            raise _too_large(most, setting)
        yield chunk


class Room:
    """Bytes of the bodies of all requests that are held in memory at a time, in one event loop."""

    def __init__(self, most: int) -> None:
        self._most, self._left = most, most

    def take(self, size: int) -> None:
        """Raises Refusal where there is no room left."""
        if size > self._left:
            raise Refusal(
                503, f"the requests under way have {self._most:,} bytes in all: expected no more at a time",
                "Try again in a second", headers={"Retry-After": "1", "Connection": "close"},
            )  # fmt: skip
        self._left -= size

    def give_back(self, size: int) -> None:
        self._left += size


@asynccontextmanager
async def whole(request: Request, most: int, setting: str = "") -> AsyncIterator[bytes]:
    """The body in memory, for as long as it is needed. Raises as `chunks`, and Refusal (503) where others fill it."""
    room: Room = request.app.state.service.room
    parts, held = list[bytes](), 0
    try:
        async for chunk in chunks(request, most, setting):
            room.take(len(chunk))
            held += len(chunk)
            parts.append(chunk)
        body = b"".join(parts)
        parts.clear()
        yield body
    finally:
        room.give_back(held)


async def form(request: Request, to: Path, most: int, setting: str) -> dict[str, str]:
    """The fields of a form, and its file, in the field `file`, written to `to`; its own name as "filename". most,
    setting: as for `chunks`, of the file.

    Raises Refusal for another body, or one without a file.
    """
    kind, options = parse_options_header(request.headers.get("content-type", ""))
    if kind != b"multipart/form-data" or not options.get(b"boundary"):
        raise Refusal(
            415, "the body is no form: expected multipart/form-data with a file in the field `file`",
            "For example: curl -F file=@FILE ADDRESS",
        )  # fmt: skip
    with to.open("xb") as file:
        reading = _Form(file)
        parser = MultipartParser(options[b"boundary"], reading.callbacks())
        try:
            async for chunk in chunks(request, most + SMALL, setting):
                await asyncio.to_thread(parser.write, chunk)
            parser.finalize()
        except FormParserError as error:
            raise Refusal(422, f"the form cannot be read: {error}"[:200], "Send it as curl -F does") from None
    if not reading.complete:
        raise Refusal(
            422, "the form has no file, or ended before its end: expected one in the field `file`", "Send it again"
        )
    return reading.fields


class _Form:
    """Takes a form apart as it comes."""

    def __init__(self, file: BinaryIO) -> None:
        self.fields: dict[str, str] = {}
        self.complete = False
        self._file, self._ended, self._files = file, False, 0
        self._clear()

    def callbacks(self) -> MultipartCallbacks:
        return {
            "on_part_begin": self._clear, "on_part_data": self._data, "on_part_end": self._end,
            "on_header_field": self._header_name, "on_header_value": self._header_value,
            "on_header_end": self._header_end, "on_headers_finished": self._headers, "on_end": self._all,
        }  # fmt: skip

    def _clear(self) -> None:
        self._headers_of: dict[bytes, bytes] = {}
        self._name, self._value = b"", b""
        self._key, self._is_file, self._held = "", False, b""

    def _header_name(self, data: bytes, start: int, end: int) -> None:
        self._name += data[start:end]

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _header_end(self) -> None:
        self._headers_of[self._name.lower()] = self._value
        self._name, self._value = b"", b""

    def _headers(self) -> None:
        _, options = parse_options_header(self._headers_of.get(b"content-disposition", b""))
        self._key = options.get(b"name", b"").decode(errors="replace")
        self._is_file = self._key == "file" and self._files == 0
        if self._key == "file":
            self._files += 1
        if self._is_file:
            self.fields["filename"] = options.get(b"filename", b"").decode(errors="replace")

    def _data(self, data: bytes, start: int, end: int) -> None:
        if self._is_file:
            self._file.write(data[start:end])
        elif len(self._held) + end - start > FIELD:
            raise Refusal(422, f"the field {self._key[:40]!r} has more than {FIELD:,} bytes", "Shorten it")
        elif len(self.fields) > FIELDS:
            raise Refusal(422, f"the form has more than {FIELDS} fields", "Send fewer of them")
        else:
            self._held += data[start:end]

    def _end(self) -> None:
        if not self._is_file and self._key not in ("", "filename"):
            self.fields[self._key] = self._held.decode(errors="replace")

    def _all(self) -> None:
        self.complete = self._files == 1


def _too_slow(received: int) -> Refusal:
    slow = f"the body came too slowly: {received:,} bytes, then nothing"
    return Refusal(408, slow, "Send it again over a faster connection", headers={"Connection": "close"})


def _too_large(most: int, setting: str = "") -> Refusal:
    next_step = f"Send less, or raise {setting} in serve.toml" if setting else "Send less"
    return Refusal(413, f"the body has more than {most:,} bytes", next_step)
