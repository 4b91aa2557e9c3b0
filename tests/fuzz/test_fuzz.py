"""Damaged files: every reader takes them, or refuses them in one line that names the file; `make fuzz` does more."""

import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))
from fuzz_readers import GOOD, faults, fuzz  # noqa: E402
from readers import READERS  # noqa: E402

COUNT = 200
# A child imports what its readers need once; these groups take about the same time.
GROUPS = 2


@pytest.mark.parametrize("group", range(GROUPS))
def test_damaged_files_are_read_or_refused_by_name(group):
    jobs = [(reader.name, 0, max(10, COUNT // reader.cost)) for reader in READERS[group::GROUPS]]
    results = fuzz(jobs, seed=13)
    assert len(results) == sum(last for _, _, last in jobs)
    assert all(outcome in GOOD for *_, outcome, _ in results), "\n" + faults(results)


def test_a_fault_is_found(tmp_path, monkeypatch):
    """What a reader does wrong is told apart: another kind of error, no name, a loop, a crash, too much memory."""
    (tmp_path / "readers.py").write_text(
        "import os, time\n"
        "from pathlib import Path\n"
        "from types import SimpleNamespace\n"
        "def make(folder):\n    (folder / 'f.bin').write_bytes(b'0123456789')\n    return folder / 'f.bin'\n"
        "def read(path):\n"
        "    data = path.read_bytes() if path.is_file() and path.stat().st_size < 99 else b''\n"
        "    if data == b'0123456789': return\n"
        "    if NAME == 'key': raise KeyError('x')\n"
        "    if NAME == 'nameless': raise ValueError('bad')\n"
        "    if NAME == 'crash': os.abort()\n"
        "    if NAME == 'memory': bytearray(3 << 30)\n"
        "    raise ValueError(f'{path}: bad')\n"
        "def reader(name):\n"
        "    def read_as(path):\n        global NAME\n        NAME = name\n        read(path)\n"
        "    return SimpleNamespace(name=name, kind='binary', make=make, read=read_as, writes=False)\n"
        "READERS = [reader(name) for name in ('key', 'nameless', 'crash', 'memory', 'good')]\n"
    )
    for name in ("child.py", "mutate.py", "fuzz_readers.py"):
        (tmp_path / name).write_text((HERE / name).read_text())
    command = [sys.executable, tmp_path / "fuzz_readers.py", "--count", "12", "--workers", "1"]
    done = subprocess.run(command, capture_output=True, text=True)
    rows = {line.split()[0]: [int(count) for count in line.split()[1:]] for line in done.stdout.splitlines()[1:7]}
    expected = {"key": 2, "nameless": 2, "crash": 5, "memory": 3, "good": 1}  # columns of the table
    assert done.returncode == 1
    for name, column in expected.items():
        assert rows[name][column] + rows[name][0] == 12 and rows[name][column] > 9, done.stdout
