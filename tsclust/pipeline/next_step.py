"""What to do next with a workspace: one place for all commands and `status`.

A workspace stands somewhere on its way (`Standing`), and the first step of STEPS whose condition holds is the next one.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tsclust.config import Settings
from tsclust.errors import TsclustError
from tsclust.pipeline import answers_folder, stage_state
from tsclust.pipeline.settings import load
from tsclust.pipeline.stage_state import Manifests, State
from tsclust.stages.clusters.facts import CLUSTERS
from tsclust.stages.clusters.parts import UNLABELLED_GROUP
from tsclust.stages.labels.facts import LABELS
from tsclust.stages.labels.kinds import DONT_KNOW, NONE_OF_THESE
from tsclust.stages.reports import newest_file
from tsclust.stages.scores.facts import SCORES, state_of_unlabelled
from tsclust.workspace.commands import command
from tsclust.workspace.folder import Workspace
from tsclust.workspace.manifest import Manifest

TO_LEARN = 2  # kinds, of which "normal" is one: train refuses fewer
WORTH_A_SWEEP = 30  # series without a name: fewer are as soon looked at one by one


@dataclass(frozen=True)
class Standing:
    """Where a workspace stands.

    has_place  whether settings say where series are
    other_rules  features/ was screened by other rules than are set now
    waiting    answers files in answers/ that were not imported
    labelled   there are labels;  one_kind  all of them the same, so that there is nothing to learn
    reported, answered  the sweep there is, with its drill-downs; since that report
    unnamed    kept series that score gave no kind;  swept: those were swept by themselves since they were scored
    """

    has_place: bool = True
    series: State = State.MISSING
    features: State = State.MISSING
    clusters: State = State.MISSING
    model: State = State.MISSING
    scores: State = State.MISSING
    other_rules: bool = False
    waiting: tuple[Path, ...] = ()
    labelled: bool = False
    one_kind: bool = False
    reported: bool = False
    answered: bool = False
    unnamed: int = 0
    swept: bool = False


@dataclass(frozen=True)
class Step:
    """A command, what is typed behind its workspace, and why, for people."""

    name: str
    more: str = ""
    why: str = ""

    def typed(self, root: Path) -> str:
        """What to type."""
        return " ".join(filter(None, (command(self.name, root), self.more, self.why and f" ({self.why})")))


EXTRACT, FEATURES, FILTER, CLUSTER = Step("extract"), Step("features"), Step("filter"), Step("cluster")
WHERE = Step("extract", "--from FILES", "or set [source] in tsclust.toml")
REPORT, TRAIN, SCORE = Step("report"), Step("train"), Step("score")
ANSWERS = Step("labels import", "answers-*.json", "when the report's answers are back; run takes them from answers/")
WAITING = Step("labels import")  # with the files that wait
AGAIN = Step("cluster", "--unlabelled", "another round, with what has no name yet")
RUN = Step("run", why="takes in what is new")


def _missing_or_other(state: State) -> bool:
    return state in (State.MISSING, State.OTHER)


def _nobody_was_asked(at: Standing) -> bool:
    return not (at.labelled or at.reported)


STEPS: tuple[tuple[Step, Callable[[Standing], bool]], ...] = (
    (WHERE, lambda at: _missing_or_other(at.series) and not at.has_place),
    (EXTRACT, lambda at: _missing_or_other(at.series)),
    (FEATURES, lambda at: at.features is not State.FRESH),
    (FILTER, lambda at: at.other_rules),
    (WAITING, lambda at: bool(at.waiting)),
    # With new rows in it, a sweep is made again where nobody was asked about it; else they are scored.
    (
        CLUSTER,
        lambda at: _missing_or_other(at.clusters) or (at.clusters is State.GROWN and _nobody_was_asked(at)),
    ),
    (REPORT, lambda at: at.clusters is State.FRESH and not at.reported),
    (ANSWERS, lambda at: not at.labelled or at.one_kind),
    (TRAIN, lambda at: _missing_or_other(at.model)),
    (SCORE, lambda at: at.scores is not State.FRESH),
    (ANSWERS, lambda at: at.clusters is State.FRESH and not at.answered),
    (AGAIN, lambda at: at.clusters is State.FRESH and at.unnamed >= WORTH_A_SWEEP and not at.swept),
    (RUN, lambda _: True),
)


def next_step(at: Standing) -> Step:
    """The first step that is due."""
    return next(step for step, is_due in STEPS if is_due(at))


def after(workspace: Workspace) -> str:
    """What to type next, as things stand in the workspace."""
    try:
        return typed(workspace, load(workspace, None))
    except TsclustError:  # a stage is damaged: which one, and how it is made again
        return command("verify", workspace.root)


def typed(workspace: Workspace, settings: Settings, found: Manifests | None = None) -> str:
    """What to type next by these settings; found: all manifests, where they were read already. Raises DamagedError."""
    at, root = standing(workspace, settings, found), workspace.root
    step = next_step(at)
    if step is WAITING:
        return f"{step.typed(root)} {' '.join(shlex.quote(str(path)) for path in at.waiting)}"
    return step.typed(root)


def standing(workspace: Workspace, settings: Settings, found: Manifests | None = None) -> Standing:
    """Where the workspace stands. Raises DamagedError where a manifest is not what was written."""
    root, found = workspace.root, found or stage_state.manifests(workspace)
    states = {name: stage_state.state(name, found, settings, root) for name in found if name != LABELS.name}
    clusters, scores, newest = found[CLUSTERS.name], found[SCORES.name], newest_file.read(workspace)
    labels = found[LABELS.name]
    sweep = clusters.output_hash if clusters else ""
    drilled = clusters.facts.within.get(str(UNLABELLED_GROUP)) if clusters else None
    # Of earlier versions no report left a note; the sweep it was made of is in asked/.
    reported = bool(clusters) and (newest.sweep == sweep or (not newest.sweep and (workspace.asked / sweep).exists()))
    return Standing(
        has_place=settings.source.has_place, **states, other_rules=stage_state.has_other_rules(found, settings),
        waiting=answers_folder.waiting(workspace), labelled=labels is not None, reported=reported,
        one_kind=bool(labels and labels.facts.kinds is not None and labels.facts.kinds < TO_LEARN),
        answered=labels is not None and labels.output_hash != newest.labels, unnamed=_unnamed(scores),
        swept=bool(drilled and drilled.state and drilled.state == state_of_unlabelled(settings.labels, labels, scores)),
    )  # fmt: skip


def _unnamed(scores: Manifest[Any] | None) -> int:
    return sum(scores.facts.said.get(word, 0) for word in (DONT_KNOW, NONE_OF_THESE)) if scores else 0
