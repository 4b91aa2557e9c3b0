"""``orplugins <command>``: a module of this folder a command, thin over its method's `pipeline`.

Each module has ``main(argv) -> int``, which parses arguments and returns the exit code; ``tools/<name>.py`` calls the
same function. Nothing heavy is imported before a command is known.
"""

from __future__ import annotations

import ast
import importlib
import sys
from pathlib import Path


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
    return importlib.import_module(f"orplugins.cli.{name.replace('-', '_')}").main(arguments[1:])
