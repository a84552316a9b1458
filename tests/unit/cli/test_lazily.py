"""Libraries that wait until they are used behave as if they were imported."""

from __future__ import annotations

import subprocess
import sys

import pytest

USES = {
    "by the name of its package": "import pyarrow.compute\nassert pyarrow.compute.add(1, 2).as_py() == 3",
    "by a name of its own": "import pyarrow.parquet as pq\nassert pq.read_table",
    "after its package": "import pyarrow\nassert pyarrow.int64()\nimport pyarrow.compute\nassert pyarrow.compute.add",
}


@pytest.mark.parametrize("use", USES.values(), ids=USES)
def test_a_library_that_waits_is_there_when_it_is_used(use: str) -> None:
    begin = "import sys\nfrom tsclust.cli import lazily\nlazily.defer()\nassert len(sys.modules) < 300\n"
    subprocess.run([sys.executable, "-c", begin + use], check=True)
