"""False alarms of drift in `tsclust stream`: machines that go on as they were, looked at over and over.

python bench/false_alarms.py [--looks N]

20 machines, as the demo has them, and recordings that training has not seen, faults among them as often as before:
nothing has changed, so every alarm is false. Between two looks each machine brings 20 recordings, drawn at random, so
that its short window is new with each look and its long one with each tenth. A week has 120,960 looks, which may bring
one alarm together: too few to count. So the same looks are judged at greater chances as well, where alarms can be
counted: a test that keeps to those keeps to the one of a week.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import numpy as np
import pyarrow as pa

from tsclust.engine.base import silent
from tsclust.pipeline.unusual import judged
from tsclust.simulation import machines
from tsclust.stages.model.bundle import ModelBundle
from tsclust.stages.model.profile import FeatureProfile
from tsclust.stages.scores.drift_check import CurrentProfile, detect_drift
from tsclust.stages.scores.scorer import Scorer
from tsclust.stream import demo, drifting
from tsclust.stream.drifting import DriftWatch, Ring
from tsclust.stream.health import Health

POOL, STEP = 20_000, 20  # recordings that are drawn from; that each machine brings between two looks
GREATER = (0.5, 0.2, 0.05)  # chances of an alarm in a look, half of it for each window


class Pool(dict[str, Ring]):
    """Machine -> all of its recordings, as a ring that never comes round."""

    def setdefault(self, name: str, default: Ring) -> Ring:
        if name not in self:
            self[name] = Ring(np.repeat(default.bins, POOL // 200, 0), np.zeros(POOL, np.uint8), np.zeros(POOL, bool))
        return self[name]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--looks", type=int, default=1_000)
    looks = parser.parse_args().looks
    with tempfile.TemporaryDirectory() as folder:
        demo.trained(Path(folder), silent)
        scorer = Scorer.open(Path(folder) / "model")
    pool, watch, rng = _pool(scorer), DriftWatch("", Health()), np.random.default_rng(1)
    chances = [*GREATER, drifting.CHANCES * len(drifting.WINDOWS)]
    alarms = np.zeros(len(chances), int)
    for look in range(-10, looks):
        _bring(watch, pool, rng)
        if look >= 0:  # the long windows are full
            profiles = [watch.profile(window, scorer.model.profile.bins) for window in drifting.WINDOWS]
            alarms += [_is_alarm(profiles, scorer.model, chance) for chance in chances]
    print("| chance of an alarm in a look | looks | with an alarm | share |\n| --- | --- | --- | --- |")
    for chance, n in zip(chances, alarms, strict=True):
        print(f"| {chance:.3g} | {looks:,} | {n:,} | {n / looks:.3f} |")


def _pool(scorer: Scorer) -> Pool:
    """Recordings of the demo's machines behind those that it was trained on."""
    batches = [batch for batch, _ in machines.make(demo.CYCLES + POOL, 1, machines=demo.MACHINES)]
    new = pa.Table.from_batches(batches).slice(demo.CYCLES)
    watch, found = DriftWatch("", Health()), Pool()
    watch._rings = found
    watch._add(judged(scorer, new.combine_chunks(), None)[0], scorer.model.profile.bins)
    return found


def _bring(watch: DriftWatch, pool: Pool, rng: np.random.Generator) -> None:
    for name, all_ in pool.items():
        at = rng.integers(0, all_.filled, STEP)
        ring = watch._rings.setdefault(name, Ring.of(all_.bins.shape[1]))
        ring.add(all_.bins[at], all_.over[at], all_.refused[at])


def _is_alarm(profiles: list[FeatureProfile], model: ModelBundle, chance: float) -> bool:
    each = chance / len(profiles)
    return any(detect_drift(CurrentProfile(one, {}), model, drifting._unknown, each).changed for one in profiles)


if __name__ == "__main__":
    main()
