"""export --onnx: the example of docs/model.md, by onnxruntime alone, gives what tsclust score gives."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import tsclust
from tests.support.bundles import Trained
from tests.support.fleet import CLASSIFIERS, Fleet
from tests.support.plant import scores
from tsclust.errors import SettingsError
from tsclust.stages.features.regimes import Regimes
from tsclust.stages.model import bundle, onnx_facts, onnx_graph
from tsclust.stages.model.bundle import ModelBundle

DOCS = (Path(__file__).parents[3] / "docs" / "model.md").read_text(encoding="utf-8")
(SCRIPT,) = re.findall(r"```python\n(.*?)```", DOCS, re.DOTALL)
FUNCTIONS = SCRIPT.partition("table = ")[0]


def run(script: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    names: dict[str, Any] = {}
    monkeypatch.chdir(folder)
    exec(script, names)
    return names


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_a_runtime_says_what_score_says(
    name: str, fleet: Fleet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace = fleet.workspace(name)
    done = tsclust.export(workspace.root, onnx=tmp_path / "model.onnx")
    assert done.facts is not None
    assert done.facts["bytes"] == (tmp_path / "model.onnx").stat().st_size
    (tmp_path / "plant").symlink_to(workspace.root)
    names = run(SCRIPT, tmp_path, monkeypatch)
    found = names["table"].select("series_id").with_columns(
        said=pl.Series(names["said"]), probability=names["found"]["probability"], novelty=names["found"]["novelty"]
    )  # fmt: skip
    expected = scores(workspace).filter(pl.col("said") != "impossible")
    both = expected.join(found, on="series_id", suffix="_found", validate="1:1")
    assert len(both) == len(expected) == len(found)
    assert both["said"].to_list() == both["said_found"].to_list()
    assert {"don't know", "none of these", "normal"} < {*both["said"]}
    assert len({*names["normal"]["keys"][1]}) == 2
    for column in ("probability", "novelty"):
        np.testing.assert_allclose(both[f"{column}_found"], both[column], rtol=0, atol=1e-9)


def spread_out(model: ModelBundle, rows: int = 500) -> np.ndarray:
    """(rows, d) features near what is normal, far from it, and at places of labelled series."""
    chance = np.random.default_rng(1)
    center, spread = model.scaler.centers[0], model.scaler.spreads[0]
    far = chance.standard_t(2, (rows, len(center))) * chance.choice([0.1, 1.0, 30.0], (rows, 1))
    return np.asarray(center + spread * far)


def in_memory(model: ModelBundle, folder: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    (folder / "model.onnx").write_bytes(onnx_graph.build(model))
    (folder / "model.json").write_text(json.dumps(onnx_facts.of(model)))
    return run(FUNCTIONS, folder, monkeypatch)


def hold(model: ModelBundle, names: dict[str, Any]) -> None:
    x, scaler = spread_out(model), model.scaler
    texts = [*scaler.keys.tolist(), "nobody\x1fknows it"]
    keys = np.array([texts[i % len(texts)] for i in range(len(x))])
    kind, probability, novelty = model.predict(scaler.deviations(x, keys))
    found = names["score"](x, [tuple(key.split("\x1f")) for key in keys.tolist()])
    assert (found["kind"] == kind).all()
    np.testing.assert_allclose(found["probability"], probability, rtol=0, atol=1e-9)
    np.testing.assert_allclose(found["novelty"], novelty, rtol=0, atol=1e-9)
    assert len({*found["kind"]}) > 1


@pytest.mark.parametrize("beside", [False, True])
@pytest.mark.parametrize("method", ["exceedance", "robust"])
def test_regimes_are_looked_up_by_features(
    method: str, beside: bool, fleet: Fleet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = fleet.model("logistic")
    scaler, d = model.scaler, len(model.facts.features)
    places = np.zeros((2, d))
    places[1, :3] = 3.0
    regimes = Regimes(scaler.centers[0], scaler.spreads[0], np.ones(d), places)
    if beside:
        g = len(scaler.keys)
        offsets = scaler.centers - scaler.centers[0]
        cells = np.arange(2 * g).reshape(g, 2) % len(scaler.centers)
        scaler = replace(scaler, regimes=regimes, offsets=offsets, cells=cells)
    else:
        keys = np.array(["", "regime 001", "regime 002"])
        scaler = replace(scaler, keys=keys, centers=scaler.centers[:3], spreads=scaler.spreads[:3], regimes=regimes)
        compared = model.facts.feature_contract.compared_by.model_copy(update={"baseline": ()})
        contract = model.facts.feature_contract.model_copy(update={"compared_by": compared})
        model = replace(model, facts=model.facts.model_copy(update={"feature_contract": contract}))
    model = replace(model, scaler=replace(scaler, method=method))
    hold(model, in_memory(model, tmp_path, monkeypatch))


@pytest.mark.parametrize("kinds", [2, 3])
def test_kinds_that_the_classifier_has_not_seen_have_no_probability(
    kinds: int, fleet: Fleet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two of two are asked for by one function, two of three leave a column empty."""
    model = fleet.model("logistic")
    scaled = model.scaler.transform(spread_out(model, 200), np.full(200, "")) / 1024
    estimator = model.estimator.fit(scaled, np.where(scaled.sum(axis=1) > 0, kinds - 1, 0))
    names = ("normal", "other") if kinds == 2 else ("normal", "never seen", "other")
    facts = model.facts.model_copy(update={"kinds": names, "verdicts": dict.fromkeys(names, "malfunction")})
    changed = replace(model, facts=facts, estimator=estimator)
    hold(changed, in_memory(changed, tmp_path, monkeypatch))


def test_features_of_the_user_are_inputs_as_all_others(
    trained: Trained, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = bundle.read(trained.bundles / "features")
    names = in_memory(model, tmp_path, monkeypatch)
    assert [one["name"] for one in names["about"]["features"]][-2:] == ["swing", "slowly"]
    hold(model, names)


def test_what_cannot_be_written_is_said_in_one_line(
    fleet: Fleet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = fleet.workspace("logistic").root
    with pytest.raises(SettingsError, match=r"model\.txt does not end in \.onnx\. For example: .* --onnx model\.onnx"):
        tsclust.export(root, onnx=tmp_path / "model.txt")
    with pytest.raises(SettingsError, match="2 files are named: expected one"):
        tsclust.export(root, tmp_path / "model.zip", onnx=tmp_path / "model.onnx")
    with pytest.raises(SettingsError, match="no file is named"):
        tsclust.export(root)
    monkeypatch.setitem(__import__("sys").modules, "onnx", None)
    with pytest.raises(SettingsError, match=r"needs onnx\. Install it: pip install 'tsclust\[onnx\]'"):
        tsclust.export(root, onnx=tmp_path / "model.onnx")
    assert not list(tmp_path.iterdir())
