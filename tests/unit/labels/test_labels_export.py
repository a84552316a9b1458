"""labels export to files."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pyarrow as pa
import pytest

import tsclust
from tsclust.errors import SettingsError
from tsclust.pipeline import labels_export
from tsclust.workspace.folder import Workspace

READ = {"labels.csv": pl.read_csv, "labels.parquet": pl.read_parquet}


@pytest.mark.slow
def test_labels_are_exported_to_files(disputed: Workspace, tmp_path: Path) -> None:
    whole = pl.read_parquet(disputed.root / "labels" / "labels.parquet")
    for name, read in READ.items():
        done = tsclust.labels_export(disputed.root, tmp_path / name)
        assert done.wrote == tmp_path / name
        found = read(tmp_path / name)
        names = ["series_id", "labeller", "kind", "group"]
        assert found.select(names).rows() == whole.select(names).rows()
    comments = {path: set(read(tmp_path / path)["comment"].drop_nulls()) - {""} for path, read in READ.items()}
    assert comments == {"labels.csv": {'\'=cmd|"x"\ufffd[2J'}, "labels.parquet": {'=cmd|"x"\x1b[2J'}}
    one = tsclust.labels_export(disputed.root, tmp_path / "one.csv", {"labels": {"resolve": "B"}})
    assert one.facts == {
        "rows": whole["series_id"].n_unique(), "labels": whole["series_id"].n_unique(),
        "file": str(tmp_path / "one.csv"), "table": None,
    }  # fmt: skip
    assert set(pl.read_csv(tmp_path / "one.csv")["kind"]) == {"x", "z"}
    with pytest.raises(SettingsError, match=r"expected a name that ends in \.csv or \.parquet"):
        tsclust.labels_export(disputed.root, tmp_path / "labels.xlsx")
    with pytest.raises(SettingsError, match="expected a file or --to-table"):
        tsclust.labels_export(disputed.root)


def test_ids_stay_what_they_are_in_csv(tmp_path: Path) -> None:
    """Whoever joins by them has to find them again."""
    ids = ["=1", "-2", "@3"]
    labels_export.save(pa.table({"series_id": ids, "kind": ["=x", "-y", "z"]}), tmp_path / "a.csv")
    assert pl.read_csv(tmp_path / "a.csv").rows() == list(zip(ids, ["'=x", "'-y", "z"], strict=True))
