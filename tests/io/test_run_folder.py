"""One job a folder, and nothing of killed jobs in it."""

from __future__ import annotations

import subprocess
import sys

import pytest

from orplugins.io.run_folder import lock_file, require_writable, run_folder


def test_one_run_wins_and_the_other_says_so(tmp_path):
    out = tmp_path / "out"
    code = "import sys; from orplugins.io.run_folder import run_folder\nwith run_folder(sys.argv[1]): pass"
    with run_folder(out):
        other = subprocess.run([sys.executable, "-c", code, str(out)], capture_output=True, text=True)
        assert other.returncode and "another run is writing to this folder" in other.stderr
    assert subprocess.run([sys.executable, "-c", code, str(out)]).returncode == 0
    assert list(out.iterdir()) == []


def test_a_killed_run_leaves_no_lock_and_its_temporary_files_are_removed(tmp_path):
    code = (
        "import os, sys; from orplugins.io.run_folder import run_folder\n"
        "with run_folder(sys.argv[1]): os.kill(os.getpid(), 9)"
    )
    assert subprocess.run([sys.executable, "-c", code, str(tmp_path)]).returncode == -9
    (tmp_path / "below").mkdir()
    for name in (".poses.ab12cd_9.tmp.json", "below/.000001.aaaa_bbb.tmp.jpg", ".X.abcdefgh.tmp"):
        (tmp_path / name).write_text("half")
    (tmp_path / ".kept.json").write_text("{}")
    with run_folder(tmp_path):
        assert sorted(p.name for p in tmp_path.iterdir()) == [".kept.json", ".running", "below"]
        assert not list((tmp_path / "below").iterdir())


def test_a_place_that_cannot_be_written_to_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="is a file, expected a folder"):
        require_writable(tmp_path / "file")
    with pytest.raises(OSError):
        require_writable("/proc/none")


def test_a_locked_file_is_free_after_closing(tmp_path):
    lock = lock_file(tmp_path / "l", "taken")
    with pytest.raises(ValueError, match="taken; wait"):
        lock_file(tmp_path / "l", "taken")
    lock.close()
    lock_file(tmp_path / "l", "taken").close()
