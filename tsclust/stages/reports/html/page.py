"""What all pages are made of: templates, static files, packed data, hashes for the Content-Security-Policy."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import string
from datetime import datetime
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import jinja2
import numpy as np
import numpy.typing as npt
from jinja2.bccache import Bucket

from tsclust.stages.labels.answers import COMMENT, KIND, LABELLER, SURE, VERDICTS
from tsclust.stages.labels.kinds import WAYS
from tsclust.stages.reports.charts.drawing import bars
from tsclust.wording.language import Language, shown
from tsclust.wording.shapes import shape_in_words

STATIC = Path(__file__).parent.parent / "static"
# Of base 85, as RFC 1924 and base64.b85encode have it, with "," for "<", which could begin a tag.
ALPHABET = np.frombuffer(
    (string.digits + string.ascii_letters.swapcase() + "!#$%&()*+-;,=>?@^_`{|}~").encode(), np.uint8
)
PIECE = 1 << 16  # words put into base 85 at a time, as each takes 40 bytes meanwhile
POWERS = 85 ** np.arange(4, -1, -1, dtype=np.uint32)
CONDITION = 2_000  # characters of a rule that are shown: one with an end cut off could not be judged
CHARTS = ("base.js", "page.js", "curves.js", "transfer.js", "zoom.js")  # where there are charts and nothing is asked
SCRIPTS = (
    *CHARTS,
    "overview.js",
    "spreads.js",
    "file.js",
    "answers.js",
    "kept.js",
    "forms.js",
    "keys.js",
    "members.js",
    "find.js",
    "sheet.js",
    "views.js",
)


# What the script says and the form offers.
ANSWERS = {
    "verdicts": VERDICTS, "sure": SURE, "kind": KIND, "comment": COMMENT, "labeller": LABELLER, "reserved": WAYS,
}  # fmt: skip


def static(name: str) -> str:
    """A file that becomes part of the page."""
    return (STATIC / name).read_text(encoding="utf-8")


def to_json(value: Any) -> str:
    """Compact, Cyrillic as it is."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def packed(text: str | bytes) -> str:
    """gzip in base 85, a fifteenth shorter than in base 64: the page unpacks it when it is wanted."""
    data = text.encode() if isinstance(text, str) else text
    zipped = gzip.compress(data, 9, mtime=0)
    missing = -len(zipped) % 4
    words = np.frombuffer(zipped + bytes(missing), ">u4")
    digits = "".join(_in_base_85(words[i : i + PIECE]) for i in range(0, len(words), PIECE))
    return digits[: len(digits) - missing]


def _in_base_85(words: npt.NDArray[np.uint32]) -> str:
    return bytes(ALPHABET[words.astype(np.uint32)[:, None] // POWERS % 85]).decode()


class _Compiled(jinja2.BytecodeCache):
    """What templates were compiled to in this process: that takes longer than to fill them in."""

    def __init__(self) -> None:
        self._codes: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        if code := self._codes.get(bucket.key):
            bucket.bytecode_from_string(code)

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._codes[bucket.key] = bucket.bytecode_to_string()


@lru_cache(maxsize=8)
def _compiled(*_: object) -> _Compiled:
    """For languages of these fields: what filters make of a constant is compiled in."""
    return _Compiled()


def templates(language: Language) -> jinja2.Environment:
    """Templates, their filters and texts in this language."""
    of = (language.code, language.unit, language.seconds, *sorted(language.names.items()))
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(STATIC), autoescape=True, undefined=jinja2.StrictUndefined,
        trim_blocks=True, lstrip_blocks=True, bytecode_cache=_compiled(*of),
    )  # fmt: skip
    environment.policies["json.dumps_kwargs"] = {"ensure_ascii": False, "separators": (",", ":")}
    environment.globals.update(t=language.texts["page"], language=language)
    environment.filters.update(
        plain=language.plain, share=language.share, count=lambda n: language.fixed(n, 0), number=language.number,
        month=language.month, reason=language.reason, sentence=language.sentence,
        shape=partial(shape_in_words, language), counted=language.counted,
        time=lambda text: language.time(datetime.fromisoformat(text)), date=language.date, bars=bars,
        called=language.called, fixed=language.fixed, alike=language.alike, origin=language.origin,
        column=language.column, times=language.factor,
        condition=lambda text: shown(text, CONDITION),
    )  # fmt: skip
    return environment


def hash_of(text: str) -> str:
    """As a Content-Security-Policy wants it."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
