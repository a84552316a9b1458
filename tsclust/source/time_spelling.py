"""How a time is written, in the letters of strptime and whole: `%d.%m.%Y %H:%M`, not only the day."""

from __future__ import annotations

import re

from tsclust.source.time_text import TimeForm

_LETTERS = {"d": "%d", "m": "%m", "b": "%b", "M": "%M", "S": "%S", "f": "%f", "p": "%p", "z": "%z"}
_REST = {"b": r"[a-z]*\.?", "p": r"\.?m\.?"}  # what belongs to a group and stands behind it


def spelled(form: TimeForm, text: str) -> str:
    """The form of `text`, which fits it: "1 Feb 2024, 13:05" is "%d %b %Y, %H:%M"."""
    text = text.strip()
    pattern = re.sub(r"\\x\{([0-9A-F]+)\}", lambda of: re.escape(chr(int(of[1], 16))), form.pattern)
    found = re.fullmatch(pattern, text, re.IGNORECASE)
    if found is None:
        return form.name
    spans = sorted((*found.span(name), name) for name, part in found.groupdict().items() if part)
    pieces, at = [], 0
    for start, end, name in spans:
        between = text[at:start]
        pieces.append(between if at else re.sub(r"^[^\W\d]{2,9}", "%a", between))
        pieces.append(_letter(name, text[start:end], found.groupdict()))
        rest = re.match(_REST.get(name, ""), text[end:], re.IGNORECASE)
        at = end + (rest.end() if rest else 0)
    return "".join(pieces) + text[at:]


def _letter(name: str, part: str, all_: dict[str, str | None]) -> str:
    if name == "y":
        return "%Y" if len(part) == 4 else "%y"
    if name == "H":
        return "%I" if all_.get("p") else "%H"
    return _LETTERS.get(name, part)
