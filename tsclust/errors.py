"""Everything that can go wrong, as one small tree. Each class has an exit code of its own (listed in the README).

TsclustError                1   any other error
├── SettingsError           3   tsclust.toml, TSCLUST_* or a flag has a value that cannot be used
├── NotAWorkspaceError      4   the folder has no tsclust.toml
├── WorkspaceBusyError      5   another tsclust is writing to this workspace
├── StageMissingError       6   a stage was run before the one it reads
├── ConnectError            7   no server answers, or it refuses the connection
├── QueryError              8   the server rejects the query: no such table, column, ...
├── NoSeriesError           9   the source (or what the rules leave of it) is empty
├── BadSeriesError          10  the source has series that cannot be read: no id, an id twice
├── DiskFullError           11  no space left where tsclust writes
├── DemoServerError         12  the embedded PostgreSQL does not start
├── SourceLostError         13  the connection broke, or the server stopped, while reading
├── DamagedError            14  a file of the workspace is not what tsclust wrote
├── SourceFileError         15  a file to read series from is cut off, encrypted, or of an unknown kind
├── AnswersError            16  an answers file is damaged, or not about this workspace's groups
└── DriftError              17  series have drifted since the model was trained (`score --check`)

2 is the command line itself (an unknown flag), 130 is Ctrl-C.
"""

from __future__ import annotations

from typing import Any

from tsclust.passwords import redacted


class TsclustError(Exception):
    """One line: the value, what was expected, and the next step. It shows no password."""

    exit_code = 1

    def __init__(self, problem: str, next_step: str) -> None:
        """`problem` names the value and what was expected; `next_step` is what the user does about it."""
        problem, next_step = redacted(one_line(problem)), redacted(one_line(next_step))
        super().__init__(f"{problem}{'' if problem.endswith('?') else '.'} {next_step}")
        self.problem = problem
        self.next_step = next_step

    def __reduce__(self) -> tuple[Any, ...]:
        """As it is, for another process: an exception would be made again of its one text."""
        return _as_it_was, (type(self), self.args, vars(self))


class SettingsError(TsclustError):
    exit_code = 3


class NotAWorkspaceError(TsclustError):
    exit_code = 4


class WorkspaceBusyError(TsclustError):
    exit_code = 5


class StageMissingError(TsclustError):
    exit_code = 6


class ConnectError(TsclustError):
    exit_code = 7


class QueryError(TsclustError):
    exit_code = 8


class NoSeriesError(TsclustError):
    exit_code = 9


class BadSeriesError(TsclustError):
    exit_code = 10


class DiskFullError(TsclustError):
    exit_code = 11


class DemoServerError(TsclustError):
    exit_code = 12


class SourceLostError(TsclustError):
    exit_code = 13


class DamagedError(TsclustError):
    exit_code = 14


class SourceFileError(TsclustError):
    exit_code = 15


class AnswersError(TsclustError):
    exit_code = 16


class DriftError(TsclustError):
    exit_code = 17


def _as_it_was(kind: type[TsclustError], args: tuple[Any, ...], state: dict[str, Any]) -> TsclustError:
    error = kind.__new__(kind, *args)
    vars(error).update(state)
    return error


def one_line(text: str) -> str:
    """`text` on one line: messages of servers and libraries come in several, and may carry control characters."""
    return " ".join("".join(c if c.isprintable() or c.isspace() else "?" for c in text).split()).rstrip(".")


def no_place_for_kernels(error: RuntimeError) -> TsclustError | None:
    """What numba means where it can write to no folder, neither the package's nor one in HOME; None: another error."""
    if "no locator available" not in str(error):
        return None
    return TsclustError(
        "there is no folder for compiled kernels: neither tsclust's own nor one below HOME can be written to",
        "Set NUMBA_CACHE_DIR to a folder that can",
    )
