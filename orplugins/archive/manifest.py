"""Which spans are done: the file that a run goes on from, and that says which files are results."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from orplugins.archive.spans import Span
from orplugins.io.files import require_file
from orplugins.io.resume_log import Journal

MANIFEST = "manifest.jsonl"
Done = dict  # number, signature, frames, people, seconds, problems, sha256


class Manifest:
    """The spans that are done, on the disk as soon as they are.

    Args:
        out: The run's folder.
        settings: What results depend on; JSON values.

    Raises:
        ValueError: Other settings than those of the spans that are there.
    """

    def __init__(self, out: Path, settings: dict):
        self._journal = Journal(out / MANIFEST, settings)

    @property
    def done(self) -> dict[str, Done]:
        """Key of a span -> what was found."""
        return {key: value for key, value in self._journal.items.items() if value is not None}

    def numbered(self, spans: Sequence[Span], again: bool) -> list[tuple[int, Span]]:
        """The spans that are to do, each with a number that no other span of the folder has.

        Results of recordings that have changed, and of these recordings cut otherwise, are forgotten.

        Args:
            spans: All of this run.
            again: Do those with problems again.
        """
        wanted, done = {span.key: span for span in spans}, self.done
        recordings = {_recording(key) for key in wanted}
        for key, value in done.items():
            changed = key in wanted and value["signature"] != wanted[key].signature
            if changed or (key not in wanted and _recording(key) in recordings):
                self._journal.add(key, None)
        kept = self.done
        todo = [span for span in spans if span.key not in kept or (again and kept[span.key]["problems"])]
        # Numbers of what was forgotten are not given again: its files may be there yet.
        first = 1 + max((value["number"] for value in [*done.values(), *kept.values()]), default=-1)
        old = {key: value["number"] for key, value in kept.items()}
        fresh = (first + k for k in range(len(todo)))
        return [(old[span.key] if span.key in old else next(fresh), span) for span in todo]

    def add(self, key: str, value: Done) -> None:
        """Note that a span is done."""
        self._journal.add(key, value)

    def close(self) -> None:
        """Close the file."""
        self._journal.close()


def _recording(key: str) -> str:
    """The recording's part of a span's key."""
    return key.rpartition("[")[0]


def read_manifest(out: Path) -> dict[str, Done]:
    """The spans of a run that are done, by key.

    Args:
        out: The run's folder.

    Raises:
        FileNotFoundError: It has no manifest.
        ValueError: Not a manifest.
    """
    data = require_file(out / MANIFEST, "the manifest of a batch run").read_bytes()
    try:
        records = [json.loads(line) for line in data[: data.rfind(b"\n") + 1].decode("utf-8").splitlines()]
        found = {record["key"]: record["value"] for record in records[1:]}
    except (ValueError, LookupError, TypeError) as error:
        raise ValueError(f"{out / MANIFEST}: not a manifest of a batch run: {error!r}") from None
    return {key: value for key, value in found.items() if value is not None}
