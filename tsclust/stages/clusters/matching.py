"""The same group keeps its number: the groups of a new run against those of earlier ones, g old and h new groups."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import cdist

from tsclust.arrays import Bools, Floats, Int64s
from tsclust.stages.clusters.parts import SAME_SET

CENTER_WEIGHT = 2  # series in common: what the distance of two centers weighs
MIN_OVERLAP = 1 / 3  # below it there is no match: two groups of one size have half of their members in common
ENOUGH = 5  # series of two groups, of those that both runs have: fewer do not tell that the groups are others
TIE = 1e-9
Outcome = Literal["kept", "changed", "new"]


@dataclass(frozen=True)
class Likeness:
    """Of old and new groups, (g, h) each.

    similarity  share of the union that both have, with the closeness of the centers, 0..1
    possible    whether they are alike enough to be one group
    others      whether they are not, by enough series that both runs have
    """

    similarity: Floats
    possible: Bools
    others: Bools


@dataclass(frozen=True)
class Matched:
    """What each new group was in earlier runs.

    old      (h,) index of the old group; -1 where there is none
    similarity  (h,) share of the union that both have, with the closeness of the centers, 0..1; 0 without a match
    """

    old: Int64s
    similarity: Floats


@dataclass(frozen=True)
class Numbered:
    """The numbers of the new groups.

    numbers   (h,)
    outcomes  (h,) kept: (nearly) the same set; changed: matched, but less alike; new: no group of an earlier run
    gone      old numbers that no group has now, ascending
    highest   number ever given
    """

    numbers: Int64s
    outcomes: list[Outcome]
    gone: list[int]
    highest: int


def closeness(old: Floats, new: Floats, spread: Floats) -> Floats:
    """(g, h) 1 / (1 + distance): 1 at the same center, 1/2 where features differ by one spread (root mean square).

    old (g, d), new (h, d) centers and spread (d,) in the features' own units. A feature without a spread says nothing;
    a center that is not known (NaN) is close to none.
    """
    telling = np.isfinite(spread) & (spread > 0)
    if not telling.any():
        return np.zeros((len(old), len(new)))
    with np.errstate(over="ignore"):  # what is infinitely far is not close
        scaled = [centers[:, telling] / spread[telling] for centers in (old, new)]
    away: Floats = cdist(*scaled) / np.sqrt(telling.sum())
    return np.nan_to_num(1 / (1 + away), nan=0.0)


def likeness(shared: Int64s, old_size: Int64s, new_size: Int64s, close: Floats) -> Likeness:
    """How alike each old and each new group are.

    shared (g, h), old_size (g,) and new_size (h,) count only series that both runs have: what came or went since is
    no difference between two groups.
    The closeness `close` (g, h) weighs as CENTER_WEIGHT more series, that share of them in common: it decides between
    equals, counts where the runs have few series of two groups in common, and is all there is where they have none.
    From the centers alone only the same is a match (SAME_SET), from members what is a little alike (MIN_OVERLAP).
    Others are two of which the runs have enough series in common to see that they are not alike.
    """
    union = _union(shared, old_size, new_size)
    similarity = (shared + CENTER_WEIGHT * close) / (union + CENTER_WEIGHT)
    possible = similarity >= (MIN_OVERLAP * union + SAME_SET * CENTER_WEIGHT) / (union + CENTER_WEIGHT)
    known = np.minimum(old_size[:, None], new_size[None, :]) >= ENOUGH
    return Likeness(similarity, possible, ~possible & known)


def of_numbers(numbers: Int64s, runs: Sequence[tuple[Int64s, Likeness, bool]], groups: int) -> Likeness:
    """How alike each of the `numbers` (g,), ascending, and each of the new `groups` are: as in the run where they are
    most so, and not at all where experts have seen another group under the number, so that a group that changes from
    report to report does not become another one. runs: of each the numbers of its groups, their likeness to the new
    ones, and whether experts have seen it."""
    shape = (len(numbers), groups)
    found = Likeness(np.zeros(shape), np.zeros(shape, bool), np.zeros(shape, bool))
    for own, one, seen in runs:
        rows = np.searchsorted(numbers, own)
        found.similarity[rows] = np.maximum(found.similarity[rows], np.where(one.possible, one.similarity, 0))
        found.possible[rows] |= one.possible
        found.others[rows] |= one.others & seen
    return Likeness(found.similarity, found.possible & ~found.others, found.others)


def match(like: Likeness) -> Matched:
    """Each new group with at most one old one, as alike as possible in total (assignment problem); of two that are
    equally alike with the first."""
    similarity, possible = like.similarity, like.possible
    # The same set goes before any number of sets that are a little alike: two halves must not push out a whole.
    first = TIE * np.linspace(1, 0, len(similarity))[:, None]
    score = np.where(possible, similarity + first + min(similarity.shape) * (similarity > SAME_SET), 0)
    rows, columns = linear_sum_assignment(score, maximize=True)
    taken = possible[rows, columns]
    at = (rows[taken], columns[taken])
    matched = unmatched(similarity.shape[1])
    matched.old[at[1]] = at[0]
    matched.similarity[at[1]] = similarity[at]
    return matched


def unmatched(groups: int) -> Matched:
    """All groups are new: there was no last run."""
    return Matched(np.full(groups, -1, np.int64), np.zeros(groups))


def numbers(matched: Matched, old_numbers: Int64s, highest: int) -> Numbered:
    """A matched group has the number of its old group (g,), a new one the next after `highest`, the highest ever given.

    So a number that is gone is never given again: what was said and written about it stays true.
    """
    highest = max(highest, int(old_numbers.max(initial=0)))
    known = matched.old >= 0
    given = highest + np.cumsum(~known)
    given[known] = old_numbers[matched.old[known]]
    gone = np.setdiff1d(old_numbers, given)
    outcomes = [_outcome(*one) for one in zip(known, matched.similarity, strict=True)]
    return Numbered(given, outcomes, gone.tolist(), max(highest, int(given.max(initial=0))))


def _outcome(known: np.bool_, similarity: np.float64) -> Outcome:
    if not known:
        return "new"
    return "kept" if similarity > SAME_SET else "changed"


def _union(shared: Int64s, old_size: Int64s, new_size: Int64s) -> Int64s:
    return old_size[:, None] + new_size[None, :] - shared
