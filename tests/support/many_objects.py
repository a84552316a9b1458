"""The gateway's objects without their bytes, loaded as its database has them: 100,000 in seconds, for a listing."""

from __future__ import annotations

import json
import subprocess
from itertools import count
from pathlib import Path
from typing import Any

from tests.support.s3 import JUICEFS

ETAG = "c4ca4238a0b923820dcc509a6f75849b"  # of an object of one byte, b"1"
FOLDERS = 7


def load(many: int, database: str, dump: Path) -> list[str]:
    """Adds the objects many/0/000000.csv, many/1/000001.csv, ... to a database; their keys. dump: a file to use."""
    subprocess.run([JUICEFS, "dump", database, dump], check=True, capture_output=True)
    Path(database.removeprefix("sqlite3://")).unlink()  # one that is loaded has to be new
    found, inodes = json.loads(dump.read_text()), count(1_000)
    found["FSTree"]["entries"]["many"] = _folder(
        {str(n): _folder({_name(i): _object(inodes) for i in range(n, many, FOLDERS)}, inodes) for n in range(FOLDERS)},
        inodes,
    )
    found["Counters"]["nextInodes"] = next(inodes)
    dump.write_text(json.dumps(found))
    subprocess.run([JUICEFS, "load", database, dump], check=True, capture_output=True)
    return sorted(f"many/{i % FOLDERS}/{_name(i)}" for i in range(many))


def _name(i: int) -> str:
    return f"{i:06}.csv"


def _folder(entries: dict[str, Any], inodes: count[int]) -> dict[str, Any]:
    about = {"inode": next(inodes), "type": "directory", "mode": 0o755, "nlink": 2 + len(entries), "length": 0}
    return {"attr": about, "entries": entries}


def _object(inodes: count[int]) -> dict[str, Any]:
    about = {"inode": next(inodes), "type": "regular", "mode": 0o644, "nlink": 1, "length": 1}
    return {"attr": about, "xattrs": [{"name": "s3-etag", "value": ETAG}]}
