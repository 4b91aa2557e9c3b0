"""Finding parity cases: answers of published implementations on made-up inputs.

They lie in ``$ORPLUGINS_PARITY`` (default: ``../shared/parity`` next to the repository), one folder a system. A case is
found by what its JSON holds, never by a file's name, so another folder of the same form can be put in its place.
"""

from __future__ import annotations

import importlib.util
import json
import os
import re
from functools import cache, lru_cache
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(os.environ.get("ORPLUGINS_PARITY") or Path(__file__).resolve().parents[2].parent / "shared" / "parity")


@cache
def _json(path: Path) -> dict:
    data = json.loads(path.read_text(encoding="utf-8"))
    return data if isinstance(data, dict) else {}


def parity_cases(system: str) -> list[tuple[str, Path, dict]]:
    """(id, path, content) of every JSON below the system's folder, ids ``system/file`` without the suffix."""
    folder = ROOT / system
    paths = sorted(folder.rglob("*.json")) if folder.is_dir() else []
    return [(f"{system}/{path.relative_to(folder).with_suffix('').as_posix()}", path, _json(path)) for path in paths]


def params(rows: list[tuple], system: str) -> list:
    """pytest parameters from (id, value) rows; one skipped parameter with the reason where there are none."""
    if rows:
        return [pytest.param(value, id=name) for name, value in rows]
    if not (ROOT / system).is_dir():
        reason = f"no folder {ROOT / system} (set ORPLUGINS_PARITY)"
    else:
        reason = f"no case of this kind in {ROOT / system}"
    return [pytest.param(None, marks=pytest.mark.skip(reason=reason), id=f"{system}/none")]


def cases_with(system: str, *keys: str) -> list:
    """Parameters of a system's cases whose JSON has all these keys; `a.b` is a key within a key."""

    def has(data: dict, key: str) -> bool:
        for part in key.split("."):
            if not isinstance(data, dict) or part not in data:
                return False
            data = data[part]
        return True

    rows = [(name, (path, data)) for name, path, data in parity_cases(system) if all(has(data, key) for key in keys)]
    return params(rows, system)


def generated(text: str) -> np.ndarray:
    """The generated input that a case describes by its numpy call."""
    seed = int(re.search(r"RandomState\((\d+)\)", text)[1])
    shape = tuple(int(n) for n in re.search(r"standard_normal\(\(([\d, ]+)\)\)", text)[1].split(",") if n.strip())
    return np.random.RandomState(seed).standard_normal(shape).astype(np.float32)


@lru_cache(maxsize=4)
def _arrays(path: Path) -> dict[str, np.ndarray]:
    with np.load(path) as arrays:
        return {name: arrays[name] for name in arrays.files}


def case_arrays(path: Path, case: dict) -> dict[str, np.ndarray]:
    """The arrays of a case: of the file that its ``npz`` names, otherwise of the JSON's own name."""
    return _arrays(path.parent / case.get("npz", path.with_suffix(".npz").name))


def fill_state_dict(shapes: dict) -> dict[str, np.ndarray]:
    """The weights for which the answers hold, made by the parity folder's own ``fill.py``."""
    path = ROOT / "fill.py"
    if not path.is_file():
        pytest.skip(f"no file {path} (set ORPLUGINS_PARITY)")
    spec = importlib.util.spec_from_file_location("orplugins_parity_fill", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.fill_state_dict(shapes)


def index_of(text: str) -> tuple:
    """The numpy index that a case writes as text, e.g. ``[0, :, ::32]``; what follows the bracket is explanation."""
    parts = re.match(r"\[([\d:, ]+)\]", text)[1].split(",")
    numbers = [[int(n) if n.strip() else None for n in part.split(":")] for part in parts]
    return tuple(slice(*part) if len(part) > 1 else part[0] for part in numbers)
