"""The broker's side of SASL: PLAIN, and SCRAM as RFC 5802 and 7677 have it."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from base64 import b64decode, b64encode
from collections.abc import Generator

ROUNDS = 4_096
HASHES = {"SCRAM-SHA-256": "sha256", "SCRAM-SHA-512": "sha512"}
MECHANISMS = ("PLAIN", *HASHES)
Exchange = Generator[bytes, bytes, tuple[str, bytes]]  # answers to what the client says; (user, the last answer)


def exchange(mechanism: str, password: str) -> Exchange:
    """Raises ValueError for a wrong password."""
    return _plain(password) if mechanism == "PLAIN" else _scram(HASHES[mechanism], password)


def _plain(password: str) -> Exchange:
    _, user, given = (yield b"").decode().split("\0")
    if given != password:
        raise ValueError("a wrong password")
    return user, b""


def _scram(kind: str, password: str) -> Exchange:
    """Salted hashes go to and fro, and each side proves that it knows the password."""
    first = (yield b"").removeprefix(b"n,,")
    fields, salt = _fields(first), secrets.token_bytes(16)
    nonce = fields["r"] + secrets.token_hex(8)
    challenge = f"r={nonce},s={b64encode(salt).decode()},i={ROUNDS}".encode()
    last = yield challenge
    unproved, _, proof = last.rpartition(b",p=")
    salted = hashlib.pbkdf2_hmac(kind, password.encode(), salt, ROUNDS)
    said = b",".join([first, challenge, unproved])
    key = hmac.digest(salted, b"Client Key", kind)
    signature = hmac.digest(hashlib.new(kind, key).digest(), said, kind)
    if _fields(unproved)["r"] != nonce or bytes(a ^ b for a, b in zip(key, signature, strict=True)) != b64decode(proof):
        raise ValueError("a wrong password")
    return fields["n"], b"v=" + b64encode(hmac.digest(hmac.digest(salted, b"Server Key", kind), said, kind))


def _fields(message: bytes) -> dict[str, str]:
    return {one[0]: one[2:] for one in message.decode().split(",")}
