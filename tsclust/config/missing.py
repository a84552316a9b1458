"""The texts that mean a missing value, where no setting says otherwise."""

from __future__ import annotations

# In a column of numbers or times, whatever program wrote it; an empty cell always does.
MISSING = ("NULL", "null", "Null", "NA", "N/A", "n/a", "na", "#N/A", "#N/A N/A", "#NA", "#NV", "<NA>", "None", "none",
           "NaT", "\\N", "1.#IND", "-1.#IND", "1.#QNAN", "-1.#QNAN")  # fmt: skip
