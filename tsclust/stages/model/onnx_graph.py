"""A model as an ONNX graph: from features, and what is normal for each row, to kind, probability, novelty and answer.

It does in float64 what `ModelBundle.predict` does. Trees compare in float32, which loses nothing: scaled features are
on a grid that float32 has, and each threshold is brought down to that grid. They give the number of a leaf, whose
shares stand in a table of float64: a threshold of confidence cuts between the same rows as in Python.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tsclust.arrays import Int64s
from tsclust.errors import SettingsError
from tsclust.stages.clusters.scaling import GRID, LIMIT
from tsclust.stages.model import decision
from tsclust.stages.model.bundle import ModelBundle
from tsclust.stages.model.decision import Forest, Linear
from tsclust.stages.model.flat_forest import FlatForest, to_grid
from tsclust.stages.model.novelty import References

Arrays = dict[str, Any]  # name -> what is an array to numpy

_EXCEEDANCE = (
    "size_of = Abs(z) over = Sub(size_of, band) beyond = Max(over, zero) grown = Add(beyond, one)"
    " logged = Log(grown) side = Sign(z) shaped = Mul(side, logged)"
)
_AS_IT_IS = "shaped = Identity(z)"
_LINEAR = (
    "centred = Sub(x, mean) standard = Div(centred, scale) product = MatMul(standard, coefficients)"
    " logits = Add(product, intercept) shares = Softmax<axis = 1>(logits)"
)
TREES = "TreeEnsembleRegressor"
_FOREST = (
    f"compared = Cast<to = 1>(x) leaf_numbers = ai.onnx.ml.{TREES}(compared) leaf = Cast<to = 7>(leaf_numbers)"
    " looked_up = Gather<axis = 0>(leaf_shares, leaf) added = ReduceSum<keepdims = 0>(looked_up, second)"
    " shares = Div(added, trees)"
)
_GRAPH = """
<ir_version: 10, opset_import: ["" : 18, "ai.onnx.ml" : 3], producer_name: "tsclust">
score (double[N, {d}] features, double[N, {d}] center, double[N, {d}] spread)
  => (int64[N] said, int64[N] kind, double[N] probability, double[N] novelty, double[N, {kinds}] probabilities)
{{
  away = Sub(features, center) z = Div(away, spread)
  {shaped}
  weighted = Mul(shaped, weights) low = Max(weighted, least) clipped = Min(low, most)
  fine = Mul(clipped, grid) whole = Round(fine) x = Div(whole, grid)
  {shares}
  warm = Pow(shares, warmth) sums = ReduceSum<keepdims = 1>(warm, second) total = Max(sums, tiny)
  probabilities = Div(warm, total)
  kind = ArgMax<axis = 1, keepdims = 0>(probabilities) sure = ReduceMax<keepdims = 0>(probabilities, second)
  sure_parts = Mul(sure, million) sure_whole = Round(sure_parts) probability = Div(sure_whole, million)
  columns_whole = Cast<to = 11>(reference) columns = Div(columns_whole, grid)
  own_squares = Mul(columns, columns) own = ReduceSum<keepdims = 1>(own_squares, first)
  squares = Mul(x, x) size = ReduceSum<keepdims = 0>(squares, second)
  products = MatMul(x, columns) doubled = Mul(products, minus_two) apart = Add(doubled, own)
  nearest = ReduceMin<keepdims = 0>(apart, second) signed = Add(nearest, size) square = Max(signed, zero)
  short = Cast<to = 1>(square) root = Sqrt(short) distance = Cast<to = 11>(root) limits = Div(distance, limit)
  reach_own = Sqrt(size) reach = Add(reach_own, innermost) far = Greater(reach, limit) found = Where(far, limits, zero)
  found_parts = Mul(found, million) found_whole = Round(found_parts) novelty = Div(found_whole, million)
  strange = Greater(novelty, one) unsure = Less(probability, threshold)
  answer = Where(unsure, dont_know, kind) said = Where(strange, none_of_these, answer)
}}
"""


def build(model: ModelBundle) -> bytes:
    """The graph, serialized; `onnx_facts` says what goes in and what comes out.

    Raises SettingsError where the package onnx is not installed.
    """
    try:
        import onnx
        from onnx import numpy_helper, parser
    except ImportError as error:
        raise SettingsError(
            f"tsclust export --onnx needs {error.name}", "Install it: pip install 'tsclust[onnx]'"
        ) from None
    decide = decision.of_pipeline(model.estimator)
    forest = FlatForest.of(decide, _classes(model), len(model.kinds)) if isinstance(decide, Forest) else None
    made = parser.parse_model(_text(model, forest))
    arrays = _of_scaler(model) | _of_answer(model) | (_linear(model, decide) if isinstance(decide, Linear) else {})
    if forest is not None:
        arrays |= {"leaf_shares": forest.shares, "trees": float(len(forest.roots))}
        next(node for node in made.graph.node if node.op_type == TREES).attribute.extend(
            onnx.helper.make_attribute(name, value) for name, value in _attributes(forest).items()
        )
    made.graph.initializer.extend(numpy_helper.from_array(np.asarray(v), name) for name, v in arrays.items())
    made.doc_string = f"tsclust, model {model.facts.id}"
    onnx.checker.check_model(made, full_check=True)
    return bytes(made.SerializeToString(deterministic=True))


def _text(model: ModelBundle, forest: FlatForest | None) -> str:
    shaped = _EXCEEDANCE if model.scaler.method == "exceedance" else _AS_IT_IS
    shares = _LINEAR if forest is None else _FOREST
    return _GRAPH.format(d=len(model.facts.features), kinds=len(model.kinds), shaped=shaped, shares=shares)


def _classes(model: ModelBundle) -> Int64s:
    """(c,) which of the kinds each class of the classifier is."""
    return np.asarray(model.estimator.classes_, np.int64)


def _of_scaler(model: ModelBundle) -> Arrays:
    scaler = model.scaler
    steps = {"grid": float(GRID), "least": -LIMIT, "most": LIMIT, "zero": 0.0, "one": 1.0, "weights": scaler.weights}
    return steps | ({"band": scaler.band} if scaler.method == "exceedance" else {})


def _of_answer(model: ModelBundle) -> Arrays:
    """Calibration, novelty, and what is answered: one of the kinds, or one of the two numbers behind them."""
    detector, kinds = model.novelty, len(model.kinds)
    return {
        "warmth": 1.0 / model.facts.temperature, "tiny": 1e-300, "million": 1e6, "minus_two": -2.0,
        "first": np.array([0]), "second": np.array([1]), "reference": to_grid(detector.reference.T),
        "limit": detector.limit, "innermost": References(detector.reference).innermost,
        "threshold": model.facts.threshold, "dont_know": np.int64(kinds), "none_of_these": np.int64(kinds + 1),
    }  # fmt: skip


def _linear(model: ModelBundle, linear: Linear) -> Arrays:
    """Of two classes the first has a logit of 0; a kind that was not seen has a probability of 0."""
    weights, intercept = linear.weights, linear.intercept
    if len(intercept) == 1:
        weights, intercept = np.hstack([0 * weights, weights]), np.append(0.0, intercept)
    coefficients, base = np.zeros((len(weights), len(model.kinds))), np.full(len(model.kinds), -np.inf)
    coefficients[:, _classes(model)], base[_classes(model)] = weights, intercept
    return {"mean": linear.mean, "scale": linear.scale, "coefficients": coefficients, "intercept": base}


def _attributes(forest: FlatForest) -> dict[str, Any]:
    """Of an ensemble that gives one number for each tree: the row of shares of the leaf."""
    nodes, trees = len(forest.feature), len(forest.roots)
    tree = np.searchsorted(forest.roots, np.arange(nodes), "right") - 1
    number, inner = np.arange(nodes) - forest.roots[tree], forest.feature >= 0
    leaves = np.flatnonzero(~inner)
    return {
        "n_targets": trees, "aggregate_function": "SUM",
        "nodes_treeids": tree.tolist(), "nodes_nodeids": number.tolist(),
        "nodes_featureids": np.maximum(forest.feature, 0).tolist(), "nodes_values": (forest.limit / GRID).tolist(),
        "nodes_modes": np.where(inner, "BRANCH_LEQ", "LEAF").tolist(),
        "nodes_truenodeids": np.where(inner, forest.left - forest.roots[tree], 0).tolist(),
        "nodes_falsenodeids": np.where(inner, forest.right - forest.roots[tree], 0).tolist(),
        "target_treeids": tree[leaves].tolist(), "target_nodeids": number[leaves].tolist(),
        "target_ids": tree[leaves].tolist(), "target_weights": forest.leaf[leaves].astype(float).tolist(),
    }  # fmt: skip
