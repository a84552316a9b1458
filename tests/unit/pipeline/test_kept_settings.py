"""A stage keeps the settings it was made with: a flag outlives its command, until it is set anew."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tsclust import config
from tsclust.config import flags as flags_of
from tsclust.config import save
from tsclust.workspace.manifest import MadeWith


@pytest.fixture
def toml(tmp_path: Path) -> Path:
    path = tmp_path / "tsclust.toml"
    path.write_text(
        '[source]\ntable = "machine.cycles"\n\n[cluster]\nk = "2..40"\nseed = 1  # the first\n', encoding="utf-8"
    )
    return path


def made(path: Path, flags: dict[str, Any], before: MadeWith | None = None) -> MadeWith:
    return config.load(path, flags, before).differences()


def rewrite(path: Path, old: str, new: str) -> None:
    path.write_text(path.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")


def test_a_flag_lasts_until_tsclust_toml_is_changed_there(toml: Path) -> None:
    before = made(toml, {"cluster": {"seed": 9}})
    assert config.load(toml, None, before).cluster.seed == 9
    rewrite(toml, '"2..40"', '"2..9"')  # elsewhere in the file
    now = config.load(toml, None, before)
    assert (now.cluster.seed, now.cluster.k) == (9, "2..9")
    assert flags_of.notes(now.differences()) == ("made with --seed 9; tsclust.toml says 1: --save keeps it",)
    rewrite(toml, "seed = 1", "seed = 5")
    now = config.load(toml, None, before)
    assert now.cluster.seed == 5
    assert flags_of.forgotten(now.forgotten("cluster"))[0].startswith("no longer counts: --seed 9 (")


def test_flag_before_environment_before_what_it_was_made_with(toml: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = made(toml, {"cluster": {"seed": 9}})
    monkeypatch.setenv("TSCLUST_CLUSTER__SEED", "6")
    assert config.load(toml, None, before).cluster.seed == 6
    assert config.load(toml, {"cluster": {"seed": 7}}, before).cluster.seed == 7
    monkeypatch.delenv("TSCLUST_CLUSTER__SEED")
    assert config.load(toml, {"cluster": {"seed": 1}}, before).differences() == {}


def test_what_a_variable_set_lasts_too(toml: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TSCLUST_CLUSTER__RESTARTS", "6")
    before = made(toml, {})
    monkeypatch.delenv("TSCLUST_CLUSTER__RESTARTS")
    assert config.load(toml, None, before).cluster.restarts == 6
    assert "[cluster] restarts = 6" in flags_of.notes(before)[0]


def test_a_line_that_is_removed_from_tsclust_toml_is_a_change(toml: Path) -> None:
    before = made(toml, {"cluster": {"seed": 9}})
    rewrite(toml, "seed = 1  # the first\n", "")
    assert config.load(toml, None, before).cluster.seed == 1


def test_a_place_of_series_lasts_with_its_layout_and_goes_with_it(toml: Path) -> None:
    before = made(toml, {"source": {"files": "a.csv", "id": "cycle", "limit": 50}})
    kept = config.load(toml, None, before).source
    assert (kept.files, kept.table, kept.id, kept.limit) == ("a.csv", "", "cycle", 50)
    assert flags_of.notes(before) == (
        "made with --from a.csv, --id cycle; tsclust.toml says machine.cycles, nothing: --save keeps them",
        "made with --limit 50, for a first look: --limit 0 --sample 100% reads all",
    )
    again = config.load(toml, {"source": {"files": "a.csv"}}, before).source
    assert again.id == "cycle"
    other = config.load(toml, {"source": {"files": "b.csv"}}, before)
    assert (other.source.files, other.source.id, other.source.limit) == ("b.csv", "", 0)
    assert "--id cycle" in flags_of.forgotten(other.forgotten("source"))[0]
    rewrite(toml, "machine.cycles", "machine.others")
    assert config.load(toml, None, before).source.table == "machine.others"


def test_save_writes_it_down_and_keeps_comments(toml: Path) -> None:
    before = made(toml, {"cluster": {"seed": 9, "baseline": ["machine"]}, "source": {"limit": 5}})
    save.save(toml, "clusters/", before, {"id": "cycle"})
    text = toml.read_text(encoding="utf-8")
    assert "seed = 9 # the first" in text or "seed = 9  # the first" in text
    assert 'id = "cycle"' in text
    assert "limit" not in text  # of a first look
    assert config.load(toml).cluster.baseline == ("machine",)


def test_how_fast_it_was_read_is_not_kept(toml: Path) -> None:
    assert made(toml, {"source": {"workers": 7, "retries": 1}}) == {}
