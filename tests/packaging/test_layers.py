"""The layout's rules, read from the import statements: who imports whom, who draws, how long adapters are."""

import ast
import io
import tokenize

import pytest

from .layout import (
    DATA_SETS,
    DOORS,
    HOST_FOLDERS,
    HOSTS,
    METHODS,
    PACKAGE,
    SHARED,
    below_a_host,
    import_graph,
    imported,
    modules,
    room,
)

ADAPTER_LINES = 150
COMMAND_LINES = 60
DRAWING = {"arrowedLine", "circle", "drawContours", "drawMarker", "ellipse", "fillConvexPoly", "fillPoly", "line",
           "polylines", "putText", "rectangle"}  # fmt: skip
MODULES = [pytest.param(name, path, id=str(path.relative_to(PACKAGE))) for name, path in modules().items()]
GRAPH = import_graph()
COMMANDS = [*sorted((PACKAGE / "cli").glob("*.py")), *sorted((PACKAGE.parent / "tools").glob("*.py"))]


def host_imports(source: str) -> set[str]:
    """Return the imports of a host, and of the registry, which imports one."""
    names = imported(source)
    return {n for n in names if n.partition(".")[0] in HOSTS or n.startswith("orplugins.registry")}


def drawing(source: str) -> set[str]:
    """Return what draws: imports of matplotlib, and calls of OpenCV's drawing functions."""
    calls = {
        f"cv2.{node.attr}"
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == "cv2"
        and node.attr in DRAWING
    }
    return calls | {name for name in imported(source) if name.partition(".")[0] == "matplotlib"}


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


def circles(graph: dict[str, set[str]]) -> list[list[str]]:
    """Return the circles of a graph: what is left of it when nodes without an edge into the rest are taken away."""
    rest = {node: set(targets) for node, targets in graph.items()}
    while ends := [node for node, targets in rest.items() if not targets & rest.keys()]:
        for node in ends:
            del rest[node]
    found = []
    while rest:
        path = [min(rest)]
        while path[-1] not in path[:-1]:
            path.append(min(rest[path[-1]] & rest.keys()))
        found.append(path[path.index(path[-1]) :])
        for node in found[-1]:
            rest.pop(node, None)
        rest = {node: targets for node, targets in rest.items() if targets & rest.keys()}
    return found


def test_every_folder_is_of_a_kind():
    folders = {room(name) for name, path in modules().items() if path.parent != PACKAGE}
    assert folders == METHODS | DATA_SETS | SHARED | DOORS


@pytest.mark.parametrize(("name", "path"), MODULES)
def test_who_imports_whom(name, path):
    """A method imports no other method; shared folders and data sets import none; doors may import all."""
    rooms = {room(target) for target in GRAPH[name]} - {room(name)}
    if room(name) not in DOORS:
        assert not rooms & METHODS
    if room(name) not in METHODS | DOORS:
        assert not rooms & DATA_SETS


def test_no_circle():
    assert circles(GRAPH) == []


def test_no_circle_of_folders():
    folders: dict[str, set[str]] = {}
    for name, targets in GRAPH.items():
        folders.setdefault(room(name), set()).update({room(target) for target in targets} - {room(name)})
    assert circles(folders) == []


@pytest.mark.parametrize(("name", "path"), MODULES)
def test_only_adapters_import_a_host(name, path):
    assert below_a_host(name) or not host_imports(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize(("name", "path"), MODULES)
def test_only_viz_draws(name, path):
    assert room(name) == "viz" or not drawing(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", COMMANDS, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_commands_are_short(path):
    """They parse arguments and call a pipeline."""
    assert code_lines(path.read_text(encoding="utf-8")) <= COMMAND_LINES


@pytest.mark.parametrize(("name", "path"), [m for m in MODULES if HOST_FOLDERS & set(m.values[0].split(".")[1:])])
def test_adapters_are_short(name, path):
    assert code_lines(path.read_text(encoding="utf-8")) <= ADAPTER_LINES


def test_imports_are_seen_wherever_they_are():
    source = "import numpy\ndef f():\n    from mmengine.model import BaseModule\n    import mmposed\n"
    assert host_imports(source) == {"mmengine.model.BaseModule"}
    assert host_imports("from orplugins import registry") == {"orplugins.registry"}
    assert imported("from . import a\nfrom .b import c\nfrom ..d import e", "x.y.z") == {"x.y.a", "x.y.b.c", "x.d.e"}
    assert imported("from .b import c", "x.y", is_package=True) == {"x.y.b.c"}
    assert imported(source, top=True) == {"numpy"}


def test_drawing_is_seen():
    source = "def f(image):\n    from matplotlib.figure import Figure\n    cv2.line(image)\n    cv2.resize(image)\n"
    assert drawing(source) == {"cv2.line", "matplotlib.figure.Figure"}


def test_circles_are_found():
    assert circles({"a": {"b"}, "b": {"c"}, "c": set()}) == []
    assert circles({"a": {"b"}, "b": {"c"}, "c": {"b", "d"}, "d": set()}) == [["b", "c", "b"]]


def test_code_lines_leave_out_what_explains():
    source = '"""One.\n\nTwo.\n"""\n\n# three\ndef f():  # four\n    """Five."""\n    return g(\n        1,\n    )\n'
    assert code_lines(source) == 4
