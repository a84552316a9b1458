"""python -m tsclust.pipeline.kernels_ahead: compile the kernels of extract, features, cluster and score into the cache.

For whoever installs (`make demo` does): the first command of a user then does not spend 15 seconds on it. A small plant
goes through the stages, so that what is compiled is what they ask for. Only what decodes COPY is compiled for single
and for double precision, as columns have them.
A wheel cannot hold what is compiled: numba knows it by the file's time, the processor and the versions of itself.
"""

from __future__ import annotations

import os
import sys
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from tsclust.errors import no_place_for_kernels
from tsclust.simulation import machines

SERIES = 3_000  # of fewer no groups of shapes are looked for
SETTINGS = """[source]
files = "cycles.parquet"
[cluster]
k = "2..4"
baseline = ["machine_id"]
"""


def compile_all() -> None:
    """In a temporary workspace, which goes."""
    from tsclust.source.postgres.copy_rows import compile_for  # needs a folder for kernels: `main` says so

    batches = [batch for batch, _ in islice(machines.make(SERIES), 1)]
    table = pa.Table.from_batches(batches)
    at = table.schema.get_field_index("values")
    for values in (pa.float32(), pa.float64()):
        compile_for(table.schema.set(at, pa.field("values", pa.list_(values))))
    with TemporaryDirectory(prefix="tsclust-") as folder:
        _through_the_stages(Path(folder), table)


def _through_the_stages(root: Path, table: pa.Table) -> None:
    from tsclust.pipeline import cluster, extract, features, init  # need it as well
    from tsclust.stages.model.novelty import References

    init.write_workspace(root, SETTINGS)
    pq.write_table(table, root / "cycles.parquet")
    extract.extract(root)
    features.features(root)
    cluster.cluster(root)
    References(np.zeros((1, 1), np.float32)).distances(np.ones((1, 1)))  # there are no labels to train with


def main() -> None:
    """As an installation runs it: a user's TSCLUST_* are about a source and a cluster of workers that are not asked."""
    for name in [name for name in os.environ if name.startswith("TSCLUST_")]:
        del os.environ[name]
    try:
        compile_all()
    except RuntimeError as error:
        if why := no_place_for_kernels(error):
            sys.exit(f"tsclust: {why}")
        raise


if __name__ == "__main__":
    main()
