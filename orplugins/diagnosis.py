"""What `orplugins.doctor()` looks at: versions, compiled operators, registered names, and errors as they happened."""

import importlib
import importlib.metadata
import importlib.util
import platform
import sys
import sysconfig
import traceback
from dataclasses import dataclass, field

import orplugins
from orplugins.advice import Advice, Facts, advise

PACKAGES = ("numpy", "torch", "torchvision", "mmengine", "mmcv", "mmdet", "mmpose", "detectron2", "timm", "einops",
            "xtcocotools")  # fmt: skip
# Importable only if the package was compiled, and for the torch that is installed.
COMPILED = ("mmcv.ops", "detectron2._C")
HEADINGS = {
    "mmpose": "To use mmpose, with {python}:",
    "detectron2": "To use detectron2, with {python}:",
    "traps": "Traps:",
}


@dataclass(frozen=True)
class Import:
    """One attempt to import a module.

    Attributes:
        name: The module.
        status: "ok", "absent" (its package is not installed) or "failed".
        version: The package's version, "?" where it states none; None for a module that did not import or is no
            package.
        error: Of a failed import: what was raised, and where.
    """

    name: str
    status: str
    version: str | None = None
    error: str | None = None


@dataclass(frozen=True)
class Report:
    """What `diagnose` found.

    Attributes:
        orplugins: Our version.
        python: Python's version.
        packages: The imports of the hosts and of what they need.
        compiled: The imports of the hosts' compiled operators.
        adapters: The imports of the modules that register our classes.
        registered: Registry -> sorted names; mmpose's registries as "mmpose.MODELS", detectron2's components as
            "detectron2". A host that did not import has no entry.
        mmcv_ops: "compiled", "torchvision" (mmcv-torchvision-ops: nms and roi_align, others raise) or None.
        advice: What to do about what is missing ("mmpose", "detectron2") and about known traps ("traps").
    """

    orplugins: str
    python: str
    packages: tuple[Import, ...]
    compiled: tuple[Import, ...]
    adapters: tuple[Import, ...]
    registered: dict[str, tuple[str, ...]]
    mmcv_ops: str | None = None
    advice: dict[str, tuple[Advice, ...]] = field(default_factory=dict)

    @property
    def failures(self) -> tuple[Import, ...]:
        """The imports that failed; what is merely not installed is none."""
        return tuple(found for found in self.packages + self.compiled + self.adapters if found.status == "failed")


def _describe(error: BaseException) -> str:
    """Return the last line of the traceback with its place, followed by what caused it where that was recorded."""
    text = traceback.format_exception_only(error)[-1].strip()
    frames = traceback.extract_tb(error.__traceback__)
    if frames:
        text += f" ({frames[-1].filename}:{frames[-1].lineno})"
    if error.__cause__ is not None:
        text += f"; caused by {_describe(error.__cause__)}"
    return text


def _try_import(name: str) -> Import:
    """Import `name` and tell how it went."""
    package = name.partition(".")[0]
    if importlib.util.find_spec(package) is None:
        return Import(name, "absent")
    try:
        module = importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name == name != package:  # detectron2._C of a wheel without its compiled part
            return Import(name, "absent")
        return Import(name, "failed", error=_describe(error))
    except Exception as error:  # whatever a broken package raises (OSError, AssertionError ...) is what we report
        return Import(name, "failed", error=_describe(error))
    return Import(name, "ok", version=_version(module) if name == package else None)


def _version(package) -> str:
    if hasattr(package, "__version__"):
        return str(package.__version__)
    try:
        return importlib.metadata.version(package.__name__)
    except importlib.metadata.PackageNotFoundError:
        return "?"


def _mmcv_ops() -> str | None:
    """Return where mmcv's operators come from, once ``mmcv.ops`` was imported."""
    module = sys.modules.get("mmcv._ext")
    if module is None:
        return None
    return "torchvision" if (module.__file__ or "").endswith(".py") else "compiled"


def _has(module: str) -> bool:
    return importlib.util.find_spec(module) is not None


def _facts(found: tuple[Import, ...], mmcv_ops: str | None) -> Facts:
    names = {(distribution.metadata["Name"] or "").lower() for distribution in importlib.metadata.distributions()}
    return Facts(
        python=sys.version_info[:2],
        versions={each.name: each.version or "?" for each in found if each.status == "ok"},
        errors={each.name: each.error or "" for each in found if each.status == "failed"},
        distributions=frozenset(names),
        pkg_resources=_has("pkg_resources"),
        mmcv_ops=mmcv_ops,
        site_packages=sysconfig.get_path("purelib"),
    )


def _mmpose_adapters() -> tuple[list[Import], dict[str, tuple[str, ...]]]:
    attempts = [_try_import("orplugins.registry")]
    if attempts[0].status == "failed":
        return attempts, {}
    registry = importlib.import_module("orplugins.registry")
    attempts += [_try_import(location) for location in registry.LOCATIONS]
    names = {f"mmpose.{name}": tuple(sorted(getattr(registry, name).module_dict)) for name in registry.REGISTRIES}
    return attempts, names


def _detectron2_adapters() -> tuple[list[Import], dict[str, tuple[str, ...]]]:
    from orplugins.hosts.detectron2.components import COMPONENTS

    attempts = [_try_import(name) for name in ("orplugins.hosts.detectron2.config", *COMPONENTS)]
    return attempts, {"detectron2": tuple(sorted(found.name for found in attempts[1:] if found.status == "ok"))}


def diagnose() -> Report:
    """Import the hosts, their compiled operators and our adapters; nothing is raised for what is absent or broken.

    Returns:
        What was found.
    """
    packages = tuple(_try_import(name) for name in PACKAGES)
    compiled = tuple(_try_import(name) for name in COMPILED)
    adapters: list[Import] = []
    registered: dict[str, tuple[str, ...]] = {}
    imported = {found.name for found in packages if found.status == "ok"}
    for host, look in (("mmpose", _mmpose_adapters), ("detectron2", _detectron2_adapters)):
        if host in imported:
            attempts, names = look()
            adapters += attempts
            registered |= names
    mmcv_ops = _mmcv_ops()
    return Report(
        orplugins=orplugins.__version__,
        python=platform.python_version(),
        packages=packages,
        compiled=compiled,
        adapters=tuple(adapters),
        registered=registered,
        mmcv_ops=mmcv_ops,
        advice=advise(_facts(packages, mmcv_ops)),
    )


def format_report(report: Report) -> str:
    """Return the report as text for people.

    Args:
        report: What `diagnose` returned.

    Returns:
        Lines joined by newlines.
    """
    rows = [("orplugins", report.orplugins), ("python", report.python)]
    rows += [(found.name, found.version or found.status) for found in report.packages]
    rows += [(found.name, _operators(found, report.mmcv_ops)) for found in report.compiled]
    lines = [f"{name:<14} {value}" for name, value in rows]
    lines += ["", "Registered:"]
    lines += [f"  {registry:<24} {', '.join(names) or '-'}" for registry, names in report.registered.items()]
    if not report.registered:
        lines.append("  nothing: neither mmpose nor detectron2 could be imported")
    if report.failures:
        lines += ["", "Failed to import:"]
        lines += [f"  {found.name}: {found.error}" for found in report.failures]
    for heading, advice in report.advice.items():
        lines += ["", HEADINGS[heading].format(python=sys.executable)]
        for each in advice:
            lines += [f"  {each.found}", *(f"    {command}" for command in each.commands)]
    return "\n".join(lines)


def _operators(found: Import, mmcv_ops: str | None) -> str:
    if found.name == "mmcv.ops" and mmcv_ops == "torchvision":
        return "ok (nms and roi_align through torchvision; the others raise NotImplementedError)"
    if found.name == "detectron2._C" and found.status == "absent":
        return "absent (ROIAlign and NMS come from torchvision; no rotated boxes, no deformable convolution)"
    return found.status
