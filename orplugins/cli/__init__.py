"""``orplugins <command>``: a module of this folder a command, thin over its method's `pipeline`.

Each module has ``main(argv) -> int``, which parses arguments and returns the exit code; ``tools/<name>.py`` runs it the
same way. Nothing heavy is imported before a command is known.
"""

from __future__ import annotations

import ast
import importlib
import os
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

# Exit codes of shells for a command that Ctrl-C ended.
INTERRUPTED = 130


def commands() -> dict[str, str]:
    """Return every command with the first line of its module's docstring, without importing any."""
    found = {}
    for path in sorted(Path(__file__).parent.glob("[a-z]*.py")):
        text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
        found[path.stem.replace("_", "-")] = text.partition("\n")[0]
    return found


def main(argv: list[str] | None = None) -> int:
    """Run the command that the first argument names; without one, or with ``--help``, list them."""
    arguments = sys.argv[1:] if argv is None else list(argv)
    known = commands()
    if not arguments or arguments[0] in ("-h", "--help"):
        print("usage: orplugins COMMAND [OPTIONS]; orplugins COMMAND --help says more\n")
        width = max(map(len, known))
        print("\n".join(f"  {name:<{width}}  {line}" for name, line in known.items()))
        return 0
    name = arguments[0].replace("_", "-")
    if name not in known:
        print(f"error: found command {arguments[0]!r}, expected one of: {', '.join(known)}", file=sys.stderr)
        return 2
    sys.argv[0] = f"orplugins {name}"  # what argparse puts into its usage line
    return run(name.replace("-", "_"), arguments[1:])


def main_of(name: str) -> Callable[..., int]:
    """The ``main`` of a command's module, which is imported when it is called."""
    return partial(_main, name)


def _main(name: str, argv: list[str] | None = None) -> int:
    return importlib.import_module(f"orplugins.cli.{name}").main(argv)


def run(name: str, argv: list[str] | None = None) -> int:
    """Run a command; Ctrl-C, a full or read-only disk and too little memory end it with one line, not a traceback.

    Args:
        name: Its module.
        argv: Its arguments; None takes those of the process.

    Returns:
        The exit code.
    """
    try:
        code = _main(name, argv)
        sys.stdout.flush()
        return code
    except KeyboardInterrupt:
        print("\ninterrupted: no half-written file is left", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:  # the reader of our output has gone, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except MemoryError as error:
        print(f"error: not enough memory{f': {error}' if str(error) else ''}", file=sys.stderr)
    except OSError as error:
        print(f"error: {error}", file=sys.stderr)
    return 1
