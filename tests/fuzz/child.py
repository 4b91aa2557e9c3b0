"""Reads damaged files one after the other under limits, and says on standard output what became of each.

Started by `fuzz_readers.py` with a seed and jobs ``READER:FIRST:LAST``; a line is printed before and after every file,
so that the parent knows which one a crash or a hang belongs to.
"""

from __future__ import annotations

import os
import random
import resource
import shutil
import signal
import sys
import tempfile
import warnings
import zlib
from pathlib import Path

MEMORY = 1 << 30
SECONDS = 30  # by the clock: other processes may have the cores


class _TooLong(BaseException):
    """No reader catches it."""


def classify(read, path: Path) -> tuple[str, str]:
    """Read a file.

    Returns:
        "read", "clear", "unclear", "memory" or "hang", and the error in words.
    """
    signal.setitimer(signal.ITIMER_REAL, SECONDS)
    try:
        read(path)
        return "read", ""
    except _TooLong:
        return "hang", f"more than {SECONDS} s"
    except BaseException as error:  # noqa: BLE001 - whatever comes is what is looked for
        chain, cause = [error], error
        while cause := cause.__cause__ or cause.__context__:
            chain.append(cause)
        words = f"{type(error).__name__}: {error}"
        if any(isinstance(link, MemoryError) or "Cannot allocate memory" in str(link) for link in chain):
            return "memory", words
        # It may name a file beside it, where the two do not fit each other, or the folder that both lie in.
        text = str(error)
        named = path.name in text or str(path.parent) in text
        clear = isinstance(error, (ValueError, OSError)) and named and "\n" not in text
        return ("clear" if clear else "unclear"), words + ("" if clear else _where(error))
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def _where(error: BaseException) -> str:
    place, trace = "", error.__traceback__
    while trace is not None:
        code = trace.tb_frame.f_code
        if "/orplugins/" in code.co_filename:
            place = f" [{code.co_filename.rsplit('/orplugins/', 1)[1]}:{trace.tb_lineno}]"
        trace = trace.tb_next
    return place


def special(path: Path, data: bytes, which: int) -> None:
    """Put at a path what is no regular file with sensible content."""
    if which == 0:
        path.write_bytes(b"")
    elif which == 1:
        os.mkfifo(path)
    elif which == 2:
        path.mkdir()
    elif which == 3:
        path.symlink_to(path.name)
    elif which == 4:
        path.symlink_to("/dev/zero")
    elif which == 5:
        pass  # nothing at all
    elif which == 6:
        path.write_bytes(data.decode("latin1").encode("utf-16"))
    elif which == 7:
        path.write_bytes(bytes(len(data)))
    elif which == 8:
        path.write_bytes(b"[" * 200_000)
    else:
        with open(path, "wb") as file:
            file.truncate(3 << 30)


SPECIAL = 10


def damaged(reader, path: Path, data: bytes, index: int, seed: int) -> None:
    """Put damaged file number ``index`` at a path."""
    from mutate import mutate

    if index < SPECIAL:
        special(path, data, index)
    else:
        rng = random.Random(zlib.crc32(f"{seed} {reader.name} {index}".encode()))
        path.write_bytes(mutate(data, reader.kind, rng))


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def main(seed: int, jobs: list[str]) -> None:
    from readers import READERS

    def too_long(*_):
        raise _TooLong

    signal.signal(signal.SIGALRM, too_long)
    warnings.simplefilter("ignore")
    report = os.fdopen(os.dup(1), "w")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # libtiff and FFmpeg write what they like
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    readers = {reader.name: reader for reader in READERS}
    for job in jobs:
        name, first, last = job.split(":")
        reader = readers[name]
        with tempfile.TemporaryDirectory(prefix="fuzz") as folder:
            resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
            try:
                path = reader.make(Path(folder))
            except Exception as error:  # noqa: BLE001 - the registry's own fault
                print(f"END {name} -1 broken {f'making it: {error!r}'!r}", file=report, flush=True)
                continue
            data = path.read_bytes()
            outcome, words = classify(reader.read, path)
            if outcome != "read":
                print(f"END {name} -1 broken {words!r}", file=report, flush=True)
                continue
            pages = int(Path("/proc/self/statm").read_text().split()[0])
            limit = pages * resource.getpagesize() + MEMORY
            resource.setrlimit(resource.RLIMIT_AS, (limit, resource.RLIM_INFINITY))
            before = sorted(Path(folder).rglob("*"))
            for index in range(int(first), int(last)):
                print(f"BEGIN {name} {index}", file=report, flush=True)
                _remove(path)
                damaged(reader, path, data, index, seed)
                outcome, words = classify(reader.read, path)
                print(f"END {name} {index} {outcome} {words[:400]!r}", file=report, flush=True)
                if reader.writes:
                    for extra in sorted(set(Path(folder).rglob("*")) - set(before) - {path}, reverse=True):
                        _remove(extra)


if __name__ == "__main__":
    sys.path[:0] = [
        str(Path(__file__).parent),
        str(Path(__file__).parents[1] / "helpers"),
        str(Path(__file__).parents[2]),
    ]
    main(int(sys.argv[1]), sys.argv[2:])
