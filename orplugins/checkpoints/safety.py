"""Looks into a checkpoint without running it.

A pickle can name any callable and have it called while it loads. The opcodes that do so can be read without executing
them: a file is safe to load if every name in it is on the list below.
"""

from __future__ import annotations

import pickletools
import zipfile
from collections.abc import Iterator
from pathlib import Path

_ALLOWED = {
    "collections": {"OrderedDict", "defaultdict", "deque", "Counter"},
    "builtins": {"set", "frozenset", "list", "dict", "tuple", "int", "float", "complex", "bool", "str", "bytes",
                 "bytearray", "slice", "range"},
    "__builtin__": {"set", "frozenset", "long", "unicode"},
    "copy_reg": {"_reconstructor"},
    "copyreg": {"_reconstructor"},
    "_codecs": {"encode"},
    "torch._utils": {"_rebuild_tensor_v2", "_rebuild_tensor_v3", "_rebuild_parameter", "_rebuild_tensor",
                     "_rebuild_parameter_with_state"},
    "torch": {"Size", "device", "Tensor", "dtype", "float32", "float16", "bfloat16", "float64", "int64", "int32",
              "int16", "int8", "uint8", "bool"},
    "torch.nn.parameter": {"Parameter"},
    "torch.serialization": {"_get_layout"},
    "numpy": {"ndarray", "dtype"},
    "numpy.core.multiarray": {"_reconstruct", "scalar"},
    "numpy._core.multiarray": {"_reconstruct", "scalar"},
    "numpy.core.numeric": {"_frombuffer"},
    "numpy._core.numeric": {"_frombuffer"},
    "mmengine.logging.history_buffer": {"HistoryBuffer"},
    "mmengine.config.config": {"ConfigDict"},
}
_STRINGS = {"SHORT_BINUNICODE", "BINUNICODE", "BINUNICODE8", "UNICODE", "SHORT_BINSTRING", "BINSTRING", "STRING"}


class UnsafeCheckpointError(ValueError):
    """A checkpoint names something that loading it would execute."""


def pickle_globals(data: bytes) -> Iterator[tuple[str, str]]:
    """(module, name) of everything that a pickle imports, read from its opcodes."""
    strings: list[str | None] = []
    memo: dict[int, str | None] = {}
    top: str | None = None
    for opcode, argument, _ in pickletools.genops(data):
        if opcode.name in ("GLOBAL", "INST"):
            module, _, name = argument.partition(" ")
            yield module, name
            top = None
        elif opcode.name == "STACK_GLOBAL":
            module, name = strings[-2:] if len(strings) >= 2 else (None, None)
            yield module or "<computed>", name or "<computed>"
            top = None
        elif opcode.name in _STRINGS:
            top = argument
            strings.append(argument)
        elif opcode.name in ("BINPUT", "LONG_BINPUT", "PUT"):
            memo[int(argument)] = top
        elif opcode.name == "MEMOIZE":
            memo[len(memo)] = top
        elif opcode.name in ("BINGET", "LONG_BINGET", "GET"):
            top = memo.get(int(argument))
            strings.append(top)
        else:
            top = None


def _allowed(module: str, name: str) -> bool:
    return name in _ALLOWED.get(module, ()) or (module == "torch" and name.endswith("Storage"))


def _pickles(path: Path) -> Iterator[bytes]:
    if not zipfile.is_zipfile(path):
        # The format of torch before 1.6: several pickles, then raw tensors, in one stream.
        raise ValueError(f"checkpoint {path}: truncated or no torch checkpoint, expected a zip archive with data.pkl")
    with zipfile.ZipFile(path) as archive:
        names = [name for name in archive.namelist() if name.endswith(".pkl")]
        if not names:
            raise ValueError(f"checkpoint {path}: the archive has no data.pkl; it was not written by torch.save")
        for name in names:
            yield archive.read(name)


def check_checkpoint(path: str | Path) -> None:
    """Refuse a file that is missing, truncated or would execute code.

    Raises:
        FileNotFoundError: No such file.
        ValueError: Not a torch checkpoint.
        UnsafeCheckpointError: It names a callable that is not on the list; nothing has been executed.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"checkpoint {path}: no such file")
    for data in _pickles(path):
        try:
            found = set(pickle_globals(data))
        except ValueError as error:
            raise ValueError(f"checkpoint {path}: data.pkl is damaged ({error})") from error
        refused = sorted(f"{module}.{name}" for module, name in found if not _allowed(module, name))
        if refused:
            raise UnsafeCheckpointError(
                f"checkpoint {path}: loading it would execute {', '.join(refused)}; expected tensors and plain values"
            )
