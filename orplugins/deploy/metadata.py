"""What a model file says of itself, so that the file alone is enough to run it.

One JSON object: in an ONNX file under the key ``orplugins`` of ``metadata_props``, in OpenVINO's IR in ``rt_info``. The
exporters write it (`orplugins.export`), the runtime reads it; nothing else is needed from the config.
"""

from __future__ import annotations

import json
from dataclasses import MISSING, asdict, dataclass, field, fields
from typing import Any

from orplugins.skeletons import SKELETONS, Skeleton

KEY = "orplugins"
FORMAT = 1
KINDS = ("depth", "color", "keypoints")
OPSETS = range(13, 24)
PRECISIONS = ("fp32", "fp16", "int8")


@dataclass(frozen=True)
class InputSpec:
    """What a network is fed.

    Attributes:
        kind: ``"depth"``, ``"color"`` or ``"keypoints"``.
        unit: Of the caller's values: ``"mm"`` (uint16 depth), ``"8-bit"`` (depth of the published low-resolution
            form), ``"uint8"`` (colour), ``"px"`` (keypoints).
        size: (width, height) that the network sees; None: any.
        frame: (width, height) that the caller's image must have; None: any.
        channels: ``"bgr"`` or ``"rgb"``: what the network wants. The caller's colour images are BGR, as everywhere.
        mean, std: Per channel, in the network's order; empty where they are in the graph or not used.
        options: What else the preparation needs, as the method's own module understands it.
    """

    kind: str
    unit: str
    size: tuple[int, int] | None = None
    frame: tuple[int, int] | None = None
    channels: str = ""
    mean: tuple[float, ...] = ()
    std: tuple[float, ...] = ()
    options: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self):
        if self.kind not in KINDS:
            raise ValueError(f"input.kind: found {self.kind!r}, expected one of {', '.join(KINDS)}")
        for name in ("size", "frame"):
            value = getattr(self, name)
            if value is None:
                continue
            if len(value) != 2 or any(not isinstance(side, int) or side < 1 for side in value):
                raise ValueError(f"input.{name}: found {value!r}, expected [width, height] above 0")
            object.__setattr__(self, name, tuple(value))
        for name in ("mean", "std"):
            object.__setattr__(self, name, tuple(float(number) for number in getattr(self, name)))


@dataclass(frozen=True)
class Source:
    """Where a model file comes from.

    Attributes:
        config: Name of the host's config.
        weights: Name of the file of weights.
        sha256: Of that file.
        licence: Of the weights, as the exporter was told; "unknown" where nobody said.
        version: Of this package.
    """

    config: str
    weights: str
    sha256: str
    licence: str
    version: str


@dataclass(frozen=True)
class Metadata:
    """All that a model file says of itself.

    Attributes:
        method: Key of `orplugins.deploy.methods.METHODS`.
        input: See `InputSpec`.
        skeleton: The joints that the network finds in the image; None for a detector.
        codec: How maps or outputs become people: ``type`` and parameters, as the method's own module understands it.
        source: See `Source`.
        opset: Of ONNX, standard domain.
        precision: One of `PRECISIONS`.
        points_skeleton: The joints of 3D results; None without.
        classes: Of a detector.
        format: Version of this form.
    """

    method: str
    input: InputSpec
    codec: dict[str, Any]
    source: Source
    opset: int
    precision: str = "fp32"
    skeleton: Skeleton | None = None
    points_skeleton: Skeleton | None = None
    classes: tuple[str, ...] = ()
    format: int = FORMAT

    def to_json(self) -> str:
        """The text that is written."""
        record = asdict(self)
        for name in ("skeleton", "points_skeleton"):
            skeleton = getattr(self, name)
            if skeleton is not None:
                record[name] = {
                    "name": skeleton.name,
                    "joints": skeleton.joints,
                    "limbs": skeleton.limbs,
                    "flip_pairs": skeleton.flip_pairs,
                }
        return json.dumps(record, allow_nan=False)


def parse_metadata(text: str | None, path: str) -> Metadata:
    """Read what a file says of itself.

    Args:
        text: The JSON; None where the file has none.
        path: For errors.

    Returns:
        The metadata.

    Raises:
        ValueError: None, no JSON, another version, a field that is missing, unknown or of another form.
    """
    if not text:
        raise ValueError(f"{path}: no metadata of orplugins in it, expected a model that `orplugins export` wrote")
    try:
        record = json.loads(text)
    except ValueError as error:
        raise ValueError(f"{path}: metadata {KEY!r}: not JSON ({error})") from None
    found = record.get("format") if isinstance(record, dict) else None
    if found != FORMAT:
        raise ValueError(f"{path}: metadata {KEY!r}: found format {found!r}, expected {FORMAT}: export it again")
    try:
        for name, part in (("input", InputSpec), ("source", Source)):
            if name in record:
                record[name] = _made(part, record[name], name)
        for name in ("skeleton", "points_skeleton"):
            record[name] = _skeleton(record.get(name))
        record["classes"] = tuple(record.get("classes", ()))
        made = _made(Metadata, record, "metadata")
        if made.opset not in OPSETS:
            raise ValueError(f"opset: found {made.opset!r}, expected {OPSETS[0]} to {OPSETS[-1]}")
        if made.precision not in PRECISIONS:
            raise ValueError(f"precision: found {made.precision!r}, expected one of {', '.join(PRECISIONS)}")
    except KeyError as error:
        raise ValueError(f"{path}: metadata {KEY!r}: no field {error}") from None
    except (TypeError, ValueError) as error:
        raise ValueError(f"{path}: metadata {KEY!r}: {error}") from None
    return made


def _made(kind: Any, record: Any, name: str) -> Any:
    if not isinstance(record, dict):
        raise ValueError(f"{name}: found {type(record).__name__}, expected an object")
    unknown = set(record) - {each.name for each in fields(kind)}
    if unknown:
        raise ValueError(f"{name}: unknown field {', '.join(sorted(unknown))}")
    needed = [each.name for each in fields(kind) if each.default is MISSING and each.default_factory is MISSING]
    missing = [each for each in needed if each not in record]
    if missing:
        raise ValueError(f"{name}: no field {', '.join(missing)}")
    return kind(**record)


def _skeleton(record: Any) -> Skeleton | None:
    """The project's own joint set where names agree, so that sigmas and identity are kept; else one of the file's."""
    if record is None:
        return None
    joints = tuple(record["joints"])
    known = SKELETONS.get(record["name"])
    if known is not None and known.joints == joints:
        return known
    limbs = tuple((int(a), int(b)) for a, b in record["limbs"])
    if any(not 0 <= end < len(joints) for limb in limbs for end in limb):
        raise ValueError(f"skeleton {record['name']}: a limb ends at a joint that is not there")
    return Skeleton(str(record["name"]), joints, limbs)
