"""Passwords in texts: DSNs that somebody gives in the place of a table, a file or a folder."""

from __future__ import annotations

import re

HIDDEN = "***"
# postgresql://USER:PASSWORD@HOST, and with one slash, as a path has it; not these very words, which our own hints have.
# A text may have been cut off within one.
_POSTGRES = re.compile(
    r"""(postgres(?:ql)?:/{1,3}[^\s:/@'"]*:)(?!(?-i:PASSWORD@)|\d{1,5}(?:[/?,'"\s]|$))(?:.*@|[^\s'"]*)""", re.I
)
_URL = re.compile(r"""(\b[a-z][a-z0-9+.-]*:/{1,3}[^\s:/@'"]*:)(?!(?-i:PASSWORD@))[^\s/@]+@""", re.I)  # of others
_NAMED = re.compile(
    r"""((?:ssl)?password(?:\s*=\s*|%3D))"""
    r"""(\\*'(?:[^'\\]|\\.)*'?|\\*"(?:[^"\\]|\\.)*"?|[^\s&'",;)]+)""",  # quoted, perhaps once more, or not
    re.I,
)
# A libpq connection string, all of it: SQL may have a column of that name.
_CONNINFO = re.compile(r"""-*\s*(?:\w+\s*=\s*(?:'(?:[^'\\]|\\.)*'|\S+)(?:\s+|$))+""")
_PLACE = re.compile(r"\b(?:host|hostaddr|port|dbname|service|sslmode)=\S")  # or enough of one
_IN_QUERY = re.compile(r"://\S*[?&](?:ssl)?password=", re.I)


def redacted(text: str) -> str:
    """The text with every password that can be recognised in it replaced."""
    text = _POSTGRES.sub(lambda m: f"{m[1]}{HIDDEN}{'@' if m[0].endswith('@') else ''}", text)
    return _NAMED.sub(rf"\1{HIDDEN}", _URL.sub(rf"\1{HIDDEN}@", text))


def has_password(text: str) -> bool:
    """Whether a text is, or contains, a DSN with a password."""
    if _POSTGRES.search(text) or _URL.search(text) or _IN_QUERY.search(text):
        return True
    return bool(_NAMED.search(text) and (_CONNINFO.fullmatch(text.strip()) or _PLACE.search(text)))
