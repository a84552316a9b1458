"""export --page: what is refused, how large it is, and the kernels that it brings."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

import tsclust
from tests.support import plant
from tests.support.bundles import Trained
from tests.support.endurance import LONG
from tests.support.fleet import Fleet
from tsclust.errors import SettingsError, StageMissingError
from tsclust.series import keys as series_keys
from tsclust.serve import report_pages
from tsclust.stages.model import bundle
from tsclust.stages.reports.measured import Measured
from tsclust.stages.reports.scoring import page, step
from tsclust.stages.reports.scoring.page import KERNELS, PageData, language_of, render

OPEN = report_pages.POLICY["Content-Security-Policy"]
REPOSITORY = Path(__file__).parents[3]


def test_features_and_rules_of_the_user_are_refused(trained: Trained, fleet: Fleet) -> None:
    own = data_of(bundle.read(trained.bundles / "features"))
    with pytest.raises(
        SettingsError, match=r"features of your own \(swing, slowly\).* tsclust export --bundle model\.zip"
    ):
        render(own, language_of(own, "en", Measured()))
    model = fleet.model("logistic")
    rules = [rule.model_copy(update={"when": "p50 < 0.2"}) for rule in model.facts.feature_contract.rules[:1]]
    contract = model.facts.feature_contract.model_copy(update={"rules": tuple(rules)})
    other = data_of(replace(model, facts=model.facts.model_copy(update={"feature_contract": contract})))
    with pytest.raises(SettingsError, match=r"the rule 'empty' is not one that tsclust brings.* --bundle model\.zip"):
        render(other, language_of(other, "en", Measured()))


def data_of(model: bundle.ModelBundle) -> PageData:
    return PageData(model, {}, "", "", "2026-03-04T05:06:07Z")


def test_the_page_is_small_and_the_same_every_time(fleet: Fleet, tmp_path: Path) -> None:
    for name in ("logistic", "trees"):
        root = fleet.workspace(name).root
        done = tsclust.export(root, page=tmp_path / f"{name}.html")
        tsclust.export(root, page=tmp_path / "again.html")
        assert (tmp_path / f"{name}.html").read_bytes() == (tmp_path / "again.html").read_bytes()
        assert done.facts is not None
        assert done.facts["bytes"] < page.LARGEST
        assert "10 baselines" in done.notes[0]
        content = (tmp_path / f"{name}.html").read_bytes()
        assert report_pages.served(content, "/", True) == report_pages.Page(content, OPEN)  # it runs in reports/, too


def test_the_bands_are_of_the_baselines_with_most_normal_series(fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    workspace, model = fleet.workspace("logistic"), fleet.model("logistic")
    said = plant.scores(workspace).filter(pl.col("said") == "normal")
    keys = pl.read_parquet(fleet.series).join(said, on="series_id").select(plant.BASELINE)
    many = Counter(series_keys(keys).tolist())
    monkeypatch.setattr(step, "BANDS", 3)
    found = step.normal_bands(workspace, model)
    assert {str(model.scaler.keys[row]) for row in found} == {"", *(key for key, _ in many.most_common(3))}
    assert [*found] == sorted(found)
    monkeypatch.setattr(step, "MIN_SERIES", 10**6)
    assert [*step.normal_bands(workspace, model)] == [0]


def test_a_page_that_would_be_too_large_is_refused(
    fleet: Fleet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page, "LARGEST", 100_000)
    with pytest.raises(SettingsError, match=r"would have 1\d\d,\d{3} bytes, expected at most 100,000.* 11 baselines"):
        tsclust.export(fleet.workspace("logistic").root, page=tmp_path / "page.html")
    assert not list(tmp_path.iterdir())


def test_without_a_model_there_is_no_page(tmp_path: Path) -> None:
    root = tmp_path / "ws"
    tsclust.init(root)
    with pytest.raises(StageMissingError, match="tsclust train"):
        tsclust.export(root, page=tmp_path / "page.html")


@pytest.mark.endurance
def test_the_kernels_are_those_of_the_source(tmp_path: Path) -> None:
    """As wasm/make.py makes them now, in the long form: it needs wasm-ld."""
    content = KERNELS.read_bytes()
    assert content.startswith(b"\0asm\1\0\0\0")
    assert b".py" not in content  # no path of the machine that made it
    if LONG:
        subprocess.run([sys.executable, str(REPOSITORY / "wasm" / "make.py"), str(tmp_path / "made.wasm")], check=True)
        assert (tmp_path / "made.wasm").read_bytes() == content, "run: .venv/bin/python wasm/make.py"
