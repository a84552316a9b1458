"""Names for the types of arrays."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Keys = npt.NDArray[np.str_]


Bools = npt.NDArray[np.bool_]


Floats = npt.NDArray[np.float64]


Values = npt.NDArray[np.floating]  # as recorded: float64 or float32


Grid = npt.NDArray[np.int16]  # scaled features, times GRID of clusters/scaling.py


Int64s = npt.NDArray[np.int64]


UInt64s = npt.NDArray[np.uint64]
