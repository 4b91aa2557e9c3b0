"""The package as files and import statements: what the tests of the layout read, without importing anything."""

from __future__ import annotations

import ast
from pathlib import Path

PACKAGE = Path(__file__).parents[2] / "orplugins"
HOSTS = {"mmpose", "mmengine", "mmcv", "mmdet", "detectron2", "fvcore"}
HOST_FOLDERS = {"mmpose", "detectron2", "hosts"}

METHODS = {"depthpose", "orpose_color", "refinet", "partial_body", "videopose3d", "multiview", "motion", "rig",
           "adaptor", "privacy"}  # fmt: skip
DATA_SETS = {"mvor", "synthetic"}
SHARED = {"geometry", "depth", "io", "viz", "backbones", "adaptation", "finetune", "hosts"} | {
    "deploy", "export", "archive", "tracking", "live"
}  # fmt: skip
DOORS = {"mmpose", "detectron2", "cli"}  # what configs, DETECTRON2_ENV_MODULE and the command line name


def modules() -> dict[str, Path]:
    """Every module of the package: dotted name -> file. What `hosts/` ships as distributions of their own is none."""
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        if (path.parent / "__init__.py").exists():
            parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def room(name: str) -> str:
    """Folder below the package that a module lies in; its own name for a module that lies in none."""
    return (name.split(".") + [""])[1]


def below_a_host(name: str) -> bool:
    """Whether a module may import a host."""
    return bool(HOST_FOLDERS & set(name.split(".")[1:])) or name == "orplugins.registry"


def imported(source: str, name: str = "", is_package: bool = False, top: bool = False) -> set[str]:
    """Return the dotted names that a module's source imports: inside functions too, or at its top only.

    Args:
        source: Its text.
        name: Its dotted name, for relative imports.
        is_package: It is the ``__init__.py`` of `name`.
        top: Leave out what is imported inside functions.
    """
    tree, names = ast.parse(source), set()
    for node in tree.body if top else ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parts = name.split(".")
                parts = parts[: len(parts) - node.level + is_package]
                base = ".".join([*parts, *([node.module] if node.module else [])])
            names |= {f"{base}.{alias.name}" for alias in node.names}
    return names


def import_graph(top: bool = False) -> dict[str, set[str]]:
    """Module -> the modules of ours that it imports. The packages above it are none: Python imports those anyway."""
    found = modules()
    graph = {}
    for name, path in found.items():
        names = imported(path.read_text(encoding="utf-8"), name, path.name == "__init__.py", top)
        targets = {each if each in found else each.rpartition(".")[0] for each in names} & set(found)
        graph[name] = {each for each in targets if each != name and not name.startswith(f"{each}.")}
    return graph


def without_torch() -> list[str]:
    """Modules that may import no host, and need no torch to be imported: NumPy has to be enough for them."""
    graph, found = import_graph(top=True), modules()
    heavy = {
        name
        for name, path in found.items()
        if any(each.partition(".")[0] == "torch" for each in imported(path.read_text(encoding="utf-8"), top=True))
        or below_a_host(name)
    }
    while grown := {name for name, targets in graph.items() if name not in heavy and targets & heavy}:
        heavy |= grown
    return [name for name in found if name not in heavy]


def without_a_host() -> list[str]:
    """Modules that may import no host."""
    return [name for name in modules() if not below_a_host(name)]
