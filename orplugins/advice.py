"""What `orplugins.doctor()` advises: the command for what is missing, and traps that others have stepped into.

Everything is decided from `Facts`, which `diagnosis` collects, so that each piece of advice can be tested without the
environment that needs it.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

HOSTS = Path(__file__).parent / "hosts"
MMCV_OPS = HOSTS / "mmcv_ops"
XTCOCOTOOLS_BUILD = HOSTS / "xtcocotools_build"
PIP = "python -m pip install"
NUMPY_TOO_NEW = (2, 4)
OLDER_NUMPY = "'numpy<2.4'"


@dataclass(frozen=True)
class Facts:
    """What is known of an environment.

    Attributes:
        python: Major and minor version.
        versions: Of the packages that import; others are not in it.
        errors: Of the packages that are installed and do not import: the error's text.
        distributions: Names of installed distributions, as pip lists them.
        pkg_resources: Whether setuptools' ``pkg_resources`` can be imported.
        mmcv_ops: "compiled", "torchvision" or None.
        site_packages: Folder into which pip installs.
    """

    python: tuple[int, int]
    versions: Mapping[str, str]
    errors: Mapping[str, str]
    distributions: frozenset[str]
    pkg_resources: bool
    mmcv_ops: str | None
    site_packages: str

    def absent(self, package: str) -> bool:
        """Whether a package is not installed at all.

        Args:
            package: Its import name.

        Returns:
            True if it neither imports nor fails to import.
        """
        return package not in self.versions and package not in self.errors


@dataclass(frozen=True)
class Advice:
    """One thing to do: what was found, and the shell commands that mend it.

    Attributes:
        found: What was found.
        commands: Shell commands, in order.
    """

    found: str
    commands: tuple[str, ...]


def version_tuple(version: str) -> tuple[int, ...]:
    """Return the leading numbers of a version.

    Args:
        version: Such as "2.14.1+cu130".

    Returns:
        Such as (2, 14, 1).
    """
    numbers = []
    for part in version.partition("+")[0].split("."):
        digits = part[: len(part) - len(part.lstrip("0123456789"))]
        if not digits:
            break
        numbers.append(int(digits))
    return tuple(numbers)


def advise(facts: Facts) -> dict[str, tuple[Advice, ...]]:
    """Return what to do about missing packages and known traps.

    Args:
        facts: What is known of the environment.

    Returns:
        Advice by heading ("mmpose", "detectron2", "traps"); headings without advice are left out.
    """
    torch = _torch(facts)
    sections = {
        "mmpose": [*torch, *_mmpose(facts)],
        "detectron2": [*torch, *_detectron2(facts)],
        "traps": _traps(facts),
    }
    return {name: tuple(advice) for name, advice in sections.items() if advice}


def torchvision_for(torch: str) -> str:
    """Return the requirement for the torchvision that was built for a torch 2.x: its minor version is 15 higher.

    Args:
        torch: Version of torch.

    Returns:
        A pip requirement.
    """
    major, minor = version_tuple(torch)[:2]
    return f"torchvision==0.{minor + 15}.*" if major == 2 else "torchvision"


def _torch(facts: Facts) -> list[Advice]:
    torch = facts.versions.get("torch")
    if torch is None:
        why = facts.errors.get("torch", "torch is not installed")
        return [Advice(f"torch: {why}" if "torch" in facts.errors else why, (f"{PIP} torch torchvision",))]
    if "torchvision" in facts.versions:
        return []
    why = facts.errors.get("torchvision", "is not installed")
    pinned = shlex.quote(torchvision_for(torch))
    return [Advice(f"torchvision (for torch {torch}): {why}", (f"{PIP} torch=={torch.partition('+')[0]} {pinned}",))]


def _numpy(facts: Facts) -> list[Advice]:
    numpy = facts.versions.get("numpy")
    if not numpy or version_tuple(numpy) < NUMPY_TOO_NEW:
        return []
    found = f"NumPy {numpy}: mmpose's OpenCV visualiser takes int() of an array, which NumPy 2.4 refuses"
    return [Advice(found, (f"{PIP} {OLDER_NUMPY}",))]


def _mmpose(facts: Facts) -> list[Advice]:
    advice = _numpy(facts) if facts.absent("mmpose") else []
    if facts.absent("mmengine"):
        advice.append(Advice("mmengine is not installed", (f"{PIP} 'mmengine>=0.10'",)))
    ops = f"{PIP} {shlex.quote(str(MMCV_OPS))}"
    if facts.absent("mmcv"):
        advice.append(
            Advice(
                "mmcv is not installed; mmcv-lite with torchvision's operators needs no compiler",
                (f"{PIP} 'mmcv-lite>=2.0,<2.2'", ops),
            )
        )
    elif facts.mmcv_ops is None and "mmcv" in facts.versions:
        advice.append(Advice("mmcv has no operators (mmcv.ops does not import)", (ops,)))
    if facts.absent("mmdet"):
        advice.append(Advice("mmdet is not installed", (f"{PIP} 'mmdet>=3.2'",)))
    if facts.absent("xtcocotools"):
        advice.append(Advice("xtcocotools is not installed", xtcocotools_commands(facts)))
    if facts.absent("mmpose"):
        advice.append(
            Advice(
                "mmpose is not installed (--no-deps: it asks for chumpy, which does not build and is never used)",
                (f"{PIP} 'orplugins[mmpose]'", f"{PIP} --no-deps 'mmpose>=1.3'"),
            )
        )
    return advice


def xtcocotools_commands(facts: Facts) -> tuple[str, ...]:
    """Return the commands that build xtcocotools against a NumPy that mmpose takes.

    Args:
        facts: What is known of the environment.

    Returns:
        Shell commands, in order.
    """
    # Its setup.py fails on Python 3.13 and later; a module of ours mends that for the one command.
    shim = f"PYTHONPATH={shlex.quote(str(XTCOCOTOOLS_BUILD))} " if facts.python >= (3, 13) else ""
    build = "--no-deps --no-binary xtcocotools --no-build-isolation --force-reinstall --no-cache-dir"
    return f"{PIP} {OLDER_NUMPY} cython 'setuptools<80' wheel", f"{shim}{PIP} {build} xtcocotools"


def _detectron2(facts: Facts) -> list[Advice]:
    if not facts.absent("detectron2"):
        return []
    if facts.python == (3, 10):
        return [
            Advice(
                "detectron2 is not installed",
                (f"{PIP} 'orplugins[detectron2]'", f"{PIP} --no-deps sal-detectron2"),
            )
        ]
    target = shlex.quote(facts.site_packages)
    return [
        Advice(
            "detectron2 is not installed; with a compiler (its own operators):",
            (
                f"{PIP} 'orplugins[detectron2]' 'setuptools<80' wheel ninja",
                f"{PIP} --no-deps --no-build-isolation git+https://github.com/facebookresearch/detectron2",
            ),
        ),
        Advice(
            "or without one (a build for Python 3.10, of which the Python part serves this Python too):",
            (
                f"{PIP} 'orplugins[detectron2]' 'setuptools<80' uv",
                f"python -m uv pip install --no-deps --python-version 3.10 --target {target} sal-detectron2",
            ),
        ),
    ]


def _traps(facts: Facts) -> list[Advice]:
    advice = [] if facts.absent("mmpose") else _numpy(facts)
    if not facts.pkg_resources and not facts.absent("detectron2"):
        found = "pkg_resources, which detectron2's model zoo imports, is not there (setuptools is too new, or absent)"
        advice.append(Advice(found, (f"{PIP} 'setuptools<80'",)))
    error = facts.errors.get("xtcocotools", "")
    if "numpy" in error.lower():
        advice.append(Advice(f"xtcocotools was built against another NumPy: {error}", xtcocotools_commands(facts)))
    if {"mmcv", "mmcv-lite"} <= facts.distributions:
        found = "mmcv and mmcv-lite are both installed, into one folder"
        both = "python -m pip uninstall -y mmcv mmcv-lite"
        advice.append(Advice(found, (both, f"{PIP} 'mmcv-lite>=2.0,<2.2'")))
    if "mmcv-torchvision-ops" in facts.distributions and facts.absent("mmcv"):
        found = "mmcv-torchvision-ops is installed, but neither mmcv nor mmcv-lite"
        advice.append(Advice(found, (f"{PIP} 'mmcv-lite>=2.0,<2.2'",)))
    return advice
