"""Whether scored series are still like those that were learned from: as a whole, and machine by machine, since when."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from tsclust.arrays import Bools
from tsclust.stages.model.bundle import ModelBundle
from tsclust.stages.model.profile import ALL, Bins, FeatureProfile
from tsclust.stages.scores.drift import CHANCES, ENOUGH, FEW, Changed, Drift
from tsclust.stages.scores.machine_check import Machine, Yardsticks, judge
from tsclust.stages.scores.onset import Sign
from tsclust.stages.scores.scorer import Scores

SHORT = 7  # days: as few may all be cold, or all of one product
MOST_SINCE = 100  # machines that are looked at day by day: where more have changed, the first say since when

Since = Callable[[Sequence[Sign]], Sequence[str | None]]  # the day since when each of the signs is there


@dataclass(frozen=True)
class CurrentProfile:
    """The profile of the series that are compared: all of them and, days -> those of the last days alone."""

    whole: FeatureProfile
    last: Mapping[int, FeatureProfile]

    @classmethod
    def empty(cls, bins: Bins, days: Iterable[int]) -> CurrentProfile:
        nothing = FeatureProfile.empty(bins)
        return cls(nothing, dict.fromkeys(days, nothing))

    @classmethod
    def from_scores(cls, bins: Bins, scores: Scores, new: Bools, late: Mapping[int, Bools]) -> CurrentProfile:
        """Of a part; new (all,): which of its series are compared; late: days -> (all,) which are of the last days."""
        return cls(_profile(bins, scores, new), {days: _profile(bins, scores, new & of) for days, of in late.items()})

    def __add__(self, other: CurrentProfile) -> CurrentProfile:
        last = {days: (mine + other.last[days]).bounded() for days, mine in self.last.items()}
        return CurrentProfile((self.whole + other.whole).bounded(), last)

    @property
    def shorter(self) -> dict[int, FeatureProfile]:
        """Those of the last days that are neither all nor the same as another."""
        rows = {days: int(one.rows.sum() + one.rejected.sum()) for days, one in self.last.items()}
        longer = dict(zip(rows, [self.rows, *rows.values()], strict=False))
        return {days: one for days, one in self.last.items() if 0 < rows[days] < longer[days]}

    @property
    def rows(self) -> int:
        """Series that are compared, impossible ones included."""
        return int(self.whole.rows.sum() + self.whole.rejected.sum())


def _profile(bins: Bins, scores: Scores, rows: Bools) -> FeatureProfile:
    of = scores.deviations
    kept, out = rows[of.keep], rows[~of.keep]
    return FeatureProfile.from_deviations(bins, of.z[kept], of.machine[kept], scores.refused[kept], of.rejected[out])


def detect_drift(now: CurrentProfile, model: ModelBundle, since: Since, chances: float = CHANCES) -> Drift:
    """What has changed since training, with this probability of a false alarm. `since` is asked only where something
    has. A model of an earlier version, whose profile has other bins, judges nothing: `compared` is None."""
    if not now.rows:
        return Drift(False, (), (), compared=0)
    if not len(model.profile.machines):
        return Drift(False, (), (), unjudged=(None,))
    there, each = set(model.profile.machines.tolist()), now.whole.machines.tolist()
    apart = bool(model.facts.machine) and ALL not in there and ALL not in each
    machines = each if apart else []
    last, facts = now.shorter, model.facts
    by = Yardsticks(facts.features, (1 + len(machines)) * (1 + len(last)), facts.refused, facts.rejected, chances)
    compared = Compared(by, now.whole, model.profile, last)
    found = [one for who in machines if (one := compared.machine(who))]
    together = compared.together([one.machine for one, _ in found if one.machine is not None], apart)
    found = ([together] if together else []) + found
    when = since([sign for _, sign in found[:MOST_SINCE]]) if found else []
    changed = [replace(one, since=day) for (one, _), day in zip(found, [*when, *[None] * len(found)], strict=False)]
    unknown = tuple(machine for machine in machines if machine not in there)
    judged = [ALL, *(one for one in machines if one not in unknown)]
    return Drift(bool(changed), tuple(changed), unknown, *_hardly_judged(now.whole, model.profile, judged), now.rows)


@dataclass(frozen=True)
class Compared:
    """What is compared with what. last: days -> the series of the last days, which are looked at alone, too."""

    by: Yardsticks
    now: FeatureProfile
    then: FeatureProfile
    last: Mapping[int, FeatureProfile]

    def machine(self, name: str) -> tuple[Changed, Sign] | None:
        """A machine, if it is not what it was, and what shows that."""
        then = self.then.of_machine(name)
        return self._in_either(
            name, lambda profile: profile.of_machine(name), lambda _: then, lambda: self.then.without({name})
        )

    def together(self, but: Sequence[str], apart: bool) -> tuple[Changed, Sign] | None:
        """All machines but these, each held against itself where machines are told apart."""

        def taken(profile: FeatureProfile) -> FeatureProfile:
            return profile.without(but) if apart else profile.whole()

        def before(now: FeatureProfile) -> FeatureProfile:
            return self.then.aligned(now.machines) if apart else self.then.whole()

        return self._in_either(None, taken, before, None)

    def _in_either(
        self, name: str | None, of: Callable[[FeatureProfile], FeatureProfile],
        then: Callable[[FeatureProfile], FeatureProfile], fleet: Callable[[], FeatureProfile] | None,
    ) -> tuple[Changed, Sign] | None:  # fmt: skip
        """In all its series, or in the last ones: of more days first."""
        for days, profile in {0: self.now, **self.last}.items():
            now = of(profile)
            found = judge(self.by, Machine(name, now, then(now), fleet, few_days=0 < days <= SHORT))
            if found is not None:
                return replace(found[0], last=bool(days), days=days), found[1]
        return None


def _hardly_judged(
    now: FeatureProfile, then: FeatureProfile, machines: Sequence[str]
) -> tuple[tuple[str | None, ...], tuple[str | None, ...]]:
    """(machines judged only by their shares, machines not judged at all)."""
    rates, none = [], []
    for who in machines:
        mine, name = now.of_machine(who), None if who == ALL else who
        possible = int(mine.rows[0])
        if possible + int(mine.rejected[0]) < FEW:
            none.append(name)
        elif possible < FEW or int(then.of_machine(who).rows[0]) < ENOUGH:
            rates.append(name)
    return tuple(rates), tuple(none)
