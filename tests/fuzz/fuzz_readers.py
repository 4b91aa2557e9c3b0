"""Damage every reader's smallest valid file in thousands of ways and count what the readers make of it.

    python tests/fuzz/fuzz_readers.py                       10,000 files a reader, a table at the end
    python tests/fuzz/fuzz_readers.py --count 300 --readers rig_json pth
    python tests/fuzz/fuzz_readers.py --show image_png:17   write that damaged file to the current folder, and read it

Exit code 0 only if every file was read, or refused in one line that names it.
"""

from __future__ import annotations

import argparse
import os
import select
import subprocess
import sys
import time
from ast import literal_eval
from collections import Counter, defaultdict
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent / "helpers"), str(HERE.parents[1])]
GOOD = ("read", "clear")
OUTCOMES = ("read", "clear", "unclear", "memory", "hang", "crash", "broken")
# Longer than the child's own limit, which C code does not hear, and than its start.
PATIENCE = 90


def fuzz(jobs: list[tuple[str, int, int]], seed: int = 0) -> list[tuple[str, int, str, str]]:
    """Run jobs in a child, and in another from the next file on when one dies.

    Args:
        jobs: (reader, first, last + 1).
        seed: Of all damage.

    Returns:
        (reader, number of the file, outcome, error in words).
    """
    results = []
    jobs = list(jobs)
    while jobs:
        left = [f"{name}:{first}:{last}" for name, first, last in jobs]
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "1"}
        child = subprocess.Popen(
            [sys.executable, str(HERE / "child.py"), str(seed), *left], stdout=subprocess.PIPE, env=environment
        )
        begun, outcome, text = None, "crash", b""
        assert child.stdout is not None
        while True:
            if not select.select([child.stdout], [], [], PATIENCE)[0]:
                outcome = "hang"
                child.kill()
                break
            part = os.read(child.stdout.fileno(), 1 << 16)
            if not part:
                break
            *lines, text = (text + part).split(b"\n")
            for line in lines:
                word, name, index, *rest = line.decode().split(" ", 4)
                begun = (name, int(index)) if word == "BEGIN" else None
                if word == "END":
                    results.append((name, int(index), rest[0], literal_eval(rest[1])))
        code = child.wait()
        if begun is None:
            if code:
                raise RuntimeError(f"the child of jobs {left[:3]} ended with code {code}")
            break
        name, index = begun
        results.append((name, index, outcome, f"the process ended with code {code}"))
        position = [job[0] for job in jobs].index(name)
        jobs = [(name, index + 1, jobs[position][2]), *jobs[position + 1 :]]
    return results


def table(results: list[tuple[str, int, str, str]]) -> str:
    """Counts by reader and outcome."""
    counts: dict[str, Counter] = defaultdict(Counter)
    for name, _, outcome, _ in results:
        counts[name][outcome] += 1
        counts["all"][outcome] += 1
    head = f"{'reader':28}" + "".join(f"{outcome:>10}" for outcome in OUTCOMES)
    names = [*sorted(counts.keys() - {"all"}), "all"]
    rows = [f"{name:28}" + "".join(f"{counts[name][outcome]:10}" for outcome in OUTCOMES) for name in names]
    return "\n".join([head, *rows])


def faults(results: list[tuple[str, int, str, str]], most: int = 3) -> str:
    """The first faults of each kind and reader."""
    kinds: dict[tuple, list] = defaultdict(list)
    for name, index, outcome, words in results:
        if outcome not in GOOD:
            place = words.rsplit("[", 1)[-1] if words.endswith("]") else ""
            kinds[name, outcome, words.split(":")[0], place].append((index, words))
    lines = []
    for (name, outcome, *_), found in sorted(kinds.items()):
        numbers = ", ".join(f"{name}:{index}" for index, _ in found[:most])
        lines.append(f"{name}: {len(found)} {outcome}: {found[0][1][:300]}  ({numbers})")
    return "\n".join(lines)


def show(which: str, seed: int) -> None:
    """Write one damaged file and read it without limits."""
    import tempfile

    from child import damaged
    from readers import READERS

    name, index = which.split(":")
    reader = next(reader for reader in READERS if reader.name == name)
    with tempfile.TemporaryDirectory() as folder:
        path = reader.make(Path(folder))
        data = path.read_bytes()
        path.unlink()
        damaged(reader, path, data, int(index), seed)
        if path.is_file():
            Path(f"{name}_{index}{path.suffix}").write_bytes(path.read_bytes())
        print(reader.read(path))


def main() -> int:
    from readers import READERS

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=10_000, help="files a reader")
    parser.add_argument("--readers", nargs="+", default=[reader.name for reader in READERS])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--workers", type=int, default=os.cpu_count())
    parser.add_argument("--show", help="READER:NUMBER")
    args = parser.parse_args()
    if args.show:
        show(args.show, args.seed)
        return 0
    start = time.time()
    shares: list[list] = [[] for _ in range(args.workers)]
    for k, name in enumerate(args.readers):
        shares[k % args.workers].append((name, 0, args.count))
    with ThreadPoolExecutor(args.workers) as pool:
        results = [
            line for part in pool.map(lambda share: fuzz(share, args.seed) if share else [], shares) for line in part
        ]
    print(table(results))
    print(f"{len(results)} files, {time.time() - start:.0f} s")
    print(faults(results))
    return int(any(outcome not in GOOD for _, _, outcome, _ in results))


if __name__ == "__main__":
    sys.exit(main())
