"""Ctrl-C and SIGTERM end a process within two seconds, whatever it is doing. All of them run at the same time."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.endurance import times
from tests.support.signals import AT_MOST, Ended, ended, listens, started
from tests.support.workspaces import new_workspace
from tsclust.cli import AGAIN

COMMAND = """
import sys
from tsclust.cli import interruption
interruption.listen()
try:
    exec(sys.argv[1])
finally:
    interruption.leave()
"""  # what tsclust.cli.main does around a command
DEAF = "import hashlib; work = lambda: hashlib.pbkdf2_hmac('sha256', b'', b'', 2**31 - 1); print('ready', flush=True); "
WAITS = {  # what -> Python that says "ready" and is then busy for minutes
    "computing": DEAF + "work()",
    "its workers": "from concurrent.futures import ThreadPoolExecutor as Pool; " + DEAF
    + "Pool(2).submit(work).result()",
    "an engine's workers": "from tsclust.engine.threads import pool_of_threads; " + DEAF
    + "list(pool_of_threads(lambda _: work(), [1, 2], 2, lambda: None))",
    "a lazy query": "import polars as pl; print('ready', flush=True); "
    "pl.LazyFrame({'x': range(3_000_000)}).join(pl.LazyFrame({'y': range(3_000_000)}), how='cross')"
    ".select((pl.col('x') * pl.col('y') % 7).sum()).collect(engine='streaming')",
    "what swallows it": "import time; print('ready', flush=True)\n"
    "while True:\n    try: time.sleep(9)\n    except BaseException: pass",
    "a query after Polars took the handler": "import polars; " + DEAF + "work()",
    "a child that was forked": "import os, signal, time\n"
    "child = os.fork()\n"
    "if not child: time.sleep(60)\n"
    "time.sleep(0.2); os.kill(child, signal.SIGTERM); assert os.waitpid(child, 0)[1] == signal.SIGTERM\n"
    "time.sleep(1.5); print('ready', flush=True); time.sleep(60)",
}  # fmt: skip
HOW = {signal.SIGINT: (130, "interrupted"), signal.SIGTERM: (143, "terminated")}
Waiting = dict[tuple[str, signal.Signals], Ended]


@pytest.fixture(scope="module")
def waiting() -> Iterator[Waiting]:
    """How each of them ended: all are started, all are ready, all get the signal. Those that sleep come first, as the
    others take the processors from them."""
    processes: dict[tuple[str, signal.Signals], subprocess.Popen[str]] = {}
    for sleeps in (True, False):
        codes = {what: code for what, code in WAITS.items() if ("sleep" in code) == sleeps}
        now = {(what, how): started(["-c", COMMAND, code]) for what, code in codes.items() for how in HOW}
        for process in now.values():
            assert process.stdout
            assert process.stdout.readline() == "ready\n", process.communicate()[1]
        processes |= now
    time.sleep(0.1)
    for (_, how), process in processes.items():
        process.send_signal(how)
    begin, found = time.monotonic(), dict[tuple[str, signal.Signals], Ended]()
    threads = [threading.Thread(target=_end, args=(key, process, begin, found)) for key, process in processes.items()]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    yield found
    for process in processes.values():
        process.kill()


def _end(key: tuple[str, signal.Signals], process: subprocess.Popen[str], begin: float, found: Waiting) -> None:
    _, told = process.communicate(timeout=30)
    found[key] = Ended(process.returncode, time.monotonic() - begin, told)


@pytest.mark.slow
@pytest.mark.parametrize("how", HOW)
@pytest.mark.parametrize("what", WAITS)
def test_a_process_that_waits_for_(waiting: Waiting, what: str, how: signal.Signals) -> None:
    """Where Python itself hears nothing of it, it ends all the same."""
    code, word = HOW[how]
    found = waiting[what, how]
    assert found.code == code, found.told
    assert found.seconds < AT_MOST
    if "completed parts" in found.told:
        assert found.told.splitlines()[-1] == f"tsclust: {word}; completed parts were kept."


@pytest.fixture
def stalled() -> Iterator[int]:
    """The port of a server that accepts connections and never answers."""
    with socket.create_server(("127.0.0.1", 0), backlog=50) as server:
        yield int(server.getsockname()[1])


@pytest.mark.parametrize("how", HOW)
def test_a_command_whose_server_stalls(workspace_dir: Path, stalled: int, how: signal.Signals) -> None:
    new_workspace(workspace_dir)
    dsn = f"postgresql://anna@127.0.0.1:{stalled}/x"
    process = started(["-m", "tsclust", "extract", "-w", workspace_dir], {"TSCLUST_DSN": dsn})
    while not (workspace_dir / ".tsclust.lock").exists():
        time.sleep(0.01)
    found, (code, word) = ended(process, how), HOW[how]
    assert (found.code, found.told) == (code, f"tsclust: {word}; completed parts were kept.\n")
    assert found.seconds < AT_MOST


@pytest.mark.endurance
def test_at_any_moment_from_its_start_on(tmp_path: Path) -> None:
    """0 to 500 ms after the process was started. Only Python's own start, before our first line, is Python's."""
    own = 0
    for moment in range(0, 500, times(100, 2)):
        process = started(["-m", "tsclust", "status", "-w", tmp_path / "none"])
        time.sleep(moment / 1000)
        ours = listens(process)
        how = list(HOW)[moment // times(100, 2) % 2]
        found, (code, word) = ended(process, how), HOW[how]
        if ours and found.code != 4:  # else it was done
            own += 1
            assert found.code == code, (moment, found.told)
            assert found.told.splitlines()[-1] == f"tsclust: {word}; completed parts were kept."
            assert "Traceback" not in found.told
    assert own


@pytest.mark.parametrize("how", HOW)
@pytest.mark.parametrize("moment", [0.0, 0.05, 0.15])
def test_from_its_first_line_on(tmp_path: Path, moment: float, how: signal.Signals) -> None:
    """While it still imports, too."""
    process = started(["-m", "tsclust", "status", "-w", tmp_path / "none"])
    while not listens(process):
        time.sleep(0.001)
    time.sleep(moment)
    found, (code, word) = ended(process, how), HOW[how]
    assert (found.code, found.told) == (code, f"tsclust: {word}; completed parts were kept.\n")


def test_from_its_first_line_on_for_a_script(tmp_path: Path) -> None:
    process = started(["-m", "tsclust", "status", "--json", "-w", tmp_path / "none"])
    while not listens(process):
        time.sleep(0.001)
    found = ended(process, signal.SIGINT)
    problem = {"code": 130, "error": "interrupted; completed parts were kept", "next": AGAIN}
    assert found.told == json.dumps(problem) + "\n"


def test_nothing_is_imported_before_it_listens() -> None:
    words = "import sys; before = {*sys.modules, '__future__'}; import tsclust.cli; print(*{*sys.modules} - before)"
    done = subprocess.run([sys.executable, "-c", words], capture_output=True, text=True, check=True)
    assert set(done.stdout.split()) == {"tsclust", "tsclust.cli"}


@pytest.mark.slow
def test_who_starts_it_may_have_switched_ctrl_c_off(workspace_dir: Path, stalled: int) -> None:
    """nohup, or & in a script: then only SIGTERM counts."""
    new_workspace(workspace_dir)
    environment = {"TSCLUST_DSN": f"postgresql://anna@127.0.0.1:{stalled}/x"}
    process = started(
        ["-m", "tsclust", "extract", "-w", workspace_dir], environment,
        lambda: signal.signal(signal.SIGINT, signal.SIG_IGN),
    )  # fmt: skip
    while not (workspace_dir / ".tsclust.lock").exists():
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(0.5)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=30)
    assert process.returncode == 143
