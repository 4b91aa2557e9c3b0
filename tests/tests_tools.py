"""Running the scripts of tools/ inside the test process."""

import importlib.util
from pathlib import Path

TOOLS = Path(__file__).resolve().parents[1] / "tools"


def run_tool(name: str, *arguments: str, code: int = 0) -> None:
    """Call ``main`` of a tool and check what it returns."""
    spec = importlib.util.spec_from_file_location(f"tool_{name}", TOOLS / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert module.main(list(arguments)) == code
