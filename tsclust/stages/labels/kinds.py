"""Names that are no malfunction's: what an answer other than one becomes, and what a score says where it names none."""

from __future__ import annotations

NORMAL, BAD_RECORDING, DONT_KNOW, MIXED = "normal", "bad recording", "don't know", "mixed"
NONE_OF_THESE, IMPOSSIBLE = "none of these", "impossible"
UNNAMED = "malfunction"  # one without a name

OWN_KINDS = {
    "normal": NORMAL,
    "bad_recording": BAD_RECORDING,
    "dont_know": DONT_KNOW,
    "mixed": MIXED,
}  # verdict -> kind
RESERVED = frozenset({*OWN_KINDS.values(), NONE_OF_THESE, IMPOSSIBLE})
WAYS = ("majority", "newest")  # to decide between labellers: no labeller has such a name
DECIDED = ("malfunction", "normal", "bad_recording")  # verdicts that say what a series is
UNDECIDED = ("mixed", "dont_know")  # verdicts that say nothing of the parts of a group
