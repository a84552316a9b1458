"""Seconds and looks until each kind is named: what the page of a report costs an expert, by a written model.

python bench/looks.py [--only NAME ...] [--series N] [--keep FOLDER] [--cards] [--kinds]

The expert, who knows the truth, reads the cards of the page in order at 1280 x 800 in a real Chromium, goes on by the
arrow, and answers each. --keep keeps the workspaces, so that another page of the same groups can be measured;
--cards prints every card, --kinds the second at which each kind is named, so that pages that name other kinds can be
compared by those that both name. The model ranks pages; a person's seconds it is not.

    scroll   from the top of a card until its curve, members, sentence and answer were all on the screen: SCROLL pixels
             a second, and REFIND for each screen, as the eye loses its place
    words    that the card shows (what is folded away, captions of members and the answers' own buttons are not read):
             WORD each. A text that stood on FURNITURE cards before is furniture
    curves   PLOT for the large one; each member NEW where that series was on no card before, SEEN else; each other
             small picture SEEN
    answer   DECIDE, POINT and KEY; a kind's name in full the first time (NAME keys), later from the list (PICK keys)

Not read are the groups that the page offers apart, as nothing of them stands out.

A kind is named by the first card of which at least half the series are of it. A row under a family's card is looked at
(SEEN, and its words), and takes over its card's answer by a click (POINT), or is unfolded (POINT), looked at as a card
is and answered where its kind is another. `new` is the share of the series of a card that were on
no earlier one (all of them, not only those drawn): mean, and cards with less than 80 %.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl
from chromium import chromium
from kinds import described, made
from mechanisms import TUNING, made_up
from playwright.sync_api import Page, ViewportSize

import tsclust
from tsclust.series import ID
from tsclust.simulation.expert import MOSTLY, form_of
from tsclust.stages.clusters import membership
from tsclust.stages.clusters.facts import CLUSTERS
from tsclust.stages.clusters.parts import GroupRef
from tsclust.workspace.folder import Workspace

SCROLL, REFIND = 600, 0.8  # pixels a second; seconds a screen
WORD, FURNITURE = 0.25, 3  # seconds: 240 a minute; cards
PLOT, NEW, SEEN = 2.0, 0.5, 0.15  # seconds
DECIDE, POINT, KEY = 1.35, 1.1, 0.28  # seconds: Card, Moran and Newell's M, P and K
NAME, PICK = 14, 3  # keys
ENOUGH = 0.8  # of a card's series are new
WINDOW: ViewportSize = {"width": 1280, "height": 800}
# Of each card: the pixels to scroll, its texts, pictures that are no members, and the groups in rows under it.
MEASURE = """() => {
  document.head.append(Object.assign(document.createElement("style"),
    { textContent: "* { content-visibility: visible !important }" }));
  document.querySelectorAll("details.later:not(.faint)").forEach((one) => { one.open = true; });  // read as well
  const bar = document.getElementById("bar").getBoundingClientRect().height, room = innerHeight - bar;
  const seen = (e) => e.checkVisibility({ visibilityProperty: true });
  const texts = (of) => {
    const walker = document.createTreeWalker(of, NodeFilter.SHOW_TEXT), found = [];
    while (walker.nextNode()) {
      const at = walker.currentNode, words = at.textContent.trim();
      if (words && seen(at.parentElement) && !at.parentElement.closest(".mini, template, kbd, .toggle, .verdict"))
        found.push(words);
    }
    return found;
  };
  const needed = (card) => [".plot", ".minis", ".words", ".answer"].flatMap((one) => [...card.querySelectorAll(one)])
    .filter(seen).map((e) => e.getBoundingClientRect().bottom);
  const rows = (card) => {
    const found = [];
    for (let at = card.nextElementSibling; at?.matches(".row"); at = at.nextElementSibling) found.push(at);
    return found;
  };
  const cards = [...document.querySelectorAll(".card:not(.rule, .usual, .sheet, .row)")];
  return cards.filter((card) => !card.closest(".faint")).map((card) => ({
    name: card.id.replace("group-", ""),
    pixels: Math.max(0, Math.max(...needed(card)) - card.getBoundingClientRect().top + 16 - room),
    height: card.getBoundingClientRect().height,
    texts: [card, ...rows(card)].flatMap(texts), room,
    pictures: [...card.querySelectorAll("svg")].filter((e) => seen(e) && !e.closest(".plot, .mini")).length,
    rows: rows(card).map((row) => row.id.replace("group-", "")),
  }));
}"""


@dataclass
class Expert:
    """What has been seen and named so far; seconds and cards until then."""

    kinds: Mapping[Any, str]  # of each series
    malfunctions: frozenset[str]
    seconds: float = 0.0
    looks: int = 0
    named: dict[str, tuple[float, int]] = field(default_factory=dict)
    texts: dict[str, int] = field(default_factory=dict)
    drawn: set[str] = field(default_factory=set)
    shown: set[Any] = field(default_factory=set)
    new: list[float] = field(default_factory=list)

    def look(self, card: Mapping[str, Any], asked: Mapping[str, Any], ids: Mapping[str, list[Any]]) -> dict[str, float]:
        """One card, and the rows under it; what took how long."""
        own, drawn = ids[card["name"]], asked[card["name"]]["shown"]
        cost = {"scroll": _scroll(card), "words": self._words(card["texts"]), "curves": PLOT + self._curves(drawn)}
        cost["curves"] += SEEN * (card["pictures"] + len(card["rows"]))
        self.looks += 1
        self.new.append(sum(one not in self.shown for one in own) / max(len(own), 1))
        self.shown |= {*own}
        kind = self._kind(own)
        cost["answer"] = self._answer(kind)
        cost["rows"] = sum(self._row(row, kind, asked, ids) for row in card["rows"])
        self.seconds += sum(cost.values())
        self._note(kind, *self._others(card["rows"], ids, kind))
        return cost

    def _words(self, texts: Sequence[str]) -> float:
        """Those that are no furniture; what stands twice on a card is read twice."""
        read = [text for text in texts if self.texts.get(text, 0) < FURNITURE]
        for text in {*texts}:
            self.texts[text] = self.texts.get(text, 0) + 1
        return WORD * sum(len(text.split()) for text in read)

    def _curves(self, drawn: Sequence[str]) -> float:
        took = sum(SEEN if one in self.drawn else NEW for one in drawn)
        self.drawn |= {*drawn}
        return took

    def _answer(self, kind: str) -> float:
        known = kind in self.named or kind not in self.malfunctions
        typed = 0 if kind not in self.malfunctions else PICK if known else NAME
        return DECIDE + POINT + KEY * (1 + typed)

    def _row(self, name: str, kind: str, asked: Mapping[str, Any], ids: Mapping[str, list[Any]]) -> float:
        """What a row costs beyond its words and its small picture."""
        if (own := self._kind(ids[name])) == kind:
            return POINT
        return POINT + PLOT + self._curves(asked[name]["shown"]) + self._answer(own)

    def _kind(self, ids: Sequence[Any]) -> str:
        """Of at least half of them; "mixed" where there is none."""
        kind = statistics.mode(self.kinds[one] for one in ids)
        return kind if sum(self.kinds[one] == kind for one in ids) >= MOSTLY * len(ids) else "mixed"

    def _others(self, rows: Sequence[str], ids: Mapping[str, list[Any]], kind: str) -> list[str]:
        return [other for other in map(self._kind, (ids[row] for row in rows)) if other != kind]

    def _note(self, *kinds: str) -> None:
        for kind in self.malfunctions.intersection(kinds) - {*self.named}:
            self.named[kind] = self.seconds, self.looks


def _scroll(card: Mapping[str, Any]) -> float:
    screens = -(-card["pixels"] // card["room"])
    return float(card["pixels"] / SCROLL + REFIND * screens)


# ---- workspaces


def sources(said: argparse.Namespace, root: Path) -> Iterator[tuple[str, Path, pl.DataFrame, frozenset[str]]]:
    """(name, workspace with all but a report, series_id and kind of all, the kinds of malfunction)."""
    wanted = said.only or [*SOURCES]
    for name in wanted:
        folder = root / name
        folder.mkdir(parents=True, exist_ok=True)
        given = argparse.Namespace(machine=None, file=None, truth="label", baseline=[], skip=[], seed=1, series=0)
        series, truth, malfunctions = SOURCES[name](said, given, folder)
        if not (folder / "ws" / CLUSTERS.name).exists():
            tsclust.cluster(described(folder, series, given), {"cluster": {"baseline": given.baseline}})
        yield name, folder / "ws", truth, frozenset(malfunctions)


def demo(said: argparse.Namespace, given: argparse.Namespace, folder: Path) -> tuple[Path, pl.DataFrame, list[str]]:
    given.series = said.series
    return made(given, folder)


def machine(said: argparse.Namespace, given: argparse.Namespace, folder: Path) -> tuple[Path, pl.DataFrame, list[str]]:
    """A press or a valve, or a mechanism made up."""
    given.series, given.machine = said.series // 5, folder.name
    if given.machine in ("press", "valve"):
        return made(given, folder)
    frame, kinds, _ = made_up(given.machine, given.series, 1)
    given.file, given.baseline = folder / "series.parquet", ["machine"]
    frame.write_parquet(given.file)
    return given.file, frame.select(ID, kind="label"), [*kinds]


def recorded(said: argparse.Namespace, given: argparse.Namespace, folder: Path) -> tuple[Path, pl.DataFrame, list[str]]:
    """The real ones, which TSCLUST_SHARED_DATA has. Columns beside them are carried along, as a user would."""
    file, normal = RECORDED[folder.name]
    truth = pl.read_parquet(said.data / file, columns=[ID, "label"]).rename({"label": "kind"})
    return said.data / file, truth, sorted({*truth["kind"]} - {normal})


RECORDED = {
    "screws": ("unscrewing_torque/series_rare_faults.parquet", "releasable"),
    "screws-short": ("unscrewing_torque/series_short.parquet", "releasable"),
    "wafers": ("wafer/series_76.parquet", "normal"),
}
SOURCES = {"demo": demo, **dict.fromkeys(RECORDED, recorded)} | dict.fromkeys(("press", "valve", *TUNING[:2]), machine)


# ---- measuring


def members_of(workspace: Workspace, asked: Mapping[str, Any]) -> dict[str, list[Any]]:
    """The ids of all members of each group that a page asks about."""
    refs = {
        name: GroupRef(one["within"], one["k"], one["cluster"], one["size"])
        for name, one in asked.items()
        if "k" in one
    }
    folder = workspace.stage(CLUSTERS)
    return {name: membership.scan_members(folder, ref).collect()[ID].to_list() for name, ref in refs.items()}


def measured(page: Page, root: Path, truth: pl.DataFrame, malfunctions: frozenset[str], cards: bool) -> Expert:
    workspace = Workspace.open(root)
    tsclust.report(root, {"report": {"charts": False, "sheet": 0}})
    path = workspace.reports / "report.html"
    asked = {one["name"]: one for one in form_of(path)["groups"]}
    ids = members_of(workspace, asked)
    expert = Expert(dict(truth.select(ID, "kind").iter_rows()), malfunctions)
    page.goto(path.as_uri())
    for card in page.evaluate(MEASURE):
        cost = expert.look(card, asked, ids)
        if cards:
            print(card["name"], f"{card['height']:.0f} px", {name: round(took, 1) for name, took in cost.items()})
    return expert


def line(name: str, expert: Expert, kinds: int) -> str:
    until = sorted(expert.named.values())
    middle = f"{statistics.median(seconds for seconds, _ in until):.0f}" if until else ""
    last = f"{until[-1][0]:.0f} | {until[-1][1]}" if until else " | "
    few = sum(new < ENOUGH for new in expert.new)
    cells = [f"{expert.seconds / max(expert.looks, 1):.1f}", f"{len(until)} of {kinds}", middle, last]
    cells += [f"{expert.seconds:.0f}", str(expert.looks), f"{statistics.mean(expert.new or [1]):.0%}", str(few)]
    return f"| {name} | {' | '.join(cells)} |"


def main() -> None:
    said = arguments()
    print("| source | seconds a card | named | median s | last, s | looks | all cards, s | cards | new | under 80% |")
    print("| --- |" + " ---: |" * 9)
    with tempfile.TemporaryDirectory() as scratch, chromium() as browser:
        page = browser.new_page(viewport=WINDOW)
        for name, root, truth, malfunctions in sources(said, said.keep or Path(scratch)):
            there = len(malfunctions & {*truth["kind"]})
            expert = measured(page, root, truth, malfunctions, said.cards)
            print(line(name, expert, there), flush=True)
            if said.kinds:
                print({kind: round(seconds) for kind, (seconds, _) in expert.named.items()})


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=SOURCES, metavar="NAME", help=", ".join(SOURCES))
    parser.add_argument("--series", type=int, default=100_000, help="of the demo; of other machines a fifth")
    parser.add_argument("--data", type=Path, default=Path("../shared/data"), help="the folder of real recordings")
    parser.add_argument("--keep", type=Path)
    parser.add_argument("--cards", action="store_true")
    parser.add_argument("--kinds", action="store_true")
    return parser.parse_args()


if __name__ == "__main__":
    main()
