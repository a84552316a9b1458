"""How likely counts are by chance, if on each machine the scored series and those of training were dealt out anew.

Of one machine the number of scored series that are, say, above an edge then has the hypergeometric distribution
(Fisher 1935, The Design of Experiments): what is an alarm depends on how many series there are on either side, and on
nothing that is assumed. The sum over several machines is no farther from its mean than a binomial number of the same
mean (Hoeffding 1956, On the distribution of the number of successes in independent trials).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tsclust.arrays import Bools, Floats, Int64s

LEAST, MORE = 0.02, 0.25  # a share that grows by less does not matter, however many series show it: of all series,
# and in standard deviations of whether one series is a hit
STEADIEST = 50  # the highest shape of the rates of machines: they differ by a seventh at least
CRUDE = 2.5  # deviations of a count: what is nearer than that to what is expected needs no exact test


@dataclass(frozen=True)
class Shares:
    """Hits among the scored series of m machines, and among those of training: (m, ...) each, of the same shape."""

    hits: Int64s
    rows: Int64s
    hits_then: Int64s
    rows_then: Int64s

    @property
    def now(self) -> Floats:
        """(...) the share of hits among the scored series."""
        found: Floats = self.hits.sum(axis=0) / np.maximum(self.rows.sum(axis=0), 1)
        return found

    @property
    def then(self) -> Floats:
        """(...) the share in training, of machines as frequent as now; those unknown to it are taken as they are."""
        shares = np.where(self.rows_then > 0, self.hits_then / np.maximum(self.rows_then, 1), self._own)
        return self._mean(shares)

    @property
    def fewer(self) -> Shares:
        """The same of all other series."""
        return Shares(self.rows - self.hits, self.rows, self.rows_then - self.hits_then, self.rows_then)

    @property
    def pooled(self) -> Floats:
        """(...) the share of hits if nothing has changed: of each machine's series now and then."""
        return self._mean((self.hits + self.hits_then) / np.maximum(self.rows + self.rows_then, 1))

    @property
    def _own(self) -> Floats:
        own: Floats = self.hits / np.maximum(self.rows, 1)
        return own

    def _mean(self, shares: Floats) -> Floats:
        """(...) of shares (m, ...), by the scored series of each machine."""
        found: Floats = (shares * self.rows).sum(axis=0) / np.maximum(self.rows.sum(axis=0), 1)
        return found


def by_chance(of: Shares) -> Floats:
    """(...) the probability of as many hits among the scored series, or more; 1 where the change would not matter."""
    from scipy.stats import binom, hypergeom  # half a second to import; who reads the facts of scores/ does without

    hits, rows, pooled = (np.asarray(one) for one in (of.hits.sum(axis=0), of.rows.sum(axis=0), of.pooled))
    found, look = np.ones(hits.shape), np.asarray(matters(of) & _is_unexpected(of, pooled))
    if len(of.hits) == 1:
        total, marked = np.asarray((of.rows + of.rows_then)[0]), np.asarray((of.hits + of.hits_then)[0])
        found[look] = hypergeom.sf(hits[look] - 1, total[look], marked[look], rows[look])
    else:
        found[look] = binom.sf(hits[look] - 1, rows[look], pooled[look])
    return found


def matters(of: Shares) -> Bools:
    """(...) whether the share has grown by so much that it is worth an alarm."""
    then = of.then
    large: Bools = of.now - then >= np.maximum(LEAST, MORE * np.sqrt(then * (1 - then)))
    return large


def _is_unexpected(of: Shares, pooled: Floats) -> Bools:
    """(...) whether there are far more hits than expected, by the variance of the hypergeometric distribution."""
    share = (of.hits + of.hits_then) / np.maximum(of.rows + of.rows_then, 1)
    left = of.rows_then / np.maximum(of.rows + of.rows_then - 1, 1)
    variance = (of.rows * share * (1 - share) * left).sum(axis=0)
    expected = of.rows.sum(axis=0) * pooled
    far: Bools = of.hits.sum(axis=0) - expected > CRUDE * np.sqrt(variance)
    return far


def by_the_fleet(of: Shares, others: Int64s, rows_of_others: Int64s) -> Floats:
    """(...) the probability of as many hits on a machine, or more, given its own in training and how machines differ:
    the hits of `others` (m, ...) in training, among rows_of_others (m,).

    Rates of machines are gamma distributed; the machine's own series in training add to that, and the number to come is
    negative binomial (Gelman and others 2013, Bayesian Data Analysis, 2.6). One machine seldom has the thousands of
    series that it takes to rule out by themselves that what is new was always there.
    """
    from scipy.stats import nbinom

    shape, series = _rates(others, rows_of_others)
    worth = series + of.rows_then[0]
    found: Floats = nbinom.sf(of.hits[0] - 1.0, shape + of.hits_then[0], worth / (worth + of.rows[0]))
    return found


def in_the_fleet(hits: Int64s, rows: int, others: Int64s, rows_of_others: Int64s) -> Floats:
    """(...) the probability of as many hits of a machine in training, or more, among `rows`, by the others alone."""
    from scipy.stats import nbinom

    shape, series = _rates(others, rows_of_others)
    found: Floats = nbinom.sf(hits - 1.0, shape, series / (series + rows))
    return found


def _rates(hits: Int64s, rows: Int64s) -> tuple[Floats, Floats]:
    """(shape, shape / mean) of the gamma distribution of the rates of machines, (...) each, by its moments: hits (m,
    ...) among rows (m,). One machine more, of whom nothing but the mean is known, counts as exponentially distributed:
    a few machines that are alike do not prove that all are."""
    n, one_more = hits.astype(float), float((rows * (rows - 1)).mean())
    mean = (n.sum(axis=0) + 1) / (rows.sum() + 1)
    square = (n * (n - 1)).sum(axis=0) + 2 * mean**2 * one_more
    square /= max(float((rows * (rows - 1)).sum()) + one_more, 1.0)
    shape = 1 / np.maximum(square / mean**2 - 1, 1 / STEADIEST)
    return shape, shape / mean
