"""What the tests of tsclust.open share."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from tsclust.hashing import hash_ids
from tsclust.stages.reports.groups import sample

ODD = "a [1]* ws"  # a folder that wildcards would misread


def by_hash(ids: list[Any]) -> list[Any]:
    return [ids[i] for i in np.argsort(hash_ids(pa.array(ids), sample.SEED))]


def dip(x: Any) -> Any:
    """How far it falls below its median."""
    return np.median(x) - x[10:-10].min()
