"""What torch.save writes, read without torch.load: the archive, and the stream that torch wrote before 1.6.

torch's own reader has been made to run what a file names more than once, and it differs from version to version. This
one knows tensors and plain values, and gives what torch.load would give for those.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from typing import IO, Any

from orplugins.io.pickle_opcodes import read_pickle
from orplugins.io.pickle_values import UnsafePickleError
from orplugins.io.strict_zip import Entry, read_entry, zip_entries
from orplugins.io.torch_tensors import ITEM_BYTES, Storage, StorageType, View, torch_builders

_ARCHIVE_START = b"PK\3\4"
_STREAM_NUMBER = 0x1950A86A20F9469CFC6C
_STREAM_VERSION = 1001
_MOST_PICKLE = 1 << 29  # bytes of data.pkl


def is_torch_file(start: bytes) -> bool:
    """Whether a file is one of the two, by its first 32 bytes."""
    return start.startswith(_ARCHIVE_START) or _STREAM_NUMBER.to_bytes(10, "little") in start[:32]


class TorchFile:
    """A file that torch.save wrote; making one goes through all of it but the numbers, and builds nothing.

    Args:
        file: A binary file that can be sought.
        ignore_unknown: Read a file that names other things than tensors and plain values, without those.

    Raises:
        UnsafePickleError: It names something else.
        ValueError: Cut off, damaged, or with something that torch.save does not write.
    """

    def __init__(self, file: IO[bytes], ignore_unknown: bool = False):
        self._file, self._ignore_unknown = file, ignore_unknown
        self._storages: dict[str, Storage] = {}
        self._starts: dict[str, int] = {}
        self._entries: dict[str, Entry] = {}
        self._pickle: IO[bytes] = file
        file.seek(0)
        look = self._look_into_archive if file.read(4) == _ARCHIVE_START else self._look_into_stream
        try:
            look()
        except UnsafePickleError:
            raise
        except ValueError as error:
            raise ValueError(f"truncated or no torch checkpoint: {error}") from None

    def read(
        self, map_location: Any = None, records: Mapping[tuple[str, str], Callable[[dict], Any]] | None = None
    ) -> Any:
        """Read the object.

        Args:
            map_location: A device, or its name; all else that torch.load takes gives tensors on the CPU.
            records: See `torch_builders`.

        Returns:
            What torch.save was given.
        """
        import torch

        device = torch.device(map_location if isinstance(map_location, (str, torch.device)) else "cpu")
        loaded: dict[str, Any] = {}

        def tensor(view: View) -> Any:
            storage = self._storages[view.storage.key]
            if storage.key not in loaded:
                numbers = torch.empty(storage.count * ITEM_BYTES[storage.dtype], dtype=torch.uint8)
                self._read_numbers(storage, numbers.numpy().data)
                loaded[storage.key] = numbers.to(device).untyped_storage()
            out = torch.empty(0, dtype=getattr(torch, view.dtype), device=device)
            out.set_(loaded[storage.key], view.storage.first + view.offset, view.size, view.stride)
            return out.requires_grad_() if view.requires_grad else out

        return self._object(tensor, records or {})

    def _object(self, tensor: Callable[[View], Any] | None, records: Mapping) -> Any:
        self._pickle.seek(self._starts[""])
        return read_pickle(self._pickle, torch_builders(tensor, records), self._storage, self._ignore_unknown)

    def _storage(self, pid: Any) -> Storage:
        """What a pickle means by ("storage", class, key, device, count, and before torch 1.6 which part of it)."""
        if not (isinstance(pid, tuple) and len(pid) in (5, 6) and pid[0] == "storage"):
            raise UnsafePickleError("it refers to other things than tensors' numbers", "<outside>")
        kind, key, _, count = pid[1:5]
        if not (isinstance(kind, StorageType) and isinstance(key, str) and type(count) is int and 0 <= count < 1 << 48):
            raise UnsafePickleError("it refers to numbers of another kind than torch's", "<outside>")
        whole = Storage(key, kind.dtype, count)
        if self._storages.setdefault(key, whole) != whole:
            raise ValueError(f"it has storage {key[:40]!r} twice, with different contents")
        if self._entries and self._entry(key).size != count * ITEM_BYTES[kind.dtype]:
            raise ValueError(f"its storage {key[:40]!r} has {self._entry(key).size} bytes, expected {count} numbers")
        if len(pid) == 5 or pid[5] is None:
            return whole
        _, first, part = pid[5]
        if type(first) is not int or type(part) is not int or not 0 <= first <= first + part <= count:
            raise ValueError(f"it has a part of storage {key[:40]!r} that is not in it")
        return Storage(key, kind.dtype, part, first)

    def _read_numbers(self, storage: Storage, into: memoryview) -> None:
        if self._entries:
            read_entry(self._file, storage.key, self._entry(storage.key), into)
            return
        self._file.seek(self._starts[storage.key])
        if self._file.readinto(into) != len(into):  # type: ignore[attr-defined]
            raise ValueError("it ends early")

    # The archive: NAME/data.pkl, and the numbers in NAME/data/KEY

    def _look_into_archive(self) -> None:
        entries = zip_entries(self._file)
        pickles = [name for name in entries if name.casefold().endswith(".pkl")]
        if any("/code/" in f"/{name}" or name.endswith("/constants.pkl") for name in entries):
            raise UnsafePickleError("it is a TorchScript archive, which holds code", "TorchScript code")
        if not pickles:
            raise ValueError("the archive has no data.pkl; it was not written by torch.save")
        if len(pickles) > 1 or pickles[0].rpartition("/")[2] != "data.pkl" or pickles[0].count("/") > 1:
            raise UnsafePickleError(f"the archive has {pickles[-1]!r}, which torch.save does not write", pickles[-1])
        self._root = pickles[0].removesuffix("data.pkl")
        order = self._small(entries, "byteorder", b"little")
        if order != b"little":
            raise ValueError(f"its numbers are stored {order[:20]!r} end first, expected little")
        entry = entries[pickles[0]]
        if entry.size > _MOST_PICKLE:
            raise ValueError(f"its data.pkl has {entry.size} bytes, expected at most {_MOST_PICKLE}")
        data = bytearray(entry.size)
        read_entry(self._file, pickles[0], entry, memoryview(data))
        self._pickle, self._starts[""] = io.BytesIO(data), 0
        self._entries = entries
        self._object(None, {})
        if self._pickle.read(1):
            raise ValueError("its data.pkl goes on behind its end")

    def _small(self, entries: dict[str, Entry], name: str, default: bytes) -> bytes:
        entry = entries.get(self._root + name)
        if entry is None or entry.size > 1024:
            return default if entry is None else b""
        data = bytearray(entry.size)
        read_entry(self._file, name, entry, memoryview(data))
        return bytes(data)

    def _entry(self, key: str) -> Entry:
        entry = self._entries.get(f"{self._root}data/{key}")
        if entry is None:
            raise ValueError(f"it has no numbers for storage {key[:40]!r}")
        return entry

    # The stream: five pickles (a number, a version, facts of the machine, the object, the storages' keys), the numbers

    def _look_into_stream(self) -> None:
        file = self._file
        file.seek(0)
        number, version, machine = (read_pickle(file, {}) for _ in range(3))
        here = isinstance(machine, dict) and machine.get("little_endian") is True
        if (number, version) != (_STREAM_NUMBER, _STREAM_VERSION) or not here:
            raise ValueError(f"expected a stream of version {_STREAM_VERSION}, of a little-endian machine")
        start = self._starts[""] = file.tell()
        self._object(None, {})
        end = file.tell()
        keys = read_pickle(file, {})
        if not isinstance(keys, list) or len(keys) != len(self._storages) or set(map(str, keys)) != {*self._storages}:
            raise ValueError("its list of storages is not that of its tensors")
        self._find_numbers([self._storages[str(key)] for key in keys])
        # The numbers are read between two tensors, so the object's pickle is kept apart.
        file.seek(start)
        self._pickle, self._starts[""] = io.BytesIO(file.read(end - start)), 0

    def _find_numbers(self, storages: list[Storage]) -> None:
        file = self._file
        end = file.tell()
        size = file.seek(0, 2)
        for storage in storages:
            file.seek(end)
            if int.from_bytes(file.read(8), "little") != storage.count:
                raise ValueError(f"its storage {storage.key[:40]!r} is cut off or of another size")
            self._starts[storage.key] = end + 8
            end += 8 + storage.count * ITEM_BYTES[storage.dtype]
        if end != size:
            raise ValueError(f"it has {size} bytes, expected {end}")
