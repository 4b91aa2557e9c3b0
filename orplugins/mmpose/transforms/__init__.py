"""Pipeline transforms for mmpose."""

from .depth import DepthToInput, LoadDepth, PackDepthPoseInputs, RandomDepthAffine, RandomDepthHoles

__all__ = ["DepthToInput", "LoadDepth", "PackDepthPoseInputs", "RandomDepthAffine", "RandomDepthHoles"]
