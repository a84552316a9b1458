"""Mutations of small valid files of every format that strangers write: each is read, or refused in one line.

python -m tests.support.fuzz FORMAT SEED MUTATIONS SECONDS     in a process of its own: it bounds time and memory
"""

from __future__ import annotations

import copy
import faulthandler
import gzip
import io
import json
import random
import resource
import struct
import sys
import tempfile
import time
import warnings
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from tests.support import archive
from tsclust.errors import TsclustError

MEMORY = 1 << 30  # bytes more than a valid file takes
PATIENCE = 10  # seconds for one mutation
Mutate = Callable[[random.Random, bytes], bytes]
Use = Callable[[bytes], object]
INTS = [0, 1, -1, 2, 7, 127, 255, 4096, 65_535, 2**20, 2**30, 2**31 - 1, -(2**31)]
WORDS = [
    b'"', b"'", b",", b";", b"\t", b"\n", b"\r", b"\0", b"\\", b"\\.", b"\\N", b"{", b"}", b"[", b"]", b"NaN", b"-1",
    b"1e999", b"9" * 40, b"\xff", b"\xc3", b"\xef\xbb\xbf", b"null", b"inf", "é".encode(), b"COPY ", b";\n", b" ",
]  # fmt: skip


def mutated(of: random.Random, content: bytes) -> bytes:
    """Some bytes changed, left out, put in or there twice; or the end is missing."""
    data = bytearray(content)
    for _ in range(of.choice([1, 1, 1, 2, 5])):
        at = of.randrange(len(data) + 1)
        some = slice(at, at + of.choice([1, 1, 2, 4, 16, 200]))
        new: bytes = of.choice([
            b"", bytes(data[some]) * of.choice([2, 2, 50]), of.randbytes(of.choice([1, 4, 16])), of.choice(WORDS),
            struct.pack(of.choice("<>") + "i", of.choice(INTS)), bytes(data[some][::-1]),
        ])  # fmt: skip
        data[some if of.random() < 0.7 else slice(at, at)] = new
    return bytes(data[: of.randrange(len(data) + 1)] if of.random() < 0.1 else data)


def repacked(of: random.Random, content: bytes, change: Mutate = mutated) -> bytes:
    """A gzip whose text is mutated, or the gzip itself."""
    return gzip.compress(change(of, gzip.decompress(content)), 1) if of.random() < 0.7 else change(of, content)


# Series in files

CSV = "series_id,machine,idx,value,at\n" + "".join(
    f"{i},M{i % 3},{j},{i + j / 8},2024-01-0{i} 0{j}:00:00\n" for i in range(1, 5) for j in range(5)
)
LISTS = 'id;"the machine";values\n' + "".join(f'{i};M{i % 3};"[{i}, {i / 8}, null]"\n' for i in range(1, 9))
SCRIPT = f"--\n-- PostgreSQL database dump\n--\n\nSET client_encoding = 'UTF8';\n\n{archive.SQL}\n{archive.COPY}" + (
    f"{archive.ROWS}--\n-- PostgreSQL database dump complete\n--\n"
)


def series_in(folder: Path, content: bytes) -> object:
    """The parts of all series in a file."""
    from tsclust.config import Source
    from tsclust.source.files import reader

    path = folder / "file"
    path.write_bytes(content)
    return list(reader.reader(Source(files=path.name), folder).parts(folder, lambda batch: batch, lambda _: None))


# Answers


def answers() -> bytes:
    from tsclust.stages.labels.answers import checksum

    asked = {"group": 1, "within": None, "k": 5, "cluster": 2, "size": 7, "members_hash": "0" * 32}
    said = {"verdict": "malfunction", "kind": "obstacle", "sure": "likely", "comment": "see é",
            "answered_at": "2026-01-01T00:00:00Z"}  # fmt: skip
    body: dict[str, Any] = {
        "format": "tsclust-answers", "version": 1, "report": {"id": "0" * 32, "name": "report", "model": "1" * 32},
        "lang": "en", "labeller": "Anna", "started_at": "2026-01-01T00:00:00Z", "saved_at": "2026-01-01T01:00:00+03:00",
        "groups": [asked | said | {"not_members": ["3", "4"]}], "series": [said | {"series_id": "17"}],
        "objections": [{"rule": "flat", "series_ids": ["9"], "comment": ""}],
    }  # fmt: skip
    return json.dumps(body | {"checksum": checksum(body)}, ensure_ascii=False).encode()


def read_answers(content: bytes) -> object:
    from tsclust.stages.labels.answers import Limits, parse

    return parse("answers.json", content, Limits(100))


def with_checksum(of: random.Random, content: bytes) -> bytes:
    """Mutated, or with other values and a checksum made anew: what somebody would do on purpose."""
    from tsclust.stages.labels.answers import checksum

    if of.random() < 0.4:
        return mutated(of, content)
    body = json.loads(content)
    del body["checksum"]
    for _ in range(of.choice([1, 1, 3])):
        node, key = of.choice(list(places(body)))
        node[key] = copy.deepcopy(of.choice(VALUES))
    try:
        return json.dumps(body | {"checksum": checksum(body)}).encode()
    except (TypeError, ValueError):
        return content


VALUES: list[Any] = [
    None, -1, 0, 1, 2**31, 2**63, 10**400, "", "x", "x" * 5_000, "\ud800", "\0", [], {}, [[]] * 3, True, 1e308,
    float("nan"), "../x", "float64", [{}] * 50, "0001-01-01T00:00:00+14:00",
]  # fmt: skip


def places(node: Any) -> Iterator[tuple[Any, Any]]:
    """Every (container, key) of a JSON tree."""
    keys = list(node) if isinstance(node, dict) else range(len(node)) if isinstance(node, list) else ()
    for key in keys:
        yield node, key
        yield from places(node[key])


# Models

FEATURES = 3


def models() -> list[bytes]:
    import numpy as np
    from sklearn.ensemble import ExtraTreesClassifier
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    from tsclust.stages.model import skops_file

    x, y = np.random.default_rng(1).normal(size=(40, FEATURES)), np.arange(40) % 3
    steps = [(StandardScaler(), LogisticRegression()), (ExtraTreesClassifier(4, max_depth=3, random_state=1),)]
    held = {"known": {"references": x.astype(np.float32)}, "typical": {"names": ["a", "b"], "level": 0.5}}
    return [skops_file.dumps(held | {"estimator": make_pipeline(*s).fit(x, y)}) for s in steps]


def use_model(content: bytes) -> object:
    import numpy as np

    from tsclust.stages.model import skops_file

    held = skops_file.loads(content, FEATURES)
    x = np.zeros((2, FEATURES))
    return skops_file.refusing_damage(lambda: held["estimator"].predict_proba(x))


def other_model(of: random.Random, content: bytes) -> bytes:
    """The zip mutated, or one of its arrays, or values of its schema; sometimes with a very deep one."""
    if of.random() < 0.2:
        return mutated(of, content)
    with zipfile.ZipFile(io.BytesIO(content)) as packed:
        files = {name: packed.read(name) for name in packed.namelist()}
    name = "schema.json" if of.random() < 0.6 else of.choice(sorted(files))
    if name != "schema.json" or of.random() < 0.1:
        files[name] = mutated(of, files[name])
    elif of.random() < 0.05:
        files[name] = b"[" * 200_000 + b"]" * 200_000
    else:
        files[name] = _other_schema(of, files[name])
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as packed:
        for one, inside in files.items():
            packed.writestr(one, inside)
    return out.getvalue()


def _other_schema(of: random.Random, schema: bytes) -> bytes:
    tree = json.loads(schema)
    for _ in range(of.choice([1, 1, 2])):
        (node, key), (other, there) = of.choices(list(places(tree)), k=2)
        node[key] = copy.deepcopy(of.choice([*VALUES[:12], other[there]]))
    return json.dumps(tree).encode()


def targets(folder: Path) -> dict[str, Callable[[], tuple[list[bytes], Use, Mutate]]]:
    """Format -> (valid files, what reads one, what changes one)."""
    in_file = partial(series_in, folder)
    return {
        "archive": lambda: ([archive.archive(1), archive.archive(0)], in_file, mutated),
        "copy text": lambda: ([SCRIPT.encode()], in_file, mutated),
        "csv": lambda: ([CSV.encode(), LISTS.encode(), LISTS.encode("utf-16")], in_file, mutated),
        "csv gzip": lambda: ([gzip.compress(CSV.encode())], in_file, repacked),
        "answers": lambda: ([answers()], read_answers, with_checksum),
        "skops": lambda: (models(), use_model, other_model),
    }


def run(name: str, seed: int, mutations: int, seconds: float = 0) -> Counter[str]:
    """How many mutations came to which end, at least so many and so long. Writes one that came to a wrong end."""
    with tempfile.TemporaryDirectory() as folder:
        valid, use, mutate = targets(Path(folder))[name]()
        for content in valid:
            use(content)
        _bound_memory()
        of, ends, until = random.Random(seed), Counter[str](), time.monotonic() + seconds
        while sum(ends.values()) < mutations or time.monotonic() < until:
            ends[_end(use, mutate(of, of.choice(valid)))] += 1
    return ends


def _end(use: Use, content: bytes) -> str:
    faulthandler.dump_traceback_later(PATIENCE, exit=True)
    try:
        use(content)
    except TsclustError as error:
        if "\n" in str(error) or not error.next_step:
            raise AssertionError(f"not one line with a next step: {error}") from error
        return type(error).__name__
    except BaseException as error:
        path = Path(tempfile.mkstemp(prefix="fuzz_")[1])
        path.write_bytes(content)
        error.add_note(f"It was: {path}")
        raise
    finally:
        faulthandler.cancel_dump_traceback_later()
    return "read"


def _bound_memory() -> None:
    size = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (size + MEMORY, resource.RLIM_INFINITY))


if __name__ == "__main__":
    faulthandler.enable()
    warnings.simplefilter("ignore")
    print(json.dumps(run(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4]))))
