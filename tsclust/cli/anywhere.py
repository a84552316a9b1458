"""Options that may stand before or behind a command, or within its name: -w, --json and --quiet."""

from __future__ import annotations

from collections.abc import Sequence

_WITH_VALUE, _ALONE = ("-w", "--workspace"), ("--json", "--quiet", "-q")
GROUPS = ("labels",)  # the first words of names that have two
QUIET = frozenset({"--quiet", "-q"})


def behind(args: Sequence[str]) -> list[str]:
    """The arguments with such options that stand before the command behind it, where its own are."""
    ahead, rest = _leading(list(args))
    if rest[:1] and rest[0] in GROUPS:
        within, name = _leading(rest[1:])
        ahead, rest = [*ahead, *within] if name else ahead, [rest[0], *(name or within)]
    end = rest.index("--") if "--" in rest else len(rest)
    return [*rest[:end], *ahead, *rest[end:]] if rest else ahead


def _leading(args: list[str]) -> tuple[list[str], list[str]]:
    taken = 0
    while taken < len(args):
        word = args[taken]
        if word in _WITH_VALUE and taken + 1 < len(args):
            taken += 2
        elif word in _ALONE or word.startswith("--workspace=") or (word.startswith("-w") and len(word) > 2):
            taken += 1
        else:
            break
    return args[:taken], args[taken:]


def without_quiet(args: Sequence[str]) -> tuple[list[str], bool]:
    """The arguments without --quiet, and whether it was among them. What stands behind `--` is no option."""
    end = args.index("--") if "--" in args else len(args)
    return [*(word for word in args[:end] if word not in QUIET), *args[end:]], bool(QUIET & set(args[:end]))
