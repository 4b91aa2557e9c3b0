"""Part affinity fields: channel layout, training targets, and the decoders of people."""

from orplugins.depthpose.paf.decode import DECODERS, decode_in_input, decode_pafs
from orplugins.depthpose.paf.fast import decode_fast, decode_layout
from orplugins.depthpose.paf.layout import PafLayout, named_layout
from orplugins.depthpose.paf.published import decode_published
from orplugins.depthpose.paf.targets import coco_to_openpose18, encode_paf_targets
from orplugins.depthpose.paf.types import PafDecodeSettings, PafPoses

__all__ = [
    "DECODERS",
    "PafDecodeSettings",
    "PafLayout",
    "PafPoses",
    "coco_to_openpose18",
    "decode_fast",
    "decode_in_input",
    "decode_layout",
    "decode_pafs",
    "decode_published",
    "encode_paf_targets",
    "named_layout",
]
