"""The user's feature file is read once; another process describes series by the same text."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cloudpickle
import numpy as np
import pytest

from tests.support.series import CYCLE, block
from tsclust import config
from tsclust.config import Settings
from tsclust.errors import SettingsError
from tsclust.stages.features import catalogue
from tsclust.stages.features.catalogue import CATALOGUE
from tsclust.stages.features.spec import FeatureSpec

TEXT = '''
FACTOR = 2

def double(x):
    """Twice the highest value.

    Unit: value
    """
    return FACTOR * x.max()

def slow(x):
    """What numba cannot compile."""
    return float(str(len(x)))
'''


MEASURED = tuple(f"{f.name}: {f.formula}" for f in CATALOGUE)


def settings(**features: object) -> Settings:
    return Settings.model_validate({"features": features})


def test_the_hash_is_of_the_settings_and_the_text(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(TEXT, encoding="utf-8")
    mine, none = settings(extra="mine.py"), settings()
    assert FeatureSpec.read(tmp_path, mine).digest == config.digest(mine.features, TEXT, "regimes", *MEASURED)
    assert FeatureSpec.read(tmp_path, none).digest == config.digest(none.features, "", "regimes", *MEASURED)


def test_the_hash_is_of_what_each_feature_measures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = FeatureSpec.read(tmp_path, settings()).digest
    other = replace(CATALOGUE[-1], formula="another one")
    monkeypatch.setattr(catalogue, "CATALOGUE", (*CATALOGUE[:-1], other))
    assert FeatureSpec.read(tmp_path, settings()).digest != before
    assert catalogue.measured_otherwise(CATALOGUE) == [other.name]


def test_the_hash_is_of_what_rules_tell_kinds_of_series_apart_by(tmp_path: Path) -> None:
    clusters = [{}, {"regimes": False}, {"baseline": ["machine_id"]}, {"baseline": ["machine_id", "direction"]}]
    found = [FeatureSpec.read(tmp_path, Settings.model_validate({"cluster": of})).digest for of in clusters]
    assert len(set(found)) == len(found)
    many = Settings.model_validate({"cluster": {"k": "2..9", "seed": 7}})
    assert FeatureSpec.read(tmp_path, many).digest == found[0]


def test_a_file_that_is_not_there_has_a_hash_but_no_features(tmp_path: Path) -> None:
    spec = FeatureSpec.read(tmp_path, settings(extra="mine.py"))
    assert spec.digest == config.digest(spec.settings, "", "regimes", *MEASURED)
    with pytest.raises(SettingsError, match=r"mine\.py: there is no such Python file"):
        spec.compile()


def test_a_file_that_is_no_text(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_bytes(b"\xff\xfe")
    with pytest.raises(SettingsError, match="is not UTF-8 text"):
        FeatureSpec.read(tmp_path, settings(extra="mine.py"))


@pytest.mark.slow
def test_the_text_is_what_was_read_and_outlives_the_file(tmp_path: Path) -> None:
    path = tmp_path / "mine.py"
    path.write_text(TEXT, encoding="utf-8")
    spec = FeatureSpec.read(tmp_path, settings(extra="mine.py"))
    path.unlink()
    describer = cloudpickle.loads(cloudpickle.dumps(spec.compile()))
    assert describer.names[-2:] == ("double", "slow")
    frame = describer(block(CYCLE), 1)
    np.testing.assert_allclose(frame.select("double", "slow").row(0), (2 * CYCLE.max(), len(CYCLE)))
