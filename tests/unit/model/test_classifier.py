"""What is learned from labels, as plain arrays: folds, calibration, thresholds, novelty; and a model as a file."""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

import numpy as np
import pytest
from sklearn.ensemble import ExtraTreesClassifier
from sklearn.pipeline import make_pipeline

from tsclust.errors import DamagedError
from tsclust.stages.model import abstention, classifier, label_errors, skops_file
from tsclust.stages.model.classifier import Examples
from tsclust.stages.model.novelty import fit


def blobs(n: int = 400, machines: int = 8, seed: int = 1, apart: float = 4.0) -> Examples:
    """Three kinds around three places, the third rare, spread over machines."""
    rng = np.random.default_rng(seed)
    kind = rng.choice(3, n, p=[0.7, 0.25, 0.05])
    x = rng.normal(size=(n, 4)) + apart * np.eye(3, 4)[kind]
    machine = np.array([f"M{i}" for i in rng.integers(0, machines, n)])
    weight = np.where(kind == 0, 10.0, 1.0)
    return Examples(x, kind, weight, machine, ("normal", "a", "b"))


def test_no_machine_is_on_both_sides_and_every_example_is_asked_once() -> None:
    examples = blobs()
    folds = classifier.folds(examples, 1)
    assert sorted(np.concatenate([asked for _, asked in folds]).tolist()) == list(range(400))
    for known, asked in folds:
        assert not set(examples.machine[known]) & set(examples.machine[asked])
        assert len(known) + len(asked) == 400


@pytest.mark.parametrize("machines", [1, 2, 3])
def test_few_machines_make_fewer_folds(machines: int) -> None:
    folds = classifier.folds(blobs(machines=machines), 1)
    assert len(folds) == (5 if machines == 1 else machines)


def test_a_probability_comes_from_one_who_has_not_seen_the_machine() -> None:
    """A machine whose labels are turned round is judged by the others: its own word counts nothing."""
    examples = blobs(apart=8.0)
    mine = examples.machine == "M3"
    turned = Examples(examples.x, np.where(mine, 1 - np.minimum(examples.kind, 1), examples.kind), examples.weight,
                      examples.machine, examples.kinds)  # fmt: skip
    learned = classifier.learn(turned, 1)
    said = learned.probability.argmax(axis=1)
    assert (said[mine] == examples.kind[mine]).mean() > 0.95


def test_the_best_candidate_is_taken_and_calibration_lessens_its_loss() -> None:
    examples = blobs(apart=1.5)
    learned = classifier.learn(examples, 1)
    assert learned.losses[learned.name] == min(learned.losses.values())
    assert set(learned.losses) == set(classifier.candidates(1))
    assert classifier.loss(learned.probability, examples) <= learned.losses[learned.name] + 1e-9
    np.testing.assert_allclose(learned.probability.sum(axis=1), 1.0)


def test_what_is_crooked_is_learned_by_the_trees() -> None:
    rng = np.random.default_rng(2)
    x = rng.uniform(-1, 1, (600, 2))
    ring = (np.hypot(*x.T) < 0.6).astype(np.int64)
    machine = np.array([f"M{i % 6}" for i in range(600)])
    learned = classifier.learn(Examples(x, ring, np.ones(600), machine, ("out", "in")), 1)
    assert learned.name == "extremely randomized trees"
    assert (learned.probability.argmax(axis=1) == ring).mean() > 0.93


def test_a_temperature_is_found_again() -> None:
    """Probabilities that were made four times as sure as they should be are cooled by four."""
    rng = np.random.default_rng(3)
    true = rng.dirichlet((1.0, 1.0, 1.0), 20_000)
    kind = (true.cumsum(axis=1) < rng.uniform(size=(20_000, 1))).sum(axis=1)
    examples = Examples(true, kind, np.ones(20_000), np.full(20_000, ""), ("a", "b", "c"))
    assert classifier.fit_temperature(classifier.calibrated(true, 1 / 4), examples) == pytest.approx(4.0, rel=0.1)


def test_one_kind_in_a_fold_is_all_it_says() -> None:
    examples = Examples(np.zeros((3, 2)), np.zeros(3, np.int64), np.ones(3), np.full(3, "M"), ("a", "b"))
    estimator = classifier.fit_clone(classifier.candidates(1)["logistic regression, C = 1"], examples)
    np.testing.assert_array_equal(classifier.predict(estimator, np.zeros((2, 2)), 2), [[1, 0], [1, 0]])


def test_the_coverage_curve_agrees_with_counting() -> None:
    examples = blobs(apart=1.5)
    probability = classifier.learn(examples, 1).probability
    curve = abstention.coverage(probability, examples)
    kind, sure = abstention.confidence(probability)
    wrong = kind != examples.kind
    assert wrong.any()
    total, errors = examples.weight.sum(), (examples.weight * wrong).sum()
    for t, answered, left, share in zip(curve.threshold, curve.answered, curve.left, curve.wrong, strict=True):
        mine = sure >= t
        assert answered == pytest.approx(examples.weight[mine].sum() / total)
        assert left == pytest.approx((examples.weight * wrong)[mine].sum() / errors)
        assert share == pytest.approx((examples.weight * wrong)[mine].sum() / max(examples.weight[mine].sum(), 1e-300))
    assert (curve.answered[0], curve.left[0], curve.left[-1]) == (1.0, 1.0, 0.0)


@pytest.mark.parametrize("share", [0.0, 0.5, 0.8, 1.0])
def test_thresholds_do_what_they_are_asked_for(share: float) -> None:
    examples = blobs(apart=1.5)
    probability = classifier.learn(examples, 1).probability
    curve = abstention.coverage(probability, examples)
    kind, sure = abstention.confidence(probability)
    wrong = (kind != examples.kind) * examples.weight
    assert wrong[sure < abstention.threshold_for_errors_avoided(curve, share)].sum() >= share * wrong.sum() - 1e-9
    assert (
        examples.weight[sure >= abstention.threshold_for_coverage(curve, share)].sum()
        >= share * examples.weight.sum() - 1e-9
    )
    refused = (sure < abstention.threshold_for_rejection_rate(sure, share)).mean()
    assert refused >= share - 1 / len(sure)


def test_without_errors_nothing_is_withheld() -> None:
    examples = blobs(apart=60.0)
    curve = abstention.coverage(classifier.learn(examples, 1).probability, examples)
    assert set(curve.left) == {0.0}
    assert abstention.threshold_for_errors_avoided(curve, 0.8) == 0.0


def test_a_kind_that_was_not_learned_is_far_from_all() -> None:
    examples = blobs(2_000)
    known, novelty = fit(examples, classifier.folds(examples, 1), "normal")
    strange = examples.kind > 0
    assert 0.0 < (novelty[strange] > 1).mean() <= 0.02
    rng = np.random.default_rng(5)
    assert (known.novelty(rng.normal(size=(200, 4)) + np.array([0, 0, 0, 12.0])) > 1).all()
    assert (known.novelty(examples.x) <= 1).mean() > 0.99


def test_the_distance_agrees_with_the_obvious_way_where_it_is_looked_for() -> None:
    examples = blobs(300)
    known, _ = fit(examples, classifier.folds(examples, 1), "normal")
    x = np.random.default_rng(6).normal(size=(50, 4)) * 6
    obvious = np.array([np.sqrt(((known.reference - row) ** 2).sum(axis=1)).min() for row in x]) / known.limit
    found = known.novelty(x)
    looked = found > 0
    assert looked.any()
    np.testing.assert_allclose(found[looked], obvious[looked], rtol=1e-4, atol=1e-5)
    assert (obvious[~looked] <= 1 + 1e-6).all()


def test_the_most_suspicious_label_is_the_least_likely() -> None:
    probability = np.array([[0.9, 0.1, 0.0], [0.2, 0.3, 0.5], [0.4, 0.35, 0.25]])
    suggested, margin = label_errors.suspicion(probability, np.array([0, 0, 1]))
    assert suggested.tolist() == [1, 2, 0]
    assert margin.tolist() == pytest.approx([-0.8, 0.3, 0.05])


def forest() -> Any:
    examples = blobs(200)
    return classifier.fit_clone(make_pipeline(ExtraTreesClassifier(3, random_state=1)), examples), examples


def test_a_model_is_the_same_after_it_was_a_file_and_the_same_bytes() -> None:
    estimator, examples = forest()
    content = {"estimator": estimator, "known": {"x": examples.x}}
    packed = skops_file.dumps(content)
    assert packed == skops_file.dumps({"estimator": forest()[0], "known": {"x": blobs(200).x}})
    found = skops_file.loads(packed, 4)
    np.testing.assert_array_equal(
        classifier.predict(found["estimator"], examples.x, 3), classifier.predict(estimator, examples.x, 3)
    )
    np.testing.assert_array_equal(found["known"]["x"], examples.x)


def changed(packed: bytes, change: Any) -> bytes:
    """The file with another schema."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(packed)) as old, zipfile.ZipFile(out, "w") as new:
        for name in old.namelist():
            content = old.read(name)
            new.writestr(name, change(content.decode()).encode() if name == "schema.json" else content)
    return out.getvalue()


def test_a_file_from_elsewhere_runs_nothing(tmp_path: Any) -> None:
    packed = skops_file.dumps({"estimator": forest()[0]})
    hostile = changed(packed, lambda text: text.replace('"__class__": "ExtraTreesClassifier"', '"__class__": "system"')
                      .replace('"__module__": "sklearn.ensemble._forest"', '"__module__": "os"'))  # fmt: skip
    with pytest.raises(DamagedError, match="the model cannot be read: it contains types that do not belong in a model"):
        skops_file.loads(hostile, 4)
    deep = changed(packed, lambda _: "[" * 200_000 + "]" * 200_000)
    nested = changed(
        packed,
        lambda text: (
            text.replace('"content": ', '"content": {"__loader__": "DictNode", "content": ' * 900, 1) + "}" * 900
        ),
    )
    schemas = (
        deep,
        nested,
        changed(packed, lambda _: "{}"),
        changed(packed, lambda _: "[1]"),
        changed(packed, lambda _: "1e999"),
    )
    for odd in (b"", b"PK", packed[:-100], *schemas):
        with pytest.raises(DamagedError, match="the model cannot be read"):
            skops_file.loads(odd, 4)
    with pytest.raises(DamagedError, match="a tree in it is broken"):
        skops_file.loads(packed, 2)


@pytest.mark.parametrize("shape", [(2**40,), (2**28,), (3, 2**60), (-1,)])
def test_an_array_that_claims_to_be_huge_takes_no_memory(shape: tuple[int, ...]) -> None:
    packed, out = skops_file.dumps({"estimator": forest()[0], "x": np.arange(5.0)}), io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(packed)) as old, zipfile.ZipFile(out, "w") as new:
        for name in old.namelist():
            content = old.read(name)
            new.writestr(name, content.replace(b"'shape': (5,), }" + b" " * 39, claim(shape)))
    assert out.getvalue() != packed
    with pytest.raises(DamagedError, match=r"the model cannot be read: ValueError: \d+.npy has \d+ bytes, expected"):
        skops_file.loads(out.getvalue(), 4)


def claim(shape: tuple[int, ...]) -> bytes:
    return f"'shape': {shape}, }}".encode().ljust(55)


def test_a_tree_that_leads_in_a_circle_is_refused() -> None:
    estimator, _ = forest()
    tree = estimator.steps[-1][1].estimators_[1].tree_
    state = tree.__getstate__()
    state["nodes"]["left_child"][0] = 0
    tree.__setstate__(state)
    with pytest.raises(DamagedError, match="a tree in it is broken"):
        skops_file.loads(skops_file.dumps({"estimator": estimator}), 4)


def test_it_holds_no_pickle() -> None:
    packed = skops_file.dumps({"estimator": forest()[0]})
    with zipfile.ZipFile(io.BytesIO(packed)) as file:
        assert {name.rpartition(".")[2] for name in file.namelist()} == {"npy", "json"}
        assert b"object" not in b"".join(file.read(n)[:128] for n in file.namelist() if n.endswith("npy"))
        json.loads(file.read("schema.json"))
