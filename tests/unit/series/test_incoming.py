"""What a stream could not name becomes series only where its id names something."""

from __future__ import annotations

import pyarrow as pa
import pytest

from tsclust.stages.series import incoming


@pytest.mark.parametrize(
    ("type_", "fits"),
    [(pa.string(), [True, True, False, False, False]), (pa.int64(), [False, True, False, False, False])],
)
def test_an_id_that_is_blank_is_left_out_and_counted(type_: pa.DataType, fits: list[bool]) -> None:
    ids = pa.chunked_array([["a", "7"], ["", " \t", "\u00a0"]])
    assert incoming._fitting(ids, type_).tolist() == fits
