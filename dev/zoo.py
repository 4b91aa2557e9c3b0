"""Writes the zoo tables of README.md and docs/ from model-index.yml and the metafiles beside the configs.

    python dev/zoo.py           # between <!-- zoo:begin NAME --> and <!-- zoo:end --> of every page
    python dev/zoo.py --check   # exit code 1 where a table is stale

NAME is a collection's name; "weights": every config that has weights; or nothing: those with shipped weights, and those
with published weights and a published result.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[1]
BLOCK = re.compile(r"(<!-- zoo:begin ?([^>]*?) ?-->\n)(.*?)(<!-- zoo:end -->)", re.S)
HEADER = ("config", "input", "parameters", "weights", "result")


def read_index(root: Path = ROOT) -> tuple[dict[str, dict[str, Any]], list[dict[str, Any]]]:
    """Read every metafile that model-index.yml imports.

    Args:
        root: Folder of model-index.yml; the paths in it and in the metafiles are relative to it.

    Returns:
        Collections by name, and models in the files' order.

    Raises:
        ValueError: A model belongs to a collection that no file describes, or two models have one name.
    """
    collections: dict[str, dict[str, Any]] = {}
    models: list[dict[str, Any]] = []
    for name in yaml.safe_load((root / "model-index.yml").read_text(encoding="utf-8"))["Import"]:
        content = yaml.safe_load((root / name).read_text(encoding="utf-8"))
        collections |= {each["Name"]: each for each in content.get("Collections", [])}
        models += content["Models"]
    names = [model["Name"] for model in models]
    if twice := {name for name in names if names.count(name) > 1}:
        raise ValueError(f"model-index.yml: found twice {sorted(twice)}, expected one entry a name")
    if strays := {model["In Collection"] for model in models} - collections.keys():
        raise ValueError(
            f"model-index.yml: found collections {sorted(strays)} in models, expected {sorted(collections)}"
        )
    return collections, models


def pages(root: Path = ROOT) -> list[Path]:
    """Return README.md and every page of docs/ that has a table to be written."""
    candidates = [root / "README.md", *sorted((root / "docs").rglob("*.md"))]
    return [page for page in candidates if BLOCK.search(page.read_text(encoding="utf-8"))]


def table(models: list[dict[str, Any]], root: Path, page: Path) -> str:
    """Make the Markdown table of models, with links relative to the folder of `page`."""

    def link(text: str, target: str) -> str:
        return f"[{text}]({os.path.relpath(root / target, page.parent)})"

    def parameters(model: dict[str, Any]) -> str:
        number = model["Metadata"].get("Parameters")
        return f"{number / 1e6:.{1 if number >= 1e6 else 2}f} M" if number else ""

    def weights(model: dict[str, Any]) -> str:
        if "Weights" in model:
            return f"`{model['Weights']}`, {link('card', model['Card'])}"
        return f"loads {model['Published Weights']}" if "Published Weights" in model else ""

    def result(model: dict[str, Any]) -> str:
        parts = []
        for each in model.get("Results", []):
            numbers = ", ".join(
                f"{name.partition(', ')[0]} {number}{unit(name)}" for name, number in each["Metrics"].items()
            )
            source = each.get("Source", "")
            if source.startswith("docs/"):
                source = link("measurements", source)
            parts.append(f"{each['Dataset']}: {numbers}" + (f" ({source})" if source else ""))
        return "; ".join(parts)

    def unit(name: str) -> str:
        return f" {name.rpartition(', ')[2]}" if ", " in name else ""

    def row(model: dict[str, Any]) -> tuple[str, ...]:
        name = link(f"`{model['Name']}`", model["Config"])
        if "Summary" in model:
            name += f": {model['Summary']}"
        return name, model["Metadata"].get("Input", ""), parameters(model), weights(model), result(model)

    rows = [HEADER, ("---",) * len(HEADER), *map(row, models)]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in rows)


def written(page: Path, root: Path = ROOT) -> str:
    """Return the text of a page with its tables up to date.

    Raises:
        ValueError: A table is asked for of a collection that there is not.
    """
    collections, models = read_index(root)

    def fill(found: re.Match) -> str:
        name = found[2]
        if name not in {"", "weights", *collections}:
            raise ValueError(f"{page}: found zoo:begin {name}, expected weights or one of {sorted(collections)}")
        if name in collections:
            chosen = [model for model in models if model["In Collection"] == name]
        else:
            published = {"Published Weights"} if name else {"Published Weights", "Results"}
            chosen = [model for model in models if "Weights" in model or published <= model.keys()]
        return f"{found[1]}{table(chosen, root, page)}{found[4]}"

    return BLOCK.sub(fill, page.read_text(encoding="utf-8"))


def main(argv: list[str] | None = None) -> int:
    """Write the tables, or check them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="change nothing; exit code 1 where a table is stale")
    arguments = parser.parse_args(argv)
    stale = [page for page in pages() if written(page) != page.read_text(encoding="utf-8")]
    for page in stale:
        if arguments.check:
            print(f"{page.relative_to(ROOT)}: stale; python dev/zoo.py writes it", file=sys.stderr)
        else:
            page.write_text(written(page), encoding="utf-8")
            print(f"{page.relative_to(ROOT)}: written")
    return int(bool(stale) and arguments.check)


if __name__ == "__main__":
    sys.exit(main())
