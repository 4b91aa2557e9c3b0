"""YAML as OpenCV's FileStorage, Kalibr, ROS and people write it. Needs PyYAML."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

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


@lru_cache(maxsize=1)
def _loader():
    """PyYAML's class of plain values only, with OpenCV's matrices as objects."""
    import yaml

    class Loader(yaml.SafeLoader):
        yaml_implicit_resolvers = {}

        def construct_yaml_int(self, node):  # decimal numbers only: a leading 0 is no octal number
            return int(self.construct_scalar(node))

        def construct_mapping(self, node, deep=False):
            found = super().construct_mapping(node, deep)
            if len(found) != len(node.value):  # YAML would keep the last one in silence
                raise ValueError(f"a key occurs twice in one object{node.start_mark}")
            return found

    for name, pattern, first in _KINDS:
        Loader.add_implicit_resolver(f"tag:yaml.org,2002:{name}", re.compile(rf"^(?:{pattern})$"), list(first))
    Loader.add_implicit_resolver("tag:yaml.org,2002:null", re.compile(r"^$"), [""])
    Loader.add_constructor("tag:yaml.org,2002:int", Loader.construct_yaml_int)
    matrix = "tag:yaml.org,2002:opencv-matrix"
    Loader.add_constructor(matrix, lambda loader, node: loader.construct_mapping(node, True))
    return Loader


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
    import yaml

    try:
        return yaml.load(text, Loader=_loader())
    except yaml.YAMLError as error:
        raise ValueError(str(error)) from None
    except (TypeError, KeyError, AttributeError, OverflowError) as error:  # odd tags on odd nodes
        raise ValueError(f"{type(error).__name__}: {error}") from None
