"""The text of a calibration file as plain lists, objects, numbers and strings, whatever the notation.

JSON, YAML (OpenCV's ``%YAML:1.0`` with ``!!opencv-matrix`` among it), TOML and XML, told apart by content. Damaged and
hostile text ends in one error: sizes, depth and repetition are bounded before anything is computed from them.
"""

from __future__ import annotations

import re
from itertools import accumulate
from pathlib import Path
from typing import Any

from orplugins.io.calibration.xml_tree import parse_xml
from orplugins.io.files import read_text, require_file
from orplugins.io.json_fields import load_json

MOST_BYTES = 1 << 20
_MOST_YAML = 1 << 18  # PyYAML reads some 40 kB a second
SUFFIXES = (".json", ".yaml", ".yml", ".toml", ".xml", ".txt")
_EXPECTED = "a calibration (JSON, YAML, TOML or XML)"
_MOST_NODES, _MOST_DEPTH, _MOST_CHARACTERS, _MOST_WHOLE = 50_000, 20, 1000, 2**63
_MAPPING = re.compile(r"%YAML|---\s|[\w-]{1,60}:\s")
_TABLE = re.compile(r"^\s*\[\s*[\w\".'-]+\s*\]\s*(#.*)?$|^\s*[\w.-]+\s*=", re.M)


def parse(path: Path) -> Any:
    """Read a calibration file without understanding it.

    Args:
        path: The file.

    Returns:
        Its content. XML's root element is an object with the one key that is its name.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: Another kind of file, a damaged one, or one that is too large.
    """
    require_file(path, _EXPECTED, MOST_BYTES)
    text = read_text(path, _EXPECTED).strip()
    if not text:
        raise ValueError(f"{path}: is empty, expected {_EXPECTED}")
    try:
        content = _notation(path, text)
    except RecursionError:
        raise ValueError(f"{path}: nested too deeply, expected {_EXPECTED}") from None
    return _bounded(content, path)


def _notation(path: Path, text: str) -> Any:
    suffix = path.suffix.lower()
    if text.startswith("<"):
        return parse_xml(text, path)
    if suffix == ".toml" or (suffix not in (".json", ".yaml", ".yml") and _TABLE.match(text)):
        return _toml(text, path)
    if suffix in (".yaml", ".yml") or _MAPPING.match(text):
        return _yaml(text, path)
    if suffix != ".json" and not text.startswith(("{", "[")):
        raise ValueError(f"{path}: begins with {text[:20]!r}, expected {_EXPECTED}")
    return load_json(path)


def _toml(text: str, path: Path) -> Any:
    try:
        import tomllib as toml
    except ImportError:  # Python 3.10
        try:
            import tomli as toml  # type: ignore[no-redef]
        except ImportError:
            raise ValueError(f"{path}: Python 3.10 needs the package tomli to read TOML: pip install tomli") from None
    # The parser keeps every prefix of a dotted key: a.a.a... of a megabyte would fill the memory.
    if any(
        part.count(".") > _MOST_DEPTH for part in re.split(r"[\n,=\[\]{}]", text.replace(" ", "").replace("\t", ""))
    ):
        raise ValueError(f"{path}: a key of more than {_MOST_DEPTH} parts, expected {_EXPECTED}")
    try:
        return toml.loads(text)
    except ValueError as error:
        raise ValueError(f"{path}: not TOML: {_one_line(error)}") from None


def _yaml(text: str, path: Path) -> Any:
    if len(text) > _MOST_YAML:
        raise ValueError(f"{path}: has {len(text)} characters of YAML, expected a calibration of at most {_MOST_YAML}")
    brackets = ((letter in "[{") - (letter in "]}") for letter in text)
    if max(accumulate(brackets), default=0) > 2 * _MOST_DEPTH:
        raise RecursionError  # PyYAML would find out in seconds
    try:
        from orplugins.io.calibration.yaml_tree import parse_yaml
    except ImportError:
        raise ValueError(f"{path}: the package PyYAML is needed to read YAML: pip install pyyaml") from None
    try:
        return parse_yaml(text)
    except ValueError as error:
        raise ValueError(f"{path}: not YAML: {_one_line(error)}") from None


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:200]


def _bounded(content: Any, path: Path) -> Any:
    """Refuse what would take long, or much memory, to look at: YAML's aliases make a large tree of a small text."""
    nodes, level = 0, [content]
    for _ in range(_MOST_DEPTH):
        below: list[Any] = []
        for value in level:
            if isinstance(value, dict):
                below += value.values()
                wrong = [key for key in value if not isinstance(key, str)]
                if wrong:
                    raise ValueError(f"{path}: key {str(wrong[0])[:60]!r}, expected a name")
                level_strings = [key for key in value if len(key) > _MOST_CHARACTERS]
            elif isinstance(value, list):
                below += value
                level_strings = []
            else:
                level_strings = [value] if isinstance(value, str) and len(value) > _MOST_CHARACTERS else []
                if isinstance(value, int) and abs(value) >= _MOST_WHOLE:
                    raise ValueError(f"{path}: holds a whole number of {value.bit_length()} bits, expected at most 63")
            if level_strings:
                raise ValueError(f"{path}: holds a text of {len(level_strings[0])} characters, expected numbers")
            nodes += 1
        if nodes + len(below) > _MOST_NODES:
            raise ValueError(f"{path}: holds more than {_MOST_NODES} values, expected {_EXPECTED}")
        if not below:
            return content
        level = below
    raise ValueError(f"{path}: nested too deeply, expected {_EXPECTED}")
