"""Looks into a checkpoint without running it.

A pickle can name any callable and have it called while it loads. The opcodes that do so can be read without executing
them: a file is safe to load if every name in it is on the list below.
"""

from __future__ import annotations

import pickletools
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

_ALLOWED = {
    "collections": {"OrderedDict", "defaultdict", "deque", "Counter"},
    "builtins": {
        "set",
        "frozenset",
        "list",
        "dict",
        "tuple",
        "int",
        "float",
        "complex",
        "bool",
        "str",
        "bytes",
        "bytearray",
        "slice",
        "range",
    },
    "__builtin__": {"set", "frozenset", "long", "unicode"},
    "copy_reg": {"_reconstructor"},
    "copyreg": {"_reconstructor"},
    "_codecs": {"encode"},
    "torch._utils": {
        "_rebuild_tensor_v2",
        "_rebuild_tensor_v3",
        "_rebuild_parameter",
        "_rebuild_tensor",
        "_rebuild_parameter_with_state",
    },
    "torch": {
        "Size",
        "device",
        "Tensor",
        "dtype",
        "float32",
        "float16",
        "bfloat16",
        "float64",
        "int64",
        "int32",
        "int16",
        "int8",
        "uint8",
        "bool",
    },
    "torch.nn.parameter": {"Parameter"},
    "torch.serialization": {"_get_layout"},
    "numpy": {"ndarray", "dtype"},
    "numpy.core.multiarray": {"_reconstruct", "scalar"},
    "numpy._core.multiarray": {"_reconstruct", "scalar"},
    "numpy.core.numeric": {"_frombuffer"},
    "numpy._core.numeric": {"_frombuffer"},
    "mmengine.logging.history_buffer": {
        "HistoryBuffer",
        "HistoryBuffer.min",
        "HistoryBuffer.max",
        "HistoryBuffer.mean",
        "HistoryBuffer.current",
    },
    "mmengine.config.config": {"ConfigDict"},
}
_STRINGS = {"SHORT_BINUNICODE", "BINUNICODE", "BINUNICODE8", "UNICODE", "SHORT_BINSTRING", "BINSTRING", "STRING"}
_GETATTR = {("builtins", "getattr"), ("__builtin__", "getattr")}
_MEMO = {"BINPUT", "LONG_BINPUT", "PUT", "MEMOIZE"}
_PUSHES = _STRINGS | {"GLOBAL", "BINGET", "LONG_BINGET", "GET"}
# torch before 1.6 wrote one stream: this number, a version, facts of the machine, the object, the storages' names, and
# their raw contents. torch.load reads exactly these five pickles.
_LEGACY_MAGIC = 0x1950A86A20F9469CFC6C
_LEGACY_PICKLES = 5


class UnsafeCheckpointError(ValueError):
    """A checkpoint names something that loading it would execute."""


def pickle_globals(data: bytes) -> Iterator[tuple[str, str]]:
    """Everything that a pickle imports, read from its opcodes.

    Python and torch write the two strings of an import directly before it. Where they come by another way (left on the
    stack by a POP, taken out of a tuple) they are given as ``<computed>``, which is on no list. The older protocols
    write ``getattr(Class, "method")`` for a class's method: it is given as the method if nothing else can be meant.

    Args:
        data: The pickle's bytes.

    Yields:
        (module, name) pairs.

    Raises:
        ValueError: The pickle is truncated or damaged.
    """
    pushed: list = [None] * 3  # the last values pushed: a string, a (module, name), or None where it is not known
    memo: dict[int, str | tuple[str, str] | None] = {}
    argument: Any  # a string, a number or nothing, by the opcode
    value: Any
    for opcode, argument, _ in pickletools.genops(data):
        if opcode.name in _MEMO:
            memo[len(memo) if argument is None else int(argument)] = pushed[-1]
            continue
        if opcode.name in ("PROTO", "FRAME"):
            continue
        method = pushed[0] in _GETATTR and isinstance(pushed[1], tuple) and isinstance(pushed[2], str)
        if method and opcode.name == "TUPLE2":
            yield pushed[1][0], f"{pushed[1][1]}.{pushed[2]}"
            pushed = [None, None, "getattr"]
            continue
        if pushed[0] in _GETATTR:  # two values later: no call with a class and a name
            yield pushed[0]
        if opcode.name not in _PUSHES:
            yield from (value for value in pushed[1:] if value in _GETATTR)
        if opcode.name in ("GLOBAL", "INST"):
            module, _, name = argument.partition(" ")
            value = module, name
        elif opcode.name == "STACK_GLOBAL":
            value = tuple(part if isinstance(part, str) else "<computed>" for part in pushed[1:])
        elif opcode.name in ("EXT1", "EXT2", "EXT4"):
            value = "<extension registry>", str(argument)
        elif opcode.name in _STRINGS:
            value = argument
        elif opcode.name in ("BINGET", "LONG_BINGET", "GET"):
            value = memo.get(int(argument))
        else:
            pushed = [None] * 3
            continue
        if isinstance(value, tuple) and value not in _GETATTR:
            yield value
        # What an INST or STACK_GLOBAL leaves below itself is not known.
        pushed = [*pushed[1:], value] if opcode.name in _PUSHES else [None, None, value]


def is_allowed(module: str, name: str) -> bool:
    """Whether a pickle may name this: what tensors and plain values are made of."""
    return name in _ALLOWED.get(module, ()) or (module == "torch" and name.endswith("Storage") and "." not in name)


def _pickles(path: Path) -> Iterator[bytes]:
    # torch goes by the first bytes, zipfile by the last ones: they must mean the same archive.
    with path.open("rb") as file:
        starts = file.read(4) == b"PK\x03\x04"
    if not starts:
        yield from _legacy_pickles(path)
        return
    if not zipfile.is_zipfile(path):
        raise ValueError(f"checkpoint {path}: truncated or no torch checkpoint, expected a zip archive with data.pkl")
    with zipfile.ZipFile(path) as archive:
        entries = archive.infolist()
        if min((entry.header_offset for entry in entries), default=0):
            raise ValueError(f"checkpoint {path}: other data stands before the archive; torch.save did not write it")
        # By entry, not by name: two may have the same one. Torch's reader takes either case.
        pickles = [entry for entry in entries if entry.filename.lower().endswith(".pkl")]
        if not pickles:
            raise ValueError(f"checkpoint {path}: the archive has no data.pkl; it was not written by torch.save")
        for entry in pickles:
            yield archive.read(entry)


def _legacy_pickles(path: Path) -> Iterator[bytes]:
    """The pickles that torch.load reads from a file as torch wrote them before 1.6."""
    refusal = f"checkpoint {path}: truncated or no torch checkpoint, expected a zip archive or a stream of torch < 1.6"
    # torch.load asks for these two before it looks for the stream.
    if tarfile.is_tarfile(path) or zipfile.is_zipfile(path):
        raise ValueError(refusal)
    with path.open("rb") as file:
        for number in range(_LEGACY_PICKLES):
            start = file.tell()
            try:
                opcodes = [(opcode.name, argument) for opcode, argument, _ in pickletools.genops(file)]
            except ValueError as error:
                raise ValueError(refusal) from error
            if number == 0 and ("LONG1", _LEGACY_MAGIC) not in opcodes:
                raise ValueError(refusal)
            end = file.tell()
            file.seek(start)
            yield file.read(end - start)


def check_checkpoint(path: str | Path) -> None:
    """Refuse a checkpoint that is missing, truncated or would execute code.

    Args:
        path: A file that torch.save wrote.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: Not a torch checkpoint.
        UnsafeCheckpointError: It names a callable that is not on the list; nothing has been executed.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"checkpoint {path}: no such file")
    for data in _pickles(path):
        check_pickle(path, data)


def check_pickle(path: Path, data: bytes) -> None:
    """Refuse a pickle that is truncated or would execute code.

    Args:
        path: The file that it comes from, for errors.
        data: The pickle's bytes.

    Raises:
        ValueError: The pickle is truncated or damaged.
        UnsafeCheckpointError: It names a callable that is not on the list; nothing has been executed.
    """
    try:
        found = set(pickle_globals(data))
    except ValueError as error:
        raise ValueError(f"checkpoint {path}: truncated or damaged, its pickle ends early ({error})") from error
    refused = sorted(f"{module}.{name}" for module, name in found if not is_allowed(module, name))
    if refused:
        raise UnsafeCheckpointError(
            f"checkpoint {path}: loading it would execute {', '.join(refused)}; expected tensors and plain values"
        )
