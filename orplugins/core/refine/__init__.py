"""What RefiNet (D'Eusanio et al., ICPR 2020) does around its networks: lifting, depth patches, point sets, noise.

Poses are ITOP-15 in millimetres with y **up** (the axes of ITOP's labels), depth images are millimetres, 0 = hole, and
pixels follow ITOP: its principal point is (160, 120). Tools convert to and from the project's metres at their edges.
"""

from .cameras import ITOP_CAMERA, DepthCamera, baracca_camera, baracca_cloud_camera
from .clouds import CloudSettings, JointClouds, joint_clouds
from .lift import LiftSettings, lift
from .noise import fixed_noise, frozen_noise
from .patches import PatchSettings, depth_patches
from .skeleton import SkeletonScale

__all__ = [
    "ITOP_CAMERA", "CloudSettings", "DepthCamera", "JointClouds", "LiftSettings", "PatchSettings", "SkeletonScale",
    "baracca_camera", "baracca_cloud_camera", "depth_patches", "fixed_noise", "frozen_noise", "joint_clouds", "lift",
]  # fmt: skip
