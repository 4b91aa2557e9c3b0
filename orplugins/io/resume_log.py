"""A record of what a batch job has done, from which it goes on after an interruption."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from orplugins.io.files import require_file


class Journal:
    """One line of JSON for each finished item, after a first line with the job's settings and inputs.

    A line that was cut off when the job was killed does not count. Settings are on the disk before the first item.

    Args:
        path: The file, made if it is not there.
        settings: What results depend on; JSON values. A record with others is refused.
        inputs: What the job works on; JSON values. A record of others is begun anew.

    Attributes:
        items: What is finished.
        resumed: Whether the record was there, with the same settings and inputs.

    Raises:
        ValueError: The file has items that were made with other settings; they are named.
    """

    def __init__(self, path: str | os.PathLike, settings: dict[str, Any], inputs: Any = None):
        self.path = Path(path)
        self.items: dict[str, Any] = {}
        settings, inputs = json.loads(json.dumps([settings, inputs]))
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.resumed = self.path.exists() and self._read(settings, inputs)
        self._file = self.path.open("a" if self.resumed else "w", encoding="utf-8")
        if not self.resumed:
            self._write({"settings": settings, "inputs": inputs})

    def _read(self, settings: dict, inputs: Any) -> bool:
        data = require_file(self.path, "a record of finished frames").read_bytes()
        whole = data[: data.rfind(b"\n") + 1]
        if not whole:  # killed before the first line was whole
            return False
        try:
            records = [json.loads(line) for line in whole.decode("utf-8").splitlines()]
            found = dict(records[0]["settings"])
            items = {record["key"]: record["value"] for record in records[1:]}
        except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
            raise ValueError(
                f"{self.path}: not a record of finished frames: {error!r}; remove it, or choose another folder"
            ) from None
        different = sorted((key for key in {*found, *settings} if found.get(key) != settings.get(key)), key=str)
        if different and not items:  # nothing is lost
            return False
        if different:
            changes = ", ".join(f"{key} {found.get(key)!r} (now {settings.get(key)!r})" for key in different)
            raise ValueError(f"{self.path}: results with other settings: {changes}; choose another folder")
        if records[0].get("inputs") != inputs:
            return False
        self.items = items
        if len(whole) < len(data):
            with self.path.open("rb+") as file:
                file.truncate(len(whole))
        return True

    def _write(self, record: dict) -> None:
        self._file.write(json.dumps(record, allow_nan=False) + "\n")
        self._file.flush()
        os.fsync(self._file.fileno())

    def add(self, key: str, value: Any) -> None:
        """Note that an item is finished.

        Args:
            key: The item.
            value: Its result; JSON values.
        """
        self._write({"key": key, "value": value})
        self.items[key] = value

    def close(self) -> None:
        """Close the file."""
        self._file.close()
