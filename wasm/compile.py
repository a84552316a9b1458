"""numba's kernels -> an object file for WebAssembly: make.py runs this in a process of its own."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import llvmlite.binding as llvm
from numba import carray, cfunc, types

from tsclust.stages.features import kernels

TRIPLE = "wasm32-unknown-unknown"
RUNTIME = Path(__file__).with_name("runtime.ll")
ROW, ENDS, WIDTH = types.CPointer(types.float64), types.CPointer(types.int64), kernels.WIDTH
# What is called where a kernel raises an exception, which none does: the run would end there.
PYTHON = re.compile(
    r"^declare (?P<gives>\S+) (?P<name>@(?:Py\w+|numba_(?:unpickle|do_raise|runtime\w+)))\((?P<takes>.*?)\).*$", re.M
)
ENDED = "{{\n  call void @llvm.trap()\n  unreachable\n}}"
# The one instruction of x86: it counts the users of a block of memory.
COUNTING = "@llvm.x86.atomic.sub.cc.i64"
# numba's text -> what any processor knows.
REPLACED = (
    (rf"^declare .*{re.escape(COUNTING)}\(.*$", "declare i8 @release(ptr, i64, i32)"),
    (re.escape(COUNTING), "@release"),
    (r'"target-cpu"="[^"]*"|"target-features"="[^"]*"', ""),
    (r"= common ((?:local_unnamed_addr )?)global", r"= internal \1global"),
    # What an exception would say, with the path of a file on this machine.
    (r"^(@\.const\.pickledata\S* = internal constant ).*$", r"\1[1 x i8] zeroinitializer"),
    (r"^(@\.const\.picklebuf\S* = internal constant ).*$", r"\1{ ptr, i32, ptr, ptr, i32 } zeroinitializer"),
    (r"^(@PyExc_\w+ = )external (.*global i8)", r"\1internal \2 0"),
)
_describe_all = kernels._describe_all


@cfunc(types.void(ROW, ENDS, types.int64, ROW))  # type: ignore[untyped-decorator]
def describe(values, offsets, sign, out):  # type: ignore[no-untyped-def]
    """The features of one series, of offsets[1] values, into out."""
    ends = carray(offsets, (2,))
    _describe_all(carray(values, (ends[1],)), ends, sign, carray(out, (1, WIDTH)))


def portable(text: str, head: str) -> str:
    """The module for another target, its entry called `describe`."""
    text = re.sub(r'target (?:triple|datalayout) = ".*"\n', "", text)
    for pattern, by in REPLACED:
        text = re.sub(pattern, by, text, flags=re.M)
    text = PYTHON.sub(
        lambda found: f"define internal {found['gives']} {found['name']}({found['takes']}) " + ENDED.format(), text
    )
    entry = describe.native_name
    return (
        head
        + text.replace(f'@"{entry}"', "@describe").replace(f"@{entry}", "@describe")
        + "\ndeclare void @llvm.trap()\n"
    )


def main() -> None:
    """Write the object file that is named."""
    llvm.initialize_all_targets()
    llvm.initialize_all_asmprinters()
    target = llvm.Target.from_triple(TRIPLE).create_target_machine(opt=2, features="+bulk-memory")
    head = f'target triple = "{TRIPLE}"\ntarget datalayout = "{target.target_data}"\n'
    module = llvm.parse_assembly(portable(describe.inspect_llvm(), head))
    module.link_in(llvm.parse_assembly(head + RUNTIME.read_text(encoding="utf-8")))
    module.verify()
    Path(sys.argv[1]).write_bytes(target.emit_object(module))


main()
