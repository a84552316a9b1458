"""What no setting may be: a password out of its place, a variable that is no JSON."""

from __future__ import annotations

import re
from collections.abc import Mapping

from pydantic_settings.exceptions import SettingsError as BadVariableError

from tsclust.errors import SettingsError
from tsclust.passwords import has_password


def refuse_passwords(values: object, key: str = "") -> None:
    """Raises SettingsError for a DSN with a password among settings: nothing but `dsn` is kept out of files and
    messages."""
    if isinstance(values, Mapping):
        for name, value in values.items():
            refuse_passwords(value, f"{key}.{name}" if key else name)
    elif isinstance(values, list | tuple):
        for value in values:
            refuse_passwords(value, key)
    elif isinstance(values, str) and has_password(values):
        raise SettingsError(
            f"{key} contains a password: expected none there", "Set TSCLUST_DSN, or dsn in tsclust.toml"
        )


def not_json(error: BadVariableError) -> SettingsError:
    """Of a whole section, or a list, in one variable. The error names the field, and does not quote the value."""
    field = re.search('"([a-z_]+)"', str(error))
    variable = f"TSCLUST_{field[1].upper()}" if field else "TSCLUST_*"
    return SettingsError(
        f"environment variable {variable}, or one of its keys, is not JSON: expected JSON for a section or a list",
        f'Set single keys, as {variable}__KEY=value, and lists as {variable}__KEY=\'["a", "b"]\'',
    )
