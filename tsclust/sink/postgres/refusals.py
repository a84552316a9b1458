"""What a server's refusals mean for who writes: reading has other next steps (see session)."""

from __future__ import annotations

from dataclasses import dataclass

from psycopg import errors, sql

from tsclust.errors import BadSeriesError, QueryError, SettingsError, SourceLostError
from tsclust.source.postgres.session import Connection, Meanings

_WHO = """
    SELECT quote_ident(current_user), quote_ident(current_database()),
      quote_ident(coalesce(%s, current_schema(), 'public'))"""
_OTHER = "name one that does not exist yet, or one made by tsclust"
# A connection that breaks at the very end leaves open which of the two it is: only what is always true is said.
_WHOLE = "Either all rows are written or none"
# The first class that fits.
MEANINGS: Meanings = (
    ((errors.InvalidSchemaName,), SettingsError, "Name a schema that exists, or create it: CREATE SCHEMA"),
    (
        (errors.ReadOnlySqlTransaction,),
        QueryError,
        "This server or role is read-only: point TSCLUST_DSN at one that can write (a standby's primary)",
    ),
    (
        (errors.CharacterNotInRepertoire, errors.UntranslatableCharacter),
        BadSeriesError,
        "This database's encoding cannot hold it: write to one in UTF8, or to a file",
    ),
    (
        (errors.DatatypeMismatch, errors.DataError, errors.UndefinedFunction),
        QueryError,
        f"The table's columns do not hold these values: {_OTHER}",
    ),
    (
        (errors.WrongObjectType, errors.ObjectNotInPrerequisiteState, errors.FeatureNotSupported),
        SettingsError,
        f"It is not a table that can be written to: {_OTHER}",
    ),
    ((errors.IntegrityError,), QueryError, f"A constraint of the table refuses the rows: drop it, or {_OTHER}"),
    (
        (errors.LockNotAvailable, errors.DeadlockDetected, errors.SerializationFailure),
        SourceLostError,
        "Another session writes to it: try again later",
    ),
    ((errors.QueryCanceled,), SourceLostError, "It was cancelled on the server and nothing written: run it again"),
    (
        (errors.DiskFull, errors.OutOfMemory),
        SourceLostError,
        "The server is out of space: free some; nothing is lost",
    ),
    (
        (errors.OperationalError, errors.InternalError),
        SourceLostError,
        f"{_WHOLE}: check the server and the network, then run it again",
    ),
    ((errors.Error,), QueryError, f"{_WHOLE}: look into it with psql, then run it again"),
)


@dataclass(frozen=True)
class Grants:
    """Who asks for what, as it is written in SQL."""

    user: str  # also a role that was set
    database: str
    schema: str  # where the table is, or would be made

    @classmethod
    def of(cls, connection: Connection, parts: tuple[str, ...]) -> Grants:
        row = connection.execute(_WHO, [parts[0] if len(parts) > 1 else None]).fetchone()
        return cls(*row or ("", "", ""))

    def to_find(self) -> Meanings:
        return self._granted(f"USAGE ON SCHEMA {self.schema}")

    def to_make(self) -> Meanings:
        return self._granted(f"USAGE, CREATE ON SCHEMA {self.schema}")

    def to_write(self, place: sql.Identifier) -> Meanings:
        return self._granted(f"SELECT, INSERT, DELETE ON {place.as_string()}")

    def to_gather(self) -> Meanings:
        return self._granted(f"TEMPORARY ON DATABASE {self.database}")

    def _granted(self, right: str) -> Meanings:
        step = f"Ask the owner to run: GRANT {right} TO {self.user}"
        return (((errors.InsufficientPrivilege,), QueryError, step), *MEANINGS)
