"""A key that S3 has and the library knows no path for: said at once, by its name."""

from __future__ import annotations

import obstore
import pytest
from obstore.store import MemoryStore

from tsclust.errors import SettingsError
from tsclust.source.files.object_requests import tried


def test_a_key_with_an_empty_name_in_it_is_no_fault_of_the_network() -> None:
    tries = []

    def ask() -> object:
        tries.append(1)
        return obstore.head(MemoryStore(), "a//b")

    with pytest.raises(SettingsError, match=r"s3://plant/a: .*a//b.*expected keys without //"):
        tried(ask, "s3://plant/a")
    assert len(tries) == 1
