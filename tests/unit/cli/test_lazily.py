"""Libraries that wait until they are used behave as if they were imported."""

from __future__ import annotations

import subprocess
import sys

import pytest

USES = {
    "by the name of its package": "import pyarrow.compute\nassert pyarrow.compute.add(1, 2).as_py() == 3",
    "by those who look whether it is installed": "import importlib.util\nassert importlib.util.find_spec('polars')",
    "by a name of its own": "import pyarrow.parquet as pq\nassert pq.read_table",
    "after its package": "import pyarrow\nassert pyarrow.int64()\nimport pyarrow.compute\nassert pyarrow.compute.add",
}
BEGIN = """
import sys
from tsclust.cli import lazily
lazily.defer()
for name in lazily.HEAVY:
    __import__(name)
    assert isinstance(sys.modules[name], lazily.Deferred), name
"""


@pytest.mark.parametrize("use", USES.values(), ids=USES)
def test_a_library_that_waits_is_there_when_it_is_used(use: str) -> None:
    subprocess.run([sys.executable, "-c", BEGIN + use], check=True)
