"""XML: OpenCV's FileStorage as plain values, other documents as their elements."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import Any

_MOST_DEPTH = 12


def parse_xml(text: str, path: Path) -> dict[str, Any]:
    """Parse XML.

    Args:
        text: The text. A declaration of entities is refused: a small file could make gigabytes with them.
        path: The file, for errors.

    Returns:
        {root's name: content}. In OpenCV's ``opencv_storage`` a matrix is an object with rows, cols and a list of
        data, numbers are numbers, ``<_>`` make a list. Elsewhere an element is an object of its attributes and of lists
        of its child elements, with their names in capitals.

    Raises:
        ValueError: Not XML, or entities.
    """
    from xml.etree import ElementTree

    if re.search(r"<!\s*(DOCTYPE|ENTITY)", text, re.I):
        raise ValueError(f"{path}: declares a document type or entities, which a calibration has no need of")
    # The text is decoded already: an encoding in its first line would contradict that.
    text = re.sub(r"\A<\?xml[^>]*\?>", "", text)
    try:
        root = ElementTree.fromstring(text)
    except (ElementTree.ParseError, ValueError) as error:
        raise ValueError(f"{path}: not XML: {error}") from None
    storage = root.tag == "opencv_storage"
    return {root.tag: _storage(root, path, 0) if storage else _element(root, path, 0)}


def _storage(node, path: Path, depth: int) -> Any:
    children = list(node)
    if depth > _MOST_DEPTH:
        raise ValueError(f"{path}: nested too deeply, expected OpenCV's FileStorage")
    if not children:
        return _scalars((node.text or "").split())
    names = [child.tag for child in children]
    if set(names) == {"_"}:
        return [_storage(child, path, depth + 1) for child in children]
    for name, count in Counter(names).items():
        if count > 1:
            raise ValueError(f"{path}: element '{name[:60]}' occurs {count} times, expected once")
    found = {child.tag: _storage(child, path, depth + 1) for child in children}
    if "data" in found and not isinstance(found["data"], (list, dict)):
        found["data"] = [found["data"]]
    return found


def _scalars(words: list[str]) -> Any:
    values = [_number(word) for word in words]
    if any(isinstance(value, str) for value in values) and len(values) != 1:
        return " ".join(words)
    return values[0] if len(values) == 1 else values


def _number(word: str) -> int | float | str:
    if re.fullmatch(r"[-+]?\d{1,18}", word):
        return int(word)
    try:
        return word.strip('"') if "_" in word else float(word)  # Python takes 1_0 for 10
    except ValueError:
        return word.strip('"')


def _element(node, path: Path, depth: int) -> dict[str, Any]:
    if depth > _MOST_DEPTH:
        raise ValueError(f"{path}: nested too deeply, expected a calibration")
    found: dict[str, Any] = dict(node.attrib)
    for child in node:
        found.setdefault(child.tag.upper(), []).append(_element(child, path, depth + 1))
    return found
