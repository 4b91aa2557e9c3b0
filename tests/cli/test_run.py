"""How commands end: one line on Ctrl-C, a full disk, too little memory."""

import errno
import sys
import types

import pytest

from orplugins.cli import main_of, run


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (KeyboardInterrupt(), 130, "interrupted"),
        (
            OSError(errno.ENOSPC, "No space left on device", "a.json"),
            1,
            "error: [Errno 28] No space left on device: 'a",
        ),
        (MemoryError(), 1, "error: not enough memory"),
    ],
)
def test_one_line_and_a_code(monkeypatch, capsys, error, code, line):
    def fails(argv=None):
        raise error

    monkeypatch.setitem(sys.modules, "orplugins.cli.failing", types.SimpleNamespace(main=fails))
    assert run("failing", []) == code
    printed = capsys.readouterr().err
    assert line in printed and len(printed.strip().splitlines()) == 1
    with pytest.raises(type(error)):  # who calls main themselves sees the error
        main_of("failing")([])


def test_a_command_ends_with_its_code(monkeypatch):
    monkeypatch.setitem(sys.modules, "orplugins.cli.fine", types.SimpleNamespace(main=lambda argv: len(argv)))
    assert run("fine", ["a", "b"]) == 2
