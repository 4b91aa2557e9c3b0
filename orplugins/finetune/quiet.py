"""What hosts print goes to a file, so that a command prints its own lines only."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout


class _Log(io.TextIOBase):
    """A text file that takes writes after it was closed, too, and drops them: loggers keep their streams."""

    def __init__(self, path: str | os.PathLike):
        self._file: io.TextIOWrapper | None = open(path, "a", encoding="utf-8", errors="replace")  # noqa: SIM115

    def write(self, text: str) -> int:
        if self._file is not None:
            self._file.write(text)
        return len(text)

    def flush(self) -> None:
        if self._file is not None:
            self._file.flush()

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
        self._file = None


@contextmanager
def output_to(path: str | os.PathLike) -> Iterator[None]:
    """Send stdout and stderr of Python code to a file, to which it is appended.

    Args:
        path: The file.
    """
    log = _Log(path)
    try:
        with redirect_stdout(log), redirect_stderr(log):
            yield
    finally:
        log.close()
