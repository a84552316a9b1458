"""A model as a file, by skops: arrays and settings of scikit-learn's own types; nothing is run when it is read.

skops counts the trees of a forest as unsafe, since their code trusts the numbers in them: these are checked here.
"""

from __future__ import annotations

import io
import math
import re
import tokenize
import zipfile
import zlib
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np

from tsclust.errors import DamagedError

# What reading a zip of JSON and arrays can meet where somebody has changed it.
WRONG = (
    zipfile.BadZipFile, zlib.error, OSError, EOFError, LookupError, ValueError, TypeError, AttributeError,
    ArithmeticError, AssertionError, RuntimeError,  # nested too deep, encrypted, or packed in a way that nobody knows
    SyntaxError, tokenize.TokenError, MemoryError,  # the head of an array is read as Python's literals
)  # fmt: skip
T = TypeVar("T")
SCHEMA = "schema.json"
ID, NAME = re.compile(r'("__id__": )(\d+)'), re.compile(r'"(\d+)\.npy"')
TREE = "sklearn.tree._tree.Tree"
LARGEST = 2_000_000_000  # bytes of a model, unpacked
# What to do about a bundle that is not what it was: whoever has only the bundle cannot train.
AGAIN = "Copy the folder model/ again, or train it again where it came from: tsclust train"


def dumps(content: dict[str, Any]) -> bytes:
    """Estimators of scikit-learn, arrays, numbers and texts as bytes."""
    import skops.io  # a second to import; who trains or reads no model does without

    return _named_anew(skops.io.dumps(content))


def _named_anew(packed: bytes) -> bytes:
    """The same content as the same bytes: skops calls objects and files by their places in memory, and the hour."""
    numbers: dict[str, str] = {}
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(packed)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        schema = ID.sub(lambda m: m[1] + numbers.setdefault(m[2], str(1 + len(numbers))), old.read(SCHEMA).decode())
        schema = NAME.sub(lambda m: f'"{numbers[m[1]]}.npy"', schema)
        names = {name: f"{numbers[name.removesuffix('.npy')]}.npy" for name in old.namelist() if name != SCHEMA}
        for name in sorted(names, key=lambda one: int(names[one].removesuffix(".npy"))):
            new.writestr(zipfile.ZipInfo(names[name]), old.read(name), zipfile.ZIP_DEFLATED)
        new.writestr(zipfile.ZipInfo(SCHEMA), schema, zipfile.ZIP_DEFLATED)
    return out.getvalue()


def loads(content: bytes, features: int, largest: int = LARGEST) -> dict[str, Any]:
    """What was dumped, of at most `largest` bytes unpacked. Raises DamagedError for anything but a pipeline of
    `classifier.candidates`, arrays, numbers and texts; and for trees that could not have grown on `features` features.
    """
    return refusing_damage(lambda: _classifier(_loaded(content, largest), features))


def _classifier(found: Any, features: int) -> dict[str, Any]:
    """What was loaded, where it is a classifier of tsclust: those of classifier.candidates."""
    from sklearn.ensemble import ExtraTreesClassifier
    from sklearn.linear_model import LogisticRegression
    from sklearn.preprocessing import StandardScaler
    from sklearn.tree import ExtraTreeClassifier

    pipelines = ((StandardScaler, LogisticRegression), (ExtraTreesClassifier,))
    if not isinstance(found, dict) or _steps(found.get("estimator")) not in pipelines:
        raise _damaged("it contains no classifier of tsclust")
    for one in getattr(found["estimator"].steps[-1][1], "estimators_", ()):
        if type(one) is not ExtraTreeClassifier or not _grown(one.tree_, features):
            raise _damaged("a tree in it is broken")
    return found


def refusing_damage(read: Callable[[], T]) -> T:
    """What `read` gives. Raises DamagedError for all that a changed file may cause in it."""
    try:
        return read()
    except WRONG as error:
        raise _damaged(f"{type(error).__name__}: {error}") from None


def _loaded(content: bytes, largest: int) -> Any:
    with zipfile.ZipFile(io.BytesIO(content)) as packed:
        size = sum(info.file_size for info in packed.infolist())
        if size > largest:
            raise ValueError(f"it has {size:,} bytes unpacked, expected at most {largest:,}")
        for info in packed.infolist():
            if info.filename.endswith(".npy"):
                _refuse_overstated(packed, info)
    return _of_known_types(content)


def _of_known_types(content: bytes) -> Any:
    import skops.io  # see `dumps`
    from skops.io.exceptions import UntrustedTypesFoundException

    try:
        return skops.io.loads(content, trusted=[TREE])
    except UntrustedTypesFoundException as error:
        raise _damaged(f"it contains types that do not belong in a model: {error}") from None


def _refuse_overstated(packed: zipfile.ZipFile, info: zipfile.ZipInfo) -> None:
    """Raises ValueError for an array that claims more numbers than are there: memory is taken for all of them."""
    with packed.open(info) as file:
        read = np.lib.format.read_array_header_1_0, np.lib.format.read_array_header_2_0
        shape, _, kind = read[np.lib.format.read_magic(file) > (1, 0)](file)
        expected = math.prod(shape) * kind.itemsize + file.tell()
    if expected != info.file_size:
        raise ValueError(f"{info.filename} has {info.file_size:,} bytes, expected {expected:,}")


def _damaged(why: str) -> DamagedError:
    return DamagedError(f"the model cannot be read: {why}"[:500], AGAIN)


def _steps(estimator: Any) -> tuple[type, ...]:
    """The types of the steps of a pipeline."""
    from sklearn.pipeline import Pipeline

    return tuple(type(step) for _, step in estimator.steps) if type(estimator) is Pipeline else ()


def _grown(tree: Any, features: int) -> bool:
    """Whether every way down a tree ends at a leaf: children come after their parent, and split a feature that is."""
    left, right, n = tree.children_left, tree.children_right, tree.node_count
    inner, at = left != -1, np.arange(n)
    down = ((left > at) & (left < n) & (right > at) & (right < n))[inner].all()
    split = ((tree.feature >= 0) & (tree.feature < features))[inner].all()
    return bool(n and down and split and (right[~inner] == -1).all() and tree.n_features == features)
