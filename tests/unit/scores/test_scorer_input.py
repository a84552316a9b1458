"""What a Scorer is given: tables of other types than in training, and bundles that are damaged, newer or no models."""

from __future__ import annotations

import copy
import hashlib
import pickle
import shutil
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from tests.support.bundles import Trained
from tsclust import Scorer
from tsclust.errors import DamagedError, SettingsError, StageMissingError, TsclustError
from tsclust.stages.features.facts import FEATURES
from tsclust.stages.model import carried_types
from tsclust.stages.model.facts import MODEL
from tsclust.workspace.folder import Workspace

UPPER = {"name": "upper", "when": "UPPER(direction) LIKE 'REV%'", "reason": "r"}
KINDS: dict[str, tuple[object, pa.DataType]] = {
    "struct": ({"a": "open"}, pa.struct({"a": pa.string()})),
    "list": (["open"], pa.list_(pa.string())),
    "map": ([("a", "b")], pa.map_(pa.string(), pa.string())),
    "double": (1.0, pa.float64()),
    "bool": (True, pa.bool_()),
    "decimal256": (Decimal(1), pa.decimal256(40, 2)),
}


def with_direction(table: pa.Table, column: pa.Array | pa.ChunkedArray) -> pa.Table:
    return table.set_column(table.column_names.index("direction"), "direction", column)


def refusal(of: type[TsclustError], match: str, bundle: Path, **allowed: bool) -> str:
    with pytest.raises(of, match=match) as error:
        Scorer.open(bundle, **allowed)
    assert "\n" not in str(error.value)
    return error.value.next_step


@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize("kind", KINDS)
def test_a_carried_column_of_another_type_is_refused(trained: Trained, tmp_path: Path, kind: str, known: bool) -> None:
    """By a model of before types were kept, too, where it is no text, number or truth at all."""
    about = trained.scorer("logistic").model.facts.feature_contract
    assert about.carried is not None
    assert about.carried["direction"] == "string"
    scorer = trained.scorer("logistic")
    if not known:
        scorer = Scorer.open(trained.changed(tmp_path / "old", lambda about: about["facts"]["same"].pop("carried")))
    value, of = KINDS[kind]
    table = with_direction(trained.new, pa.array([value] * len(trained.new), of))
    if not known and kind in ("double", "bool"):
        assert scorer.score(table).num_rows == len(table)
        return
    with pytest.raises(SettingsError, match=f"column direction is of type {kind}") as error:
        scorer.score(table)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(("given", "trained_on", "expected"), [
    (pa.array([1.0, None, float("nan")]), "int64", [1, None, None]),
    (pa.array([1, None], pa.int8()), "double", [1.0, None]),
    (pa.array([7, None]), "string", ["7", None]),
    (pa.array(["7", None]), "int64", [7, None]),
    (pa.array([None, float("nan")]), "string", [None, None]),
    (pa.nulls(2), "timestamp[us, tz=UTC]", [None, None]),
    (pa.array(["a"], pa.large_string()), "string", ["a"]),
    (pa.array(["a", None]).dictionary_encode(), "string", ["a", None]),
    (pa.array([Decimal("1.50")]), "decimal128(10, 3)", [Decimal("1.500")]),
])  # fmt: skip
def test_what_a_cast_keeps_whole_is_cast(given: pa.Array, trained_on: str, expected: list[object]) -> None:
    found = carried_types.as_trained(pa.table({"m": given}), ["m"], {"m": trained_on})
    assert found["m"].to_list() == expected
    assert carried_types.names_of(found.to_arrow().schema, ["m"])["m"].removeprefix("large_") == trained_on


@pytest.mark.parametrize(("given", "trained_on"), [
    (pa.array([1.5]), "int64"), (pa.array([0.1]), "float"), (pa.array(["07"]), "int64"), (pa.array(["x"]), "int64"),
    (pa.array([0], pa.timestamp("us")), "timestamp[us, tz=UTC]"), (pa.array([2**60]), "double"),
])  # fmt: skip
def test_what_a_cast_would_change_is_refused(given: pa.Array, trained_on: str) -> None:
    with pytest.raises(SettingsError, match=r"^column m is of type .* the model was trained on .*\. Cast it to "):
        carried_types.as_trained(pa.table({"m": given}), ["m"], {"m": trained_on})


def test_a_rule_reads_text_of_any_encoding(trained: Trained, tmp_path: Path) -> None:
    rules = trained.changed(tmp_path / "rules", lambda about: about["facts"]["same"]["rules"].insert(0, UPPER))
    scorer, new = Scorer.open(rules), trained.new
    whole = scorer.score(new)
    assert "upper" in whole["rejected_by"].to_pylist()
    assert scorer.score(with_direction(new, new["direction"].combine_chunks().dictionary_encode())).equals(whole)
    assert "upper" not in scorer.score(with_direction(new, pa.nulls(len(new))))["rejected_by"].to_pylist()


def test_a_column_twice_or_none_at_all(trained: Trained) -> None:
    scorer, new = trained.scorer("logistic"), trained.new
    for name in ("series_id", "values", "direction"):
        with pytest.raises(SettingsError, match=f"the series have 2 columns '{name}': expected one"):
            scorer.score(new.append_column(name, new[name]))
    with pytest.raises(SettingsError, match=r"\(they have no columns\)"):
        scorer.score(pa.table({}))


def test_what_is_no_file_or_no_text(trained: Trained, tmp_path: Path) -> None:
    for name in ("manifest.json", "model.skops"):
        bundle = trained.changed(tmp_path / name, lambda _: None)
        (bundle / name).unlink()
        (bundle / name).mkdir()
        assert "Copy the folder" in refusal(DamagedError, rf"{name} is no regular file", bundle)
    text = b"\xff\xfe"
    digest = {"features.py": hashlib.sha256(text).hexdigest()}
    bundle = trained.changed(tmp_path / "text", lambda about: about["outputs"].update(digest), "features")
    (bundle / "features.py").write_bytes(text)
    refusal(DamagedError, r"features\.py is not UTF-8", bundle, allow_features=True)


@pytest.mark.parametrize("facts", [{"temperature": 0}, {"temperature": -1.0}, {"kinds": []}, {"features": []}])
def test_facts_that_cannot_be_are_damage(trained: Trained, tmp_path: Path, facts: dict[str, Any]) -> None:
    bundle = trained.changed(tmp_path / "bundle", lambda about: about["facts"].update(facts))
    assert "Copy the folder" in refusal(DamagedError, r"manifest\.json cannot be read", bundle)


def test_no_rule_of_the_users_rejects_nothing_but_what_has_no_features(trained: Trained, tmp_path: Path) -> None:
    """What `rule = []` gives; the rule that always holds cannot be missing."""

    def keep(rules: list[Any], count: int) -> None:
        rules[:] = rules[len(rules) - count :]

    one = trained.changed(tmp_path / "one", lambda about: keep(about["facts"]["same"]["rules"], 1))
    assert set(Scorer.open(one).score(trained.new)["rejected_by"].to_pylist()) == {None, "not_described"}
    none = trained.changed(tmp_path / "none", lambda about: keep(about["facts"]["same"]["rules"], 0))
    refusal(DamagedError, r"manifest\.json cannot be read", none)


def test_a_newer_model_of_another_shape_is_newer(trained: Trained, tmp_path: Path) -> None:
    bundle = trained.changed(tmp_path / "ws" / "model", lambda about: about.update(facts={"version": 99}))
    assert refusal(StageMissingError, "made by a newer tsclust", bundle) == "Update tsclust"
    with pytest.raises(StageMissingError, match="made by a newer tsclust"):
        Workspace(bundle.parent).find_manifest(MODEL)


def test_next_steps_are_for_whoever_has_only_the_bundle(trained: Trained, tmp_path: Path) -> None:
    missing = trained.changed(tmp_path / "missing", lambda _: None)
    (missing / "model.skops").unlink()
    assert "Copy the folder" in refusal(DamagedError, r"model\.skops is missing", missing)
    features = shutil.copytree(trained.workspace.stage(FEATURES), tmp_path / "features")
    assert "Name the folder model/" in refusal(StageMissingError, "is not a model, but features/", Path(features))
    unknown = trained.changed(tmp_path / "unknown", lambda about: about["versions"].pop("scikit-learn"))
    refusal(DamagedError, "does not say which scikit-learn", unknown)
    text = b"import nowhere_to_be_found\n"
    digest = {"features.py": hashlib.sha256(text).hexdigest()}
    bundle = trained.changed(tmp_path / "own", lambda about: about["outputs"].update(digest), "features")
    (bundle / "features.py").write_bytes(text)
    step = refusal(SettingsError, r"^features\.py of the model: .*nowhere_to_be_found", bundle, allow_features=True)
    assert "where the model was trained" in step


def test_features_and_catalogue_agree(trained: Trained, tmp_path: Path) -> None:
    bundle = trained.changed(tmp_path / "bundle", lambda about: about["facts"]["features"].reverse())
    refusal(DamagedError, "names other features than its catalogue compares by", bundle)


def test_a_model_is_pickled_the_same_after_it_was_asked(trained: Trained) -> None:
    model = copy.copy(trained.scorer("trees").model)
    before = pickle.dumps(model)
    Scorer(model).score(trained.new.slice(0, 50))
    assert "_decision" in vars(model)
    assert pickle.dumps(model) == before
