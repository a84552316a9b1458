"""The kernels that describe a series -> tsclust/stages/features/kernels.wasm: .venv/bin/python wasm/make.py [FILE]

numba compiles them as ever, to the intermediate language of LLVM: for a plain processor and without vectors, so that
any x86-64 makes the same bytes. llvmlite, which numba brings, has a WebAssembly target. Of numba's runtime they need a
few functions, which stand in runtime.ll; from outside they need the power of two numbers. A linker, wasm-ld, is the
only thing that is not in the virtual environment: apt-get install lld.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
FILE = HERE.parent / "tsclust" / "stages" / "features" / "kernels.wasm"
STACK = 65_536  # bytes
LINKERS = ("wasm-ld", *(f"wasm-ld-{version}" for version in range(25, 13, -1)))
# As numba reads them when it is imported: a processor that all have, no vectors.
PLAIN = {
    "NUMBA_CPU_NAME": "generic", "NUMBA_CPU_FEATURES": "", "NUMBA_LOOP_VECTORIZE": "0", "NUMBA_SLP_VECTORIZE": "0",
}  # fmt: skip
ASKED = ("--export=describe", "--export=reset", "--export=alloc", f"--allow-undefined-file={HERE / 'imports.txt'}")
FORM = ("--no-entry", "--strip-all", "--gc-sections", "--stack-first", f"-zstack-size={STACK}")


def main() -> None:
    """Write the file, or the one that is named."""
    to = Path(sys.argv[1]) if len(sys.argv) > 1 else FILE
    with tempfile.TemporaryDirectory() as folder:  # numba's cache, too: nothing of an earlier run
        environment = os.environ | PLAIN | {"NUMBA_CACHE_DIR": folder, "PYTHONPATH": str(HERE.parent)}
        part = str(Path(folder) / "kernels.o")
        subprocess.run([sys.executable, str(HERE / "compile.py"), part], env=environment, check=True)
        subprocess.run([linker(), *FORM, *ASKED, part, "-o", str(to)], check=True)
    to.chmod(0o644)


def linker() -> str:
    """The newest wasm-ld there is. Raises SystemExit where there is none."""
    found = next(filter(None, map(shutil.which, LINKERS)), None)
    if found is None:
        raise SystemExit("there is no wasm-ld, which links WebAssembly. Run: apt-get install lld")
    return found


if __name__ == "__main__":
    main()
