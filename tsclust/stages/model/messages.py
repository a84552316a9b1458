"""What `tsclust train` says of how much of what malfunctions is known."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from tsclust.stages.model.quality import Interval, Quality
from tsclust.wording.english import percentages
from tsclust.workspace.commands import command


def quality(found: Quality, root: Path) -> Iterator[str]:
    """Recall and precision of all that is called a malfunction, what they are measured on, and what would tell more."""
    if not found.made_at:
        yield (
            f"recall of malfunctions: not known (0% to 100%), as nobody has looked at the {found.taken:,} series taken "
            f"for normal; to check a sample of them: {_next_sheet(root)}"
        )
        return
    yield (
        f"recall of malfunctions {_likely(found.likely_recall, found.recall)}, precision "
        f"{_likely(found.likely_precision, found.precision)}: 95% intervals, from the check of {found.looked:,} of "
        f"{found.taken:,} series taken for normal ({found.missed:,} were malfunctions) and {found.called_looked:,} of "
        f"{found.called:,} called a malfunction ({found.called_right:,} were)"
    )
    if found.undecided:
        yield f"{found.undecided:,} of the series looked at could not be decided: they count both ways"
    if found.more:
        yield (
            f"the interval of recall is wider than 20 points: {found.more:,} more looks would narrow it: "
            f"{_next_sheet(root)} --sheet {found.sheet}"
        )


def _next_sheet(root: Path) -> str:
    """A report needs a sweep of all series there are: where none came since, `cluster` has nothing to do."""
    return ", then ".join(command(name, root) for name in ("score", "cluster", "report"))


def _likely(likely: float | None, interval: Interval) -> str:
    """`66% (42% to 90%)`; rounded outwards."""
    inside = percentages(*interval)
    return f"{likely:.0%} ({inside})" if likely is not None else inside


def share(value: float | None, interval: Interval) -> str:
    """`0.983 (0.95-0.99)`, "" for none."""
    return "" if value is None else f"{value:.3f} ({interval[0]:.2f}-{interval[1]:.2f})"
