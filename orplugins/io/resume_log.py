"""A record of what a batch job has done, from which it goes on after an interruption."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any


class Journal:
    """One line of JSON for each finished item, after a first line with the job's settings.

    A line that was cut off when the job was killed does not count.

    Args:
        path: The file, made if it is not there.
        settings: What results depend on; JSON values.

    Raises:
        ValueError: The file is there, with other settings; they are named.
    """

    def __init__(self, path: str | os.PathLike, settings: dict[str, Any]):
        self.path = Path(path)
        self.items: dict[str, Any] = {}
        settings = json.loads(json.dumps(settings))
        if self.path.exists():
            self._read(settings)
            self._file = self.path.open("a", encoding="utf-8")
        else:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._file = self.path.open("w", encoding="utf-8")
            self._write({"settings": settings})

    def _read(self, settings: dict) -> None:
        data = self.path.read_bytes()
        whole = data[: data.rfind(b"\n") + 1]
        lines = whole.decode("utf-8").splitlines()
        try:
            records = [json.loads(line) for line in lines]
            found = records[0]["settings"]
            self.items = {record["key"]: record["value"] for record in records[1:]}
        except (ValueError, LookupError, TypeError) as error:
            raise ValueError(f"{self.path}: not a record of finished frames: {error!r}") from None
        different = sorted(key for key in {*found, *settings} if found.get(key) != settings.get(key))
        if different:
            changes = ", ".join(f"{key} {found.get(key)!r} (now {settings.get(key)!r})" for key in different)
            raise ValueError(f"{self.path}: results with other settings: {changes}; choose another folder")
        if len(whole) < len(data):
            with self.path.open("rb+") as file:
                file.truncate(len(whole))

    def _write(self, record: dict) -> None:
        self._file.write(json.dumps(record, allow_nan=False) + "\n")

    def add(self, key: str, value: Any) -> None:
        """Note that an item is finished.

        Args:
            key: The item.
            value: Its result; JSON values.
        """
        self._write({"key": key, "value": value})
        self._file.flush()
        self.items[key] = value

    def close(self) -> None:
        """Close the file."""
        self._file.close()
