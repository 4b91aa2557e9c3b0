"""``orplugins <command>``: every command is listed, found by its name, and called with what follows it."""

import subprocess
import sys

import pytest

from orplugins.cli import commands, main


def test_commands_are_listed_with_what_they_do(capsys):
    assert main(["--help"]) == 0
    printed = capsys.readouterr().out
    assert "doctor" in commands() and all(line for line in commands().values())
    assert all(f"  {name}" in printed for name in commands())


def test_unknown_command_names_those_that_are_known(capsys):
    assert main(["docter"]) == 2
    assert "'docter', expected one of: " in capsys.readouterr().err


@pytest.mark.parametrize("name", sorted(commands()))
def test_command_has_a_usage_line_of_its_own(name):
    if name == "train-net":
        pytest.importorskip("detectron2")  # its parser is the host's
    done = subprocess.run(
        [sys.executable, "-m", "orplugins", name, "--help"], capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0 and done.stdout.startswith(f"usage: orplugins {name}"), done.stderr
