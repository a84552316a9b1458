"""Names that people type, of kinds and of themselves: which are one name, and which only look like another one.

Two names are one where they differ by capitals, spaces, how an accent is coded, or what nobody sees (`fold`). Names
that look the same and are not (a Cyrillic letter in a Latin word, е for ё, another dash) are never made one: it may be
meant. `look_alikes` finds them, so that somebody is asked.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

# What shows nothing and is no format character (Cf): fillers, variation selectors and the like.
_INVISIBLE = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)

# Letters of other alphabets as the Latin ones that they look like: Cyrillic, then Greek.
_LATIN = str.maketrans(
    "АВЕЗІЈКМНОРСЅТУҮХӀԚԜавезіјкмнорсѕтуүхһӏԁԛԝёЁΑΒΕΖΗΙΚΜΝΟΡΤΥΧαγικμνορτυχ",
    "ABE3IJKMHOPCSTYYXIQWaвe3ijkмнopcsтyyxhldqweEABEZHIKMNOPTYXayikuvoptux",
)
_DIGITS = str.maketrans("OoIl|", "00111")  # and letters as digits
_MARKS = str.maketrans(
    {**dict.fromkeys("’‘ʼ`", "'"), **dict.fromkeys("“”„«»", '"'), **dict.fromkeys("_−", "-"), "×": "x"}
)
_EDGES = " .,;:!?'\"-"
_STRESS = re.compile("(?<=[а-яА-ЯёЁ])\u0301")  # замо́к


def tidy(text: str) -> str:
    """The name as it is stored: composed characters (NFC), nothing invisible, single spaces."""
    seen = "".join(c for c in unicodedata.normalize("NFC", text) if unicodedata.category(c) != "Cf")
    spaced = "".join(" " if unicodedata.category(c) == "Cc" else c for c in _INVISIBLE.sub("", seen))
    return " ".join(unicodedata.normalize("NFC", spaced).split())


def fold(text: str) -> str:
    """The same text for every spelling of one name."""
    return unicodedata.normalize("NFC", tidy(text).casefold())


def first_spellings(names: Iterable[str]) -> dict[str, str]:
    """Each name -> the first of them that is the same name."""
    first: dict[str, str] = {}
    return {name: first.setdefault(fold(name), tidy(name)) for name in names}


def looks(text: str) -> frozenset[str]:
    """How a name looks, as it is written, in small letters and in capitals; two names that share one look alike."""
    seen = unicodedata.normalize("NFKC", tidy(text))
    return frozenset(_drawn(one) for one in (seen, seen.lower(), seen.upper()))


def look_alikes(names: Iterable[str]) -> list[tuple[str, str]]:
    """(name, an earlier one that it looks like) of different names, in the order in which they came."""
    found, seen, known = [], dict[str, str](), set[str]()
    for name in names:
        if fold(name) not in known:
            known.add(fold(name))
            own = looks(name)
            earlier = next((seen[look] for look in sorted(own) if look in seen), None)
            found += [(name, earlier)] if earlier is not None else []
            seen |= {look: name for look in own if look not in seen}
    return found


def difference(name: str, other: str) -> str:
    """Where `name` differs first from another that looks like it: `character 1 is LATIN SMALL LETTER C, not ...`."""
    ours, theirs = tidy(name), tidy(other)
    at = next((i for i, (a, b) in enumerate(zip(ours, theirs, strict=False)) if a.casefold() != b.casefold()), None)
    if at is None:
        return f"it has {len(ours)} characters, not {len(theirs)}"
    return f"character {at + 1} is {_called(ours[at])}, not {_called(theirs[at])}"


def _drawn(text: str) -> str:
    apart = _separated("".join("-" if unicodedata.category(c) == "Pd" else c for c in text.translate(_MARKS)))
    letters = _STRESS.sub("", unicodedata.normalize("NFC", apart)).translate(_LATIN).translate(_DIGITS).casefold()
    return letters.strip(_EDGES) or letters


def _separated(text: str) -> str:
    """Without spaces and dashes, but between digits, and a minus sign: 1-2 is not 12, -5 is not 5."""
    signed = re.sub(r"(^|\s)-(?=\d)", r"\1~", text)
    return re.sub(r"(?<!\d)[\s-]+|[\s-]+(?!\d)", "", re.sub(r"(?<=\d)[\s-]+(?=\d)", " ", signed))


def _called(character: str) -> str:
    return unicodedata.name(character, f"U+{ord(character):04X}")
