"""A scorer that needs nothing but a bundle: the same scores as the workspace's, to the bit, however series come."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from threadpoolctl import threadpool_limits

import tsclust
from tests.support.bundles import OWN, Trained
from tsclust import Scorer
from tsclust.errors import BadSeriesError, DamagedError, SettingsError, StageMissingError
from tsclust.stages.scores.facts import SCORES_NEW
from tsclust.workspace.folder import Workspace
from tsclust.workspace.parquet import write_part

DOCS = (Path(__file__).parents[3] / "docs" / "answers.md").read_text(encoding="utf-8")
(SCRIPT,) = re.findall(r"```python\n(.*?)```", DOCS, re.DOTALL)
MODELS = ("logistic", "trees", "features")


def same(found: pa.Table, expected: pa.Table) -> bool:
    """To the bit: the same as files."""
    return found.schema.equals(expected.schema) and as_bytes(found) == as_bytes(expected)


def as_bytes(table: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink)
    return bytes(sink.getvalue())


@pytest.mark.slow
def test_a_bundle_alone_scores_a_file_as_the_workspace_does(trained: Trained, tmp_path: Path) -> None:
    root = tmp_path / "ws"
    shutil.copytree(trained.workspace.root, root)
    pq.write_table(trained.new, tmp_path / "new.parquet")
    tsclust.score(root, {"source": {"files": str(tmp_path / "new.parquet")}})
    (part,) = Workspace.open(root).parts(SCORES_NEW)
    alone = tmp_path / "alone"
    shutil.copytree(root / "model", alone / "model")
    shutil.copy(tmp_path / "new.parquet", alone)
    script = SCRIPT.replace('"model"', '"model", allow_features=True')
    subprocess.run([sys.executable, "-c", script], cwd=alone, check=True)
    found = pq.read_table(alone / "scores.parquet")
    assert found.equals(pq.read_table(part))
    write_part(alone, "part.parquet", found)
    assert (alone / "part.parquet").read_bytes() == part.read_bytes()


@pytest.mark.slow
@pytest.mark.parametrize("name", MODELS)
def test_a_series_alone_gets_what_it_gets_among_others(trained: Trained, name: str) -> None:
    scorer = trained.scorer(name)
    whole = scorer.score(trained.new)
    said = set(whole["said"].to_pylist())
    assert len(said) > 3
    for i in range(60):
        assert same(scorer.score(trained.new.slice(i, 1)), whole.slice(i, 1).combine_chunks()), i

    @given(rows=st.lists(st.integers(0, len(trained.new) - 1), min_size=0, max_size=130))
    @settings(max_examples=25)
    def among(rows: list[int]) -> None:
        some = pa.array(rows, pa.int64())
        assert same(scorer.score(trained.new.take(some)), whole.take(some).combine_chunks())

    among()


@pytest.mark.parametrize("name", MODELS)
def test_neither_threads_nor_the_type_of_values_matter(trained: Trained, name: str) -> None:
    """Values that float32 holds are the same as float64."""
    scorer = trained.scorer(name)
    with threadpool_limits(1):
        whole = scorer.score(trained.new)
    with threadpool_limits(4), ThreadPoolExecutor(4) as pool:
        parts = [trained.new.slice(at, 37) for at in range(0, len(trained.new), 37)]
        assert same(pa.concat_tables(pool.map(scorer.score, parts)).combine_chunks(), whole)
    at = trained.new.column_names.index("values")
    for kind in (pa.list_(pa.float64()), pa.large_list(pa.float32()), pa.large_list(pa.float64())):
        assert same(scorer.score(trained.new.set_column(at, "values", trained.new["values"].cast(kind))), whole)


def test_tables_as_they_come(trained: Trained) -> None:
    scorer, new = trained.scorer("logistic"), trained.new
    whole = scorer.score(new)
    chunks = pa.concat_tables([new.slice(0, 10), new.slice(10, 0), new.slice(10)])
    assert same(scorer.score(chunks).combine_chunks(), whole)
    assert same(scorer.score(pl.DataFrame(new).to_arrow()), whole)
    assert same(scorer.score(new.select(["values", "direction", "series_id", "machine_id"])), whole)
    texts = new.set_column(0, "series_id", new["series_id"].cast(pa.large_string()))
    assert scorer.score(texts).drop(["series_id"]).equals(whole.drop(["series_id"]))
    assert scorer.score(new.slice(0, 0)).schema.equals(whole.schema)


def test_tables_that_cannot_be_scored(trained: Trained) -> None:
    scorer, new = trained.scorer("logistic"), trained.new
    for name in ("series_id", "values", "machine_id", "direction"):
        with pytest.raises(SettingsError, match=f"the series have no column '{name}'"):
            scorer.score(new.drop([name]))
    with pytest.raises(SettingsError, match="column values is of type string: expected a list of numbers"):
        scorer.score(new.drop(["values"]).append_column("values", pa.array(["1"] * len(new))))
    with pytest.raises(SettingsError, match="column series_id is of type double"):
        scorer.score(new.set_column(0, "series_id", new["series_id"].cast(pa.float64())))
    with pytest.raises(BadSeriesError, match="1 series have no series_id"):
        scorer.score(new.set_column(0, "series_id", pa.array([None, *new["series_id"].to_pylist()[1:]])))
    with pytest.raises(BadSeriesError, match=f"{len(new):,} series have no series_id"):
        scorer.score(new.set_column(0, "series_id", pa.nulls(len(new))))
    with pytest.raises(BadSeriesError, match="1 series have no series_id"):
        scorer.score(new.set_column(0, "series_id", pa.array([" ", *map(str, new["series_id"].to_pylist()[1:])])))


def test_features_of_a_foreign_bundle_run_only_if_allowed(trained: Trained, tmp_path: Path) -> None:
    bundle = tmp_path / "bundle"
    shutil.copytree(trained.bundles / "features", bundle)
    with pytest.raises(SettingsError, match=r"contains features \(swing, slowly\).*allow_features=True"):
        Scorer.open(bundle)
    assert Scorer.open(bundle, allow_features=True).score(trained.new.slice(0, 3)).num_rows == 3
    (bundle / "features.py").write_text(OWN + "\nimport os\n", encoding="utf-8")
    with pytest.raises(DamagedError, match=r"features\.py has changed since it was trained"):
        Scorer.open(bundle, allow_features=True)
    about = json.loads((bundle / "manifest.json").read_text())
    del about["outputs"]["features.py"]
    (bundle / "manifest.json").write_text(json.dumps(about))
    with pytest.raises(StageMissingError, match="does not contain the source code of the user's own features"):
        Scorer.open(bundle, allow_features=True)


def test_a_folder_without_a_usable_model(trained: Trained, tmp_path: Path) -> None:
    with pytest.raises(StageMissingError, match=r"holds no model: expected manifest\.json and model\.skops"):
        Scorer.open(tmp_path)
    bundle = tmp_path / "bundle"
    shutil.copytree(trained.bundles / "logistic", bundle)
    about = json.loads((bundle / "manifest.json").read_text())
    (bundle / "manifest.json").write_text(json.dumps(about | {"facts": about["facts"] | {"version": 99}}))
    with pytest.raises(StageMissingError, match="made by a newer tsclust"):
        Scorer.open(bundle)
    (bundle / "manifest.json").write_text("{}")
    with pytest.raises(DamagedError, match="cannot be read"):
        Scorer.open(bundle)
    assert np.isclose(trained.scorer("logistic").model.facts.threshold, about["facts"]["threshold"])
