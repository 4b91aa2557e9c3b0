"""What a file of weights is, told by its content and never by its name, and whether it holds only weights.

Nothing in a file is executed, whatever it says: its readers build tensors and plain values themselves.
"""

from __future__ import annotations

import io
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Literal

from orplugins.io.files import require_file
from orplugins.io.pickle_opcodes import read_pickle
from orplugins.io.pickle_values import UnsafePickleError
from orplugins.io.torch_files import TorchFile, is_torch_file
from orplugins.io.torch_tensors import torch_builders

Source = str | os.PathLike | IO[bytes]
Kind = Literal["torch", "safetensors", "pickle"]
_MOST_BYTES = 1 << 40
_MOST_HEADER, _MOST_PICKLE = 25_000_000, 1 << 32
_EXPECTED = "expected a zip archive or a stream of torch < 1.6"


class UnsafeCheckpointError(ValueError):
    """A file of weights holds something that loading it would execute."""


def kind_of(file: IO[bytes]) -> Kind:
    """Which of the forms a file has.

    Args:
        file: A binary file that can be sought.

    Returns:
        "torch" (what torch.save wrote, either form), "safetensors", or "pickle", which is all else.
    """
    size = file.seek(0, 2)
    file.seek(0)
    start = file.read(32)
    if is_torch_file(start):
        return "torch"
    header = int.from_bytes(start[:8], "little")
    return "safetensors" if start[8:9] == b"{" and header <= size - 8 else "pickle"


def check_checkpoint(source: Source, model_zoo: bool = False) -> None:
    """Refuse a file of weights that is missing, damaged, or holds other things than weights and plain values.

    Args:
        source: A file, or one open in binary mode.
        model_zoo: Take a bare pickle of arrays too, as detectron2's model zoo has them.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: Truncated, damaged, or none of the forms.
        UnsafeCheckpointError: Loading it by other readers would execute code; nothing has been executed.
    """
    with opened(source) as (file, name), named_errors(name):
        kind = kind_of(file)
        if kind == "torch":
            TorchFile(file)
        elif kind == "safetensors":
            safetensors_header(file)
        else:
            read_bare_pickle(file, model_zoo)


def read_bare_pickle(file: IO[bytes], allowed: bool = True) -> Any:
    """Read a pickle of arrays, which fills its file.

    Args:
        file: A binary file that can be sought.
        allowed: Whether such a file is expected; if not, it is only looked at to say what is wrong with it.

    Raises:
        UnsafePickleError: It names something else than arrays and plain values.
        ValueError: Cut off, no pickle, or not expected.
    """
    size = file.seek(0, 2)
    file.seek(0)
    if size > _MOST_PICKLE:
        raise ValueError(f"truncated or no torch checkpoint; {_EXPECTED}")
    try:
        value = read_pickle(file, torch_builders(None, {}))
    except UnsafePickleError:
        raise
    except ValueError as error:
        raise ValueError(f"truncated or no torch checkpoint: {error}; {_EXPECTED}") from None
    if not allowed or not isinstance(value, dict):
        raise ValueError(f"truncated or no torch checkpoint: a pickle of a {type(value).__name__}; {_EXPECTED}")
    if file.read(1):
        raise ValueError("other data follow its pickle")
    return value


def safetensors_header(file: IO[bytes]) -> dict:
    """Read the header of a safetensors file: what each tensor is, and ``__metadata__``.

    Args:
        file: A binary file that can be sought.

    Raises:
        ValueError: Too long, or not JSON.
    """
    size = file.seek(0, 2)
    file.seek(0)
    length = int.from_bytes(file.read(8), "little")
    if length > _MOST_HEADER:
        raise ValueError(f"a header of {length} bytes, expected at most {_MOST_HEADER} of a safetensors file")
    try:
        header = json.loads(file.read(length).decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise ValueError(f"truncated or not a safetensors file (its header: {error})") from None
    try:
        end = max((entry["data_offsets"][1] for name, entry in header.items() if name != "__metadata__"), default=0)
    except (TypeError, LookupError):
        raise ValueError("truncated or not a safetensors file (its header's data_offsets)") from None
    if end != size - 8 - length:
        raise ValueError(f"truncated or not a safetensors file ({size - 8 - length} bytes of numbers, expected {end})")
    return header


@contextmanager
def opened(source: Source) -> Iterator[tuple[IO[bytes], str]]:
    """Open a file of weights.

    Args:
        source: A path, or a file that is open in binary mode, which stays open.

    Yields:
        The file, which can be sought, and its name for errors.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: A folder, pipe or device.
    """
    if isinstance(source, (str, os.PathLike)):
        path = Path(os.path.expanduser(source))
        try:
            require_file(path, "a file of weights", _MOST_BYTES)
        except (FileNotFoundError, ValueError) as error:
            raise type(error)(f"checkpoint {error}") from None
        with path.open("rb") as file:
            yield file, str(path)
    elif source.seekable() and hasattr(source, "readinto"):
        yield source, str(getattr(source, "name", "in memory"))
    else:
        yield io.BytesIO(source.read()), str(getattr(source, "name", "in memory"))


@contextmanager
def named_errors(name: str) -> Iterator[None]:
    """Have what is refused in the block say which file it is, in one line."""
    try:
        yield
    except UnsafePickleError as error:
        reason = f"loading it would execute {error.name}" if error.name else f"refused: {error}"
        raise UnsafeCheckpointError(f"checkpoint {name}: {reason}; expected tensors and plain values") from None
    except ValueError as error:
        raise ValueError(f"checkpoint {name}: {error}") from None
