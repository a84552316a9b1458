"""Scores of the series that could be scored -> an answer for all series of the request, in its order."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tsclust.pipeline.unusual import UNUSUAL
from tsclust.series import ID
from tsclust.serve.models import Loaded
from tsclust.serve.score_input import Asked
from tsclust.stages.features.parts import REJECTED_BY
from tsclust.stages.labels.kinds import DONT_KNOW, IMPOSSIBLE, NONE_OF_THESE
from tsclust.stages.scores import parts
from tsclust.wording.language import Language

ERROR = "error"
OURS = "tsclust met an error of its own with this series. See the log of the service"
OWN = (DONT_KNOW, NONE_OF_THESE, IMPOSSIBLE)


def table_of(asked: Asked, scores: pa.Table) -> pa.Table:
    """The columns of scores/ and `error`, a row for each series of the request."""
    if asked.errors:
        place = np.full(len(asked), -1)
        place[asked.rows] = np.arange(len(asked.rows))
        scores = scores.take(pa.array(place, mask=place < 0))
    scores = scores.set_column(0, ID, asked.ids)
    unscored = np.flatnonzero(pc.is_null(scores[parts.SAID]).to_numpy(zero_copy_only=False))
    errors = dict.fromkeys(unscored.tolist(), OURS) | dict(asked.errors)
    texts = [errors.get(row) for row in range(len(asked))] if errors else pa.nulls(len(asked), pa.string())
    return scores.append_column(ERROR, pa.array(texts, pa.string()))


def json_of(name: str, loaded: Loaded, asked: Asked, table: pa.Table, language: Language) -> bytes:
    """The same as an object. language: of the reasons why series are impossible."""
    reasons = reasons_of(loaded, language)
    rows = [_row(row, reasons) for row in table.drop_columns(["model"]).to_pylist()]
    for row, given in zip(rows, asked.given or (), strict=bool(asked.given)):
        row[ID] = given
    found = {"model": name, "version": loaded.version, "scores": rows}
    return json.dumps(found, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()


def reasons_of(loaded: Loaded, language: Language) -> Mapping[str, str]:
    """Rule -> its reason."""
    return {rule.name: language.reason(rule.reason) for rule in loaded.model.facts.feature_contract.rules}


def counts(loaded: Loaded, table: pa.Table) -> Counter[str]:
    """Verdict -> series: what a model calls them has no bound, over all models."""
    found: Counter[str] = Counter()
    for one in pc.value_counts(table[parts.SAID]).to_pylist():
        said = one["values"]
        found["error" if said is None else said if said in OWN else loaded.model.facts.verdicts[said]] += one["counts"]
    return found


def _row(row: dict[str, Any], reasons: Mapping[str, str]) -> dict[str, Any]:
    said, rule = row[parts.SAID], row[REJECTED_BY]
    return {
        **{name: row[name] for name in parts.COLUMNS if name in row},
        "reason": None if rule is None else reasons.get(rule),
        UNUSUAL: row.get(UNUSUAL) if said is not None else None,
        ERROR: row[ERROR],
    }
