"""YAML as OpenCV's FileStorage, Kalibr, ROS and people write it. Needs PyYAML."""

from __future__ import annotations

import re
from typing import Any

import yaml

# PyYAML follows YAML 1.1, where 1e-5 is a text, 1:30 is 90, and a date is an object.
_KINDS: tuple[tuple[str, str, str], ...] = (
    ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    ("null", r"~|null|Null|NULL|", "~nN"),
    ("int", r"[-+]?[0-9]+", "-+0123456789"),
    (
        "float",
        r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|Nan|NAN)",
        "-+0123456789.",
    ),
)


class _Loader(yaml.SafeLoader):
    """Plain values only, with OpenCV's matrices as objects."""

    yaml_implicit_resolvers: dict = {}

    def construct_yaml_int(self, node):
        """Decimal numbers only: a leading 0 is no octal number."""
        return int(self.construct_scalar(node))

    def construct_mapping(self, node, deep=False):
        """Refuse a key that is there twice: YAML would keep the last one in silence."""
        found = super().construct_mapping(node, deep)
        if len(found) != len(node.value):
            raise ValueError(f"a key occurs twice in one object{node.start_mark}")
        return found


for _name, _pattern, _first in _KINDS:
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_name}", re.compile(rf"^(?:{_pattern})$"), list(_first))
_Loader.add_implicit_resolver("tag:yaml.org,2002:null", re.compile(r"^$"), [""])
_Loader.add_constructor("tag:yaml.org,2002:int", _Loader.construct_yaml_int)
_Loader.add_constructor("tag:yaml.org,2002:opencv-matrix", lambda loader, node: loader.construct_mapping(node, True))


def parse_yaml(text: str) -> Any:
    """Parse YAML.

    Args:
        text: The text; OpenCV's first line ``%YAML:1.0`` (with a colon, which is no YAML) is allowed.

    Returns:
        Lists, objects, numbers, strings, booleans and null.

    Raises:
        ValueError: Not YAML, or tags that make objects.
    """
    text = re.sub(r"\A%YAML:1\.\d[^\n]*\n?", "", text)
    try:
        return yaml.load(text, Loader=_Loader)
    except yaml.YAMLError as error:
        raise ValueError(str(error)) from None
    except (TypeError, KeyError, AttributeError, OverflowError) as error:  # odd tags on odd nodes
        raise ValueError(f"{type(error).__name__}: {error}") from None
