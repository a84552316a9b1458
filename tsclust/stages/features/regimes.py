"""The regimes of the normal mass: two directions of travel, three products, that no column tells apart.

Where no column says whom a series is to be compared with, the ways of being normal are looked for as dense regions of
a sample: HDBSCAN (Campello, Moulavi and Sander 2013) finds how many there are, or that there are none. What is
between them belongs to the nearest.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tsclust.arrays import Floats

SAMPLE = 8_000  # series that regimes are looked for in
SMALLEST = 0.05  # of the sample: what is rarer is no way of being normal
NEIGHBOURS = 10  # series that make a region dense
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


def find(x: Floats, center: Floats, spread: Floats) -> Regimes | None:
    """The regimes in a sample x (n, d), in an order of chance; None where there is but one, or no clear border."""
    x = x[:SAMPLE]
    whole = Regimes(center, spread, np.ones(x.shape[1]), np.zeros((1, x.shape[1])))
    whole = Regimes(center, spread, shared_weights(whole._placed(x)), whole.places)
    placed = whole._placed(x)
    smallest = max(int(SMALLEST * len(x)), 3 * NEIGHBOURS)
    if len(x) <= 2 * smallest:
        return None
    from sklearn.cluster import HDBSCAN  # a second to import, and where a column names the baseline it is not needed

    label = HDBSCAN(min_cluster_size=smallest, min_samples=NEIGHBOURS, copy=True).fit_predict(placed)
    if label.max() < 1 or (label >= 0).mean() < SURE:
        return None
    places = np.stack([np.median(placed[label == r], axis=0) for r in range(label.max() + 1)])
    return Regimes(center, spread, whole.weights, places)


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
