"""The regimes of the normal mass: two directions of travel, three products, that no column tells apart.

Where no column says whom a series is to be compared with, the ways of being normal are looked for as dense regions of
a sample, by the features whose histogram has a valley: HDBSCAN (Campello, Moulavi and Sander 2013) finds how many
there are, or that there are none. What is between them belongs to the nearest.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tsclust.arrays import Floats

SAMPLE = 8_000  # series that regimes are looked for in
SMALLEST = 0.05  # of the sample: what is rarer is no way of being normal
FEW, MOST = 10, 50  # series that make a region dense, in few and in SAMPLE
FEWEST = 3  # features that show a border
DEEP = 0.4  # of the lower peak beside a valley
OUTER = (0.005, 0.995)  # what is beyond is not looked at
BINS = 64
SMOOTH = np.exp(-((np.arange(-6, 7) / 2.0) ** 2) / 2)
GOLDEN = (5**0.5 - 1) / 2  # its multiples spread evenly
CLIP = 4.0  # spreads: a series that is far off in one feature still has a regime by the others
SURE = 0.5  # of the sample must be in some regime: otherwise there is one mass without borders


@dataclass(frozen=True)
class Regimes:
    """r ways of being normal, over d features.

    center, spread  (d,) of the whole, in feature units;  weights (d,)
    places          (r, d) the middle of each regime, in clipped and weighted spreads from the center
    """

    center: Floats
    spread: Floats
    weights: Floats
    places: Floats

    def nearest(self, x: Floats) -> npt.NDArray[np.intp]:
        """(n, d) features -> (n,) the regime each row is nearest to."""
        z = self._placed(x)
        away = np.stack([((z - place) ** 2).sum(axis=1) for place in self.places])
        nearest: npt.NDArray[np.intp] = np.argmin(away, axis=0)
        return nearest

    def _placed(self, x: Floats) -> Floats:
        placed: Floats = np.clip((x - self.center) / self.spread, -CLIP, CLIP) * self.weights
        return placed


def find(x: Floats, center: Floats, spread: Floats, least: Floats) -> Regimes | None:
    """The regimes in a sample x (n, d), in an order of chance, least (d,) or (n, d) the smallest meaningful spreads;
    None where there is but one, or no clear border.

    They are told apart by the features with a valley alone: among many that say nothing of them no region is dense.
    """
    x = x[:SAMPLE]
    apart = np.flatnonzero(deepest_valleys(x, least[:SAMPLE] if least.ndim == 2 else least) >= DEEP)
    return _told_apart(x, center, spread, apart, max(FEW, MOST * len(x) // SAMPLE)) if len(apart) >= FEWEST else None


def find_by_all(x: Floats, center: Floats, spread: Floats) -> Regimes | None:
    """The same by all features, for a sample from which no rule has rejected what cannot be real: by a single feature
    that would be a regime, too."""
    return _told_apart(x[:SAMPLE], center, spread, np.arange(x.shape[1]), FEW)


def _told_apart(
    x: Floats, center: Floats, spread: Floats, apart: npt.NDArray[np.intp], neighbours: int
) -> Regimes | None:
    """By the features `apart`. `neighbours`: series that make a region dense."""
    smallest = max(int(SMALLEST * len(x)), 3 * FEW)
    if len(x) <= 2 * smallest:
        return None
    whole = Regimes(center, spread, np.ones(x.shape[1]), np.zeros((1, x.shape[1])))
    placed = whole._placed(x)[:, apart]
    shared = shared_weights(placed)
    from sklearn.cluster import HDBSCAN  # a second to import, and where nothing shows a valley it is not needed

    label = HDBSCAN(min_cluster_size=smallest, min_samples=neighbours, copy=True).fit_predict(placed * shared)
    label = _merged(label, x[:, apart], min(FEWEST, len(apart)))
    if label.max() < 1 or (label >= 0).mean() < SURE:
        return None
    weights, places = np.zeros(x.shape[1]), np.zeros((label.max() + 1, x.shape[1]))
    weights[apart] = shared
    places[:, apart] = [np.median(placed[label == r] * shared, axis=0) for r in range(label.max() + 1)]
    return Regimes(center, spread, weights, places)


def _merged(label: npt.NDArray[np.intp], x: Floats, fewest: int) -> npt.NDArray[np.intp]:
    """(n,) labels of regions in x (n, d), -1 between them, after those became one that do not differ in `fewest`
    features at least: nine tenths of the one below nine tenths of the other."""
    while label.max() > 0:
        low, high = np.stack([np.quantile(x[label == r], (0.1, 0.9), axis=0) for r in range(label.max() + 1)], axis=1)
        differ = (high[:, None] < low).sum(axis=2)
        differ = differ + differ.T + x.shape[1] * np.eye(len(low), dtype=np.intp)
        one, other = sorted(divmod(int(differ.argmin()), len(low)))
        if differ[one, other] >= fewest:
            break
        label = np.where(label == other, one, label) - (label > other)
    return label


def deepest_valleys(x: Floats, least: Floats) -> Floats:
    """(d,) how deep the deepest valley in the smoothed histogram of each feature is, against the lower of the peaks
    beside it: 0 none, 1 down to nothing. On both sides of it are `SMALLEST` of the rows at least.

    A least step, `least` (d,) or (n, d), is spread out: what is counted in samples would have a valley between any two
    counts.
    """
    spread_out = x + least * ((GOLDEN * np.arange(len(x)))[:, None] % 1 - 0.5)
    return np.array([_deepest_valley(column) for column in spread_out.T])


def _deepest_valley(x: Floats) -> float:
    low, high = np.quantile(x, OUTER)
    if not high > low:
        return 0.0
    counts = np.convolve(np.histogram(x, BINS, (low, high))[0], SMOOTH, "same")
    share = np.cumsum(counts) / counts.sum()
    beside = np.minimum(np.maximum.accumulate(counts), np.maximum.accumulate(counts[::-1])[::-1])
    inside = (share >= SMALLEST) & (share <= 1 - SMALLEST)
    return float((1 - counts / np.maximum(beside, 1e-300))[inside].max(initial=0.0))


def shared_weights(z: Floats) -> Floats:
    """(d,) 1 / sqrt(sum of squared correlations) of the columns of z (n, d): features that say the same share a weight.

    Two that always move together weigh as much as one alone: n copies of a feature add up to n * (1/n) in the squared
    distance. A constant has a weight of 1.
    """
    centred = z - z.mean(axis=0)
    norm = np.sqrt((centred**2).sum(axis=0))
    moving = centred / np.where(norm > 0, norm, 1.0)
    correlation = moving.T @ moving
    np.fill_diagonal(correlation, 1.0)
    weights: Floats = 1 / np.sqrt((correlation**2).sum(axis=0))
    return weights
