"""Rules judge a series by its own kind, from a workspace on: what is kept, named, and out of date."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import tsclust
from tests.support.series import CYCLE
from tsclust.errors import SettingsError, StageMissingError
from tsclust.stages.features import survey

MACHINES, EACH = 10, 40


def units(root: Path, baseline: tuple[str, ...] = (), part_rows: int = 65_536, order: int = 1) -> Path:
    """Two of ten machines record in kW, not W; some recordings of each ran nothing or hold their level."""
    rng = np.random.default_rng(7)
    rows = []
    for i in range(MACHINES * EACH):
        values = CYCLE * rng.normal(1, 0.03) + 0.004 * rng.standard_normal(len(CYCLE))
        values = 0.001 * values if i % 20 == 0 else values[:-9] if i % MACHINES == 4 else values
        rows.append(values * (0.001 if i % MACHINES >= 8 else 1.0))
    frame = pl.DataFrame({"series_id": range(len(rows)), "machine": [f"M{i % MACHINES}" for i in range(len(rows))]})
    frame = frame.with_columns(values=pl.Series([row.tolist() for row in rows]))[::order]
    root.mkdir(parents=True)
    frame.write_parquet(root / "in.parquet")
    tsclust.init(root / "ws", baseline=baseline)
    tsclust.extract(root / "ws", {"source": {"files": str(root / "in.parquet"), "part_rows": part_rows}})
    return root / "ws"


def set_baseline(ws: Path, line: str) -> None:
    """As a person would, in tsclust.toml."""
    toml = (ws / "tsclust.toml").read_text(encoding="utf-8")
    (ws / "tsclust.toml").write_text(re.sub(r"\n(# )?baseline = .*", f"\n{line}", toml), encoding="utf-8")


def rejected(ws: Path) -> dict[int, str | None]:
    frame = pl.read_parquet(ws / "features/*.parquet")
    return dict(frame.select("series_id", "rejected_by").iter_rows())


def test_a_machine_in_another_unit_is_kept_and_its_dead_recordings_are_not(tmp_path: Path) -> None:
    ws = units(tmp_path / "a", ("machine",))
    result = tsclust.features(ws)
    assert {i: rule for i, rule in rejected(ws).items() if rule} == dict.fromkeys(range(0, 400, 20), "no_run")
    assert result.facts is not None
    lost = [(g["rule"], g["value"], g["rejected"], g["series"]) for g in result.facts["lost_groups"]]
    assert lost == [("no_run", "M0", 20, 40)]
    assert any("no_run rejects 20 of 40 series with machine M0" in note for note in result.notes)
    assert any("tsclust filter" in note and "--show no_run" in note for note in result.notes)
    assert json.loads(json.dumps(result.as_json(), default=str))["facts"]["lost_groups"][0]["column"] == "machine"


@pytest.mark.slow
def test_what_is_typical_is_the_same_for_any_parts_and_any_order(tmp_path: Path) -> None:
    found = []
    for name, part_rows, order in (("a", 65_536, 1), ("b", 70, 1), ("c", 130, -1)):
        ws = units(tmp_path / name, ("machine",), part_rows, order)
        tsclust.features(ws)
        found.append(((ws / "features/typical.arrow").read_bytes(), rejected(ws)))
    assert found[0] == found[1] == found[2]


@pytest.fixture
def few_are_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    """To choose a baseline by; a set of thousands takes longer."""
    monkeypatch.setattr(survey, "TO_CHOOSE", MACHINES * EACH)


def test_of_few_series_no_baseline_is_chosen(tmp_path: Path) -> None:
    ws = units(tmp_path / "a")
    set_baseline(ws, "# baseline = []")
    done = tsclust.features(ws)
    assert done.facts is not None
    assert not done.facts["chosen"]


@pytest.mark.usefixtures("few_are_enough")
def test_where_nobody_has_chosen_the_column_that_explains_is_the_baseline(tmp_path: Path) -> None:
    """It is named, stays from day to day, is what later stages go by, and [] switches it off."""
    ws = units(tmp_path / "a")
    set_baseline(ws, "# baseline = []")
    done = tsclust.features(ws)
    (note,) = [note for note in done.notes if "used as baseline" in note]
    assert re.fullmatch(r"machine explains \d+% of \w+: used as baseline; .* switches it off", note)
    assert done.facts is not None
    assert [one["column"] for one in done.facts["chosen"]] == ["machine"]
    assert {i for i, rule in rejected(ws).items() if rule} == set(range(0, 400, 20))
    assert tsclust.features(ws).skipped
    assert any(note.startswith("baseline machine: ") for note in tsclust.cluster(ws, {"cluster": {"k": "2..3"}}).notes)
    assert tsclust.cluster(ws, {"cluster": {"k": "2..3"}}).skipped
    set_baseline(ws, "baseline = []")
    assert not tsclust.features(ws).skipped
    assert not any(note.startswith("baseline") for note in tsclust.cluster(ws, {"cluster": {"k": "2..3"}}).notes)


@pytest.mark.usefixtures("few_are_enough")
def test_a_chosen_column_that_is_no_longer_there_is_chosen_anew(tmp_path: Path) -> None:
    ws = units(tmp_path / "a")
    set_baseline(ws, "# baseline = []")
    tsclust.features(ws)
    series = pl.read_parquet(tmp_path / "a/in.parquet").rename({"machine": "press"})
    series.write_parquet(tmp_path / "a/in.parquet")
    tsclust.extract(ws, {"source": {"files": str(tmp_path / "a/in.parquet")}})
    done = tsclust.features(ws)
    assert done.facts is not None
    assert [one["column"] for one in done.facts["chosen"]] == ["press"]


def test_another_baseline_makes_features_out_of_date(tmp_path: Path) -> None:
    ws = units(tmp_path / "a")
    set_baseline(ws, "baseline = []")
    tsclust.features(ws)
    state = tsclust.status(ws).facts
    set_baseline(ws, 'baseline = ["machine"]')
    assert state is not None
    told = "features/ is out of date: its rules were judged with baseline none, now it is machine"
    assert any(row[:2] == ("features", "out of date: other settings") for row in tsclust.status(ws).table)
    assert any(told in note for note in tsclust.filter(ws).notes)
    assert any(told in note for note in tsclust.cluster(ws, {"cluster": {"k": "2..3"}}).notes)
    assert any(told in note for note in tsclust.cluster(ws, {"cluster": {"k": "2..3"}}).notes)  # up to date
    assert not tsclust.features(ws).skipped
    assert not any("out of date" in note for note in tsclust.filter(ws).notes)
    assert rejected(ws)[0] == "no_run"


def test_a_baseline_that_is_not_carried_is_refused(tmp_path: Path) -> None:
    ws = units(tmp_path / "a")
    with pytest.raises(SettingsError, match=r"no carried column 'machin' \(there are: machine\)"):
        tsclust.features(ws, {"cluster": {"baseline": ["machin"]}})


def test_features_of_an_older_version_are_not_judged_by_rules_of_now(tmp_path: Path) -> None:
    ws = units(tmp_path / "a")
    tsclust.features(ws)
    path = ws / "features/manifest.json"
    about = json.loads(path.read_text())
    for name in ("kinds", "groups", "lost_groups"):
        del about["facts"][name]
    about["settings"], about["facts"]["rules"] = "older", about["facts"]["rules"][:2]
    path.write_text(json.dumps(about))
    with pytest.raises(StageMissingError, match=r"was made by an older tsclust.*Run: tsclust features"):
        tsclust.filter(ws)
    assert any("an older tsclust made it" in n for n in tsclust.cluster(ws, {"cluster": {"k": "2..3"}}).notes)
    assert not tsclust.features(ws).skipped


def test_rules_are_applied_again_as_they_were_the_first_time(tmp_path: Path) -> None:
    """`filter` reads no values, and judges by the same kinds."""
    ws = units(tmp_path / "a", ("machine",), part_rows=70)
    tsclust.features(ws)
    before, toml = rejected(ws), (ws / "tsclust.toml").read_text(encoding="utf-8")
    rule = '\n[[rule]]\nname = "{}"\nwhen = "50 * (max - min) < typical_max - typical_min"\nreason = "-"\n'
    (ws / "tsclust.toml").write_text(toml + rule.format("still"), encoding="utf-8")
    dry = tsclust.filter(ws, dry_run=True)
    assert dry.facts is not None
    assert dry.facts["rejected"]["still"] == 20
    assert [group["rule"] for group in dry.facts["lost_groups"]] == ["still"]
    tsclust.filter(ws)
    assert {i for i, by in rejected(ws).items() if by} == {i for i, by in before.items() if by}


def test_new_parts_are_judged_by_the_kinds_that_are_known(tmp_path: Path) -> None:
    ws = units(tmp_path / "a", ("machine",), part_rows=100)
    tsclust.features(ws)
    before = rejected(ws), (ws / "features/typical.arrow").read_bytes()
    path = ws / "features/manifest.json"
    about = json.loads(path.read_text())
    about["facts"]["by_part"]["part-00001.parquet"]["series"] = "another"
    about["inputs"] = {"series": "another"}
    path.write_text(json.dumps(about))
    result = tsclust.features(ws)
    assert "3 of 4 parts were complete already" in result.notes
    assert (rejected(ws), (ws / "features/typical.arrow").read_bytes()) == before
    assert result.facts is not None
    assert [g["value"] for g in result.facts["lost_groups"]] == ["M0"]
