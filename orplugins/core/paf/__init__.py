"""Part affinity fields: channel layout, training targets, and the decoders of people."""

from orplugins.core.paf.decode import DECODERS, decode_pafs
from orplugins.core.paf.fast import decode_fast
from orplugins.core.paf.poses import PafDecodeSettings, PafPoses
from orplugins.core.paf.published import decode_published
from orplugins.core.paf.targets import coco_to_openpose18, encode_paf_targets

__all__ = [
    "DECODERS",
    "PafDecodeSettings",
    "PafPoses",
    "coco_to_openpose18",
    "decode_fast",
    "decode_pafs",
    "decode_published",
    "encode_paf_targets",
]
