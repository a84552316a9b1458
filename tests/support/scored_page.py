"""A page that scores, open in a browser, and what it has to say: what tsclust says of the same series."""

from __future__ import annotations

import csv
import io
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from playwright.sync_api import Page, expect

from tests.support.browsers import PATIENCE
from tests.support.pages import Opened
from tsclust.pipeline.unusual import in_words
from tsclust.stages.model.bundle import ModelBundle
from tsclust.stages.scores import input_table
from tsclust.stages.scores.scorer import Scorer
from tsclust.wording.language import Language

Answer = Mapping[str, Any]


def write_csv(path: Path, table: pa.Table, gap: str = ",") -> Path:
    """A row for each series: its id, the carried columns, its values as a list; every digit of each."""
    names = [name for name in table.column_names if name != "values"]
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, delimiter=gap)
        writer.writerow([*names, "values"])
        for row in table.to_pylist():
            values = ["NaN" if value is None else repr(float(value)) for value in row["values"] or []]
            writer.writerow([*("" if row[name] is None else row[name] for name in names), f"[{', '.join(values)}]"])
    return path


def doubles(table: pa.Table) -> pa.Table:
    """The same with values as a text file has them, in float64."""
    at = table.column_names.index("values")
    return table.set_column(at, "values", table["values"].cast(pa.list_(pa.float64())))


class ScoringPage:
    """A page that is ready to score."""

    def __init__(self, page: Page, path: Path, downloads: Path) -> None:
        self.opened, self.page, self._downloads = Opened(page, path), page, downloads
        expect(page.locator("#score")).to_be_enabled(timeout=PATIENCE)

    def clear(self) -> None:
        """As if nobody had filled in anything."""
        if self.page.locator("#forget").is_visible():
            self.page.click("#forget")
        for field in self.page.locator("#text, [data-column]").all():
            field.fill("")

    def choose(self, path: Path, patience: int = PATIENCE) -> list[Answer]:
        """The answers for a file."""
        self.page.set_input_files("#file", path)
        return self._answers(patience)

    def paste(self, text: str) -> list[Answer]:
        """The answers for a text."""
        if self.page.locator("#forget").is_visible():
            self.page.click("#forget")
        self.page.fill("#text", text)
        self.page.click("#score")
        return self._answers(PATIENCE)

    def refused(self, text: str) -> str:
        """What the page has against a text."""
        self.page.fill("#text", text)
        self.page.click("#score")
        expect(self.page.locator("#error")).not_to_be_empty()
        return self.page.locator("#error").inner_text()

    def _answers(self, patience: int) -> list[Answer]:
        expect(self.page.locator("#found")).to_be_visible(timeout=patience)
        expect(self.page.locator("#state")).to_be_empty(timeout=patience)
        expect(self.page.locator("#error")).to_be_empty()
        return list(csv.DictReader(io.StringIO(self._saved())))

    def _saved(self) -> str:
        if self.page.context.browser and self.page.context.browser.browser_type.name == "chromium":
            with self.page.expect_download() as download:
                self.page.click("#save")
            return download.value.path().read_text("utf-8-sig")
        for old in self._downloads.iterdir():
            old.unlink()
        self.page.click("#save")
        return _arrived(self._downloads)


def _arrived(folder: Path) -> str:
    """The file that Firefox puts there: when it is whole."""
    for _ in range(300):
        found = [path for path in folder.iterdir() if path.suffix == ".csv"]
        text = found[0].read_bytes().decode("utf-8-sig", "replace") if found else ""
        if text.endswith("\r\n"):
            return text
        time.sleep(0.1)
    raise AssertionError("nothing was saved")


def hold(answers: list[Answer], model: ModelBundle, table: pa.Table, language: Language) -> None:
    """Raises AssertionError where an answer is not that of Python: probabilities to 1e-6, all else the same."""
    expected = Scorer(model).score(table).to_pylist()
    assert len(answers) == len(expected)
    for name in ("series_id", "said", "kind", "rejected_by", "model"):
        found = [one[name] for one in answers]
        assert found == ["" if one[name] is None else str(one[name]) for one in expected], name
    for name in ("probability", "novelty"):
        both = [(float(a[name]), e[name]) for a, e in zip(answers, expected, strict=True) if e[name] is not None]
        ours, theirs = np.array(both).reshape(-1, 2).T
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=1.000001e-6)
    assert [one["unusual"] for one in answers] == list(_unusual(model, table, expected, language))


def _unusual(model: ModelBundle, table: pa.Table, expected: list[Answer], language: Language) -> Iterator[str]:
    """As the service gives them: of a normal series none."""
    scorer = Scorer(model)
    rows, carried = scorer.describe(input_table.block_of(table, scorer.carried), table)
    kept = np.flatnonzero(rows.kept)
    words = dict(zip(kept.tolist(), in_words(model, rows, carried, kept, language), strict=True))
    return ("" if one["said"] == "normal" else "; ".join(words.get(at, ())) for at, one in enumerate(expected))
