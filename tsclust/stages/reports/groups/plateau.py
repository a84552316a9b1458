"""How the plateau of a curve moves, and whether a peak stands out of it, by the features of the curve."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

SWING, STEP_UP, STEP_DOWN, RISES, FALLS = "plateau_swing", "step_up", "step_down", "level_rises", "level_falls"
JUMPS = (STEP_UP, STEP_DOWN, RISES, FALLS)
WAYS = (SWING, "side_roughness", *JUMPS)
PLATEAU = 8  # samples: of a shorter one nothing is stated
PEAK, REACH = 1.2, 2.3  # times its mean and so many spreads of the plateau, at least, is a peak
NARROW = 1 / 3  # of the run: so wide and so late may it be where there is hardly a plateau
TOWERS = 2.0  # times the largest rise of a plateau that vibrates, at least: else a peak is but one more such rise
TURNS = 4.0  # times its range that a plateau goes up and down before it vibrates: two swings
REGULAR = 0.5  # autocorrelation of a vibration that swings rather than jitters
MOST = 0.6  # of its range that a plateau must jump, or drift, to be said to
STEPWISE = 0.5  # step_or_line of a plateau that jumps rather than bends


@dataclass(frozen=True)
class Plateau:
    """How a plateau moves: its samples, its range, how often it goes through that, and the signs of each way."""

    samples: float
    range: float
    turns: float
    regular: float
    swing: float
    step: float
    drift: float
    stepwise: bool

    @classmethod
    def of(cls, at: Callable[[str], float]) -> Plateau:
        """at: the value of a feature, NaN for one that there is not."""
        others = np.nan_to_num([at(name) for name in ("peak_position", "decay_time", "return_time")])
        samples, wide = at("run_length") - float(others.sum()), at("side_rise") + at("side_fall")
        turns = at("side_roughness") * samples / wide if wide > 0 else 0.0
        swing = min(wide, 2 * math.sqrt(2) * at("side_std")) if at("side_std") >= 0 else wide  # of a sine
        drift = float(np.clip(at("side_slope") * samples, -wide, wide))
        stepwise = not at("step_or_line") < STEPWISE
        return cls(samples, wide, turns, at("side_oscillation"), swing, at("side_step"), drift, stepwise)

    @property
    def way(self) -> str:
        """The one fact that says how it moves; "" for none of them."""
        if self.turns >= TURNS:
            return SWING if self.regular >= REGULAR else "side_roughness"
        jumps, drifts = (abs(one) >= MOST * self.range > 0 for one in (self.step, self.drift))
        if jumps and self.stepwise:
            return STEP_UP if self.step > 0 else STEP_DOWN
        return (RISES if self.drift > 0 else FALLS) if drifts else ""

    def by(self, way: str) -> float:
        """How much it moves in a way of which there is a size, at least 0."""
        size = {SWING: self.swing, STEP_UP: self.step, STEP_DOWN: -self.step, RISES: self.drift, FALLS: -self.drift}
        return max(size.get(way, 0.0), 0.0)


def has_peak(at: Callable[[str], float], plateau: Plateau, normally: float) -> bool:
    """Whether the highest value stands out of the plateau; where there is hardly one, by its being narrow and early.

    normally: after how many samples it comes. Of one that comes much later most of what could be a plateau was before
    it, and what comes after is not all that it has to tower above.
    """
    position, most = at("peak_position"), NARROW * at("run_length")
    if plateau.samples < PLATEAU:
        return not (position > most or at("peak_width") > most)
    many = position - normally > most or plateau.turns >= TURNS
    level, rise = at("side_mean"), TOWERS * at("side_rise") if many else 0.0
    least = (PEAK * (level + REACH * at("side_std")), level + rise)
    return not any(at("peak_height") < one for one in least)
