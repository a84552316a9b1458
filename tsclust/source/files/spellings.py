"""Ids of a dump that its server takes for equal and that are written differently: there they would be one series."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from tsclust.errors import BadSeriesError

CITEXT = "citext"


class Spellings:
    """Takes note of all ids, where their type or collation may take two for one."""

    def __init__(self, label: str, name: str, by: str) -> None:
        """label, name: what messages call the rows, and the column.  by: CITEXT, a collation, "" for neither."""
        self._label, self._name, self._by = label, name, by
        self._ids: list[pa.Array] = []

    def add(self, ids: pa.Array) -> None:
        """Take the ids of a batch."""
        if self._by:
            self._ids.append(ids.unique())

    def check(self) -> None:
        """Raises BadSeriesError where two ids may be equal to the server."""
        if not self._ids:
            return
        ids = pa.concat_arrays(self._ids).unique().cast(pa.string())
        groups = pa.table({"id": ids, "folded": self._folded(ids)}).group_by("folded")
        found = groups.aggregate([("id", "min"), ("id", "max"), ("id", "count")])
        twice = found.filter(pc.greater(found["id_count"], 1)).slice(0, 1).to_pylist()
        if twice:
            one, other, text = twice[0]["id_min"], twice[0]["id_max"], f"{self._name}::text"
            raise BadSeriesError(
                f"{self._label}: ids {one} and {other} are equal to a server ({self._by}): expected each written in one"
                " way",
                f"Export them on the server, written alike (\\copy (SELECT *, lower({text}) AS series_id FROM TABLE) TO"  # noqa: S608
                f" 'rows.csv' CSV HEADER), or kept apart ({text} AS series_id)",
            )

    def _folded(self, ids: pa.Array) -> pa.Array:
        """What is equal where the server may take ids for equal: by a collation, accents may not count either."""
        if self._by != CITEXT:
            ids = pc.replace_substring_regex(pc.utf8_normalize(ids, "NFKD"), r"\p{Mn}", "")
        return pc.utf8_lower(ids)
