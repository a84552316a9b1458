"""The journal of a reading: what has changed in it is planned, or read, again."""

from __future__ import annotations

import hashlib
import random
from pathlib import Path

from tests.support.endurance import times
from tsclust.stages.series.journal import Done, Journal, Plan

PLAN = Plan(identity="12ab", first=0, mark="77", ranges=((None, "5", 10), ("6", None, 10)))


def filled(folder: Path) -> Journal:
    journal = Journal(folder)
    journal.freeze(PLAN)
    for part in range(3):
        content = f"part {part}".encode()
        (folder / f"part-{part}").write_bytes(content)
        sha256 = hashlib.sha256(content).hexdigest()
        journal.record(Done(part=part, file=f"part-{part}", rows=4, size=9, sha256=sha256, snapshot="é", odd={"x": 1}))
    return journal


def test_a_journal_is_read_as_it_was_written(tmp_path: Path) -> None:
    journal, again = filled(tmp_path), Journal(tmp_path)
    assert (again.plan, again.done) == (journal.plan, journal.done)
    old = "".join(f"{done.model_dump_json()}\n" for done in journal.done.values())  # as it was before lines had hashes
    (tmp_path / "done.jsonl").write_text(old, encoding="utf-8")
    (tmp_path / "plan.json").write_text(PLAN.model_dump_json(), encoding="utf-8")
    again = Journal(tmp_path)
    assert (again.plan, again.done) == (journal.plan, journal.done)


def test_a_flipped_bit_is_never_believed(tmp_path: Path) -> None:
    done, rng = filled(tmp_path).done, random.Random(1)
    for name in ("plan.json", "done.jsonl"):
        good = (tmp_path / name).read_bytes()
        for _ in range(times(40, 2_000)):
            bad = bytearray(good)
            bad[rng.randrange(len(bad))] ^= 1 << rng.randrange(8)
            (tmp_path / name).write_bytes(bad)
            found = Journal(tmp_path)
            assert found.plan in (PLAN, None)
            assert found.done.items() <= done.items()
            (tmp_path / name).write_bytes(good)
