"""The layers: `core` and `nn` know no host, adapters hold no maths (and so stay short)."""

import ast
import io
import tokenize
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "orplugins"
HOSTS = {"mmpose", "mmengine", "mmcv", "mmdet", "detectron2", "fvcore"}
ADAPTER_LINES = 150


def modules(*folders: str) -> list:
    """Return every module below the folders as a pytest parameter with its path for an id."""
    paths = sorted(path for folder in folders for path in (PACKAGE / folder).rglob("*.py"))
    return [pytest.param(path, id=str(path.relative_to(PACKAGE))) for path in paths]


def imported(source: str) -> set[str]:
    """Return the dotted names that the source imports, inside functions too."""
    names = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def host_imports(source: str) -> set[str]:
    """Return the imports of a host, and of those packages of ours that are adapters into one."""
    ours = ("orplugins.mmpose", "orplugins.detectron2", "orplugins.registry")
    return {name for name in imported(source) if name.partition(".")[0] in HOSTS or name.startswith(ours)}


def code_lines(source: str) -> int:
    """Count the lines that hold code: no blank lines, comments or docstrings."""
    layout = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER}
    lines: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type not in layout:
            lines |= set(range(token.start[0], token.end[0] + 1))
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            lines -= set(range(node.lineno, node.end_lineno + 1))
    return len(lines)


@pytest.mark.parametrize("path", modules("core", "nn"))
def test_core_and_nn_import_no_host(path):
    assert not host_imports(path.read_text())


@pytest.mark.parametrize("path", modules("mmpose", "detectron2"))
def test_adapters_are_short(path):
    assert code_lines(path.read_text()) <= ADAPTER_LINES


def test_host_imports_are_seen_wherever_they_are():
    source = "import numpy\ndef f():\n    from mmengine.model import BaseModule\n    import mmposed\n"
    assert host_imports(source) == {"mmengine.model.BaseModule"}
    assert host_imports("from orplugins import registry") == {"orplugins.registry"}


def test_code_lines_leave_out_what_explains():
    source = '"""One.\n\nTwo.\n"""\n\n# three\ndef f():  # four\n    """Five."""\n    return g(\n        1,\n    )\n'
    assert code_lines(source) == 4
