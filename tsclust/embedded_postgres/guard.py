"""A small shell that starts one program, outlives us, and sees to it that program and folder end when we do.

It holds the reading end of a pipe, the leash, and this process the other one. When this process is gone (an error,
Ctrl-C, SIGTERM, kill -9) the pipe closes and the guard stops its program: no signal handler, no thread, nothing to
forget. When the program has ended, however it ended, the guard removes its folder. So as long as the folder exists,
the program runs.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import time
from collections.abc import Callable, Sequence
from io import FileIO
from pathlib import Path

from tsclust.embedded_postgres.install import Account

# $1 is the folder, stdin the leash (kept as 3: `&` takes stdin away): its first line is the program's command, a second
# one lets the program go. `( ) &` makes the guard nobody's child. SIGINT, to PostgreSQL a fast shutdown, is repeated:
# a server that is just starting does not hear the first.
_SCRIPT = """
umask 077; exec 3<&0; folder=$1
(
    IFS= read -r command <&3
    if [ "$command" ]; then
        eval "exec $command" 3<&- & program=$!
        { read -r go <&3; [ "$go" ] || while [ -d "$folder" ] && kill -INT "$program"; do sleep 0.2; done; } &
        exec 3<&-
        wait "$program"
    fi
    rm -rf "$folder"
) &
"""


class Guard:
    """Over `folder`, which is ours and the account's, and whatever is started in its name."""

    def __init__(self, folder: Path, account: Account) -> None:
        """Post the guard. Raises OSError or CalledProcessError where that cannot be; the folder is gone then too."""
        self.folder = folder
        theirs, ours = os.pipe()
        self._leash = FileIO(ours, "w")
        try:
            # In a session of its own: the terminal's Ctrl-C is for us alone.
            subprocess.run(
                ["/bin/sh", "-c", _SCRIPT, "tsclust-guard", folder],
                stdin=theirs, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
                check=True, **account.popen,
            )  # fmt: skip
        except BaseException:
            self.dismiss()
            shutil.rmtree(folder, ignore_errors=True)
            raise
        finally:
            os.close(theirs)

    def start(self, command: Sequence[str | Path], log: Path) -> None:
        """Start the program, its output going to `log`."""
        line = f"{shlex.join(map(str, command))} </dev/null >>{shlex.quote(str(log))} 2>&1\n"
        self._leash.write(line.encode())

    def let_go(self) -> None:
        """Let the program outlive this process."""
        if not self._leash.closed:
            self._leash.write(b"go\n")
            self._leash.close()

    def dismiss(self) -> None:
        """Have the program, if it still runs and was not let go, ended; this does not wait for it."""
        self._leash.close()


def until(done: Callable[[], bool], seconds: float) -> bool:
    """Wait for `done`, at most so long; True when it came."""
    deadline = time.monotonic() + seconds
    while not done():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True
