"""VideoPose3D in mmpose."""

from .backbone import VideoPoseTCN
from .codec import VideoPoseCodec
from .dataset import VideoPose3DDataset
from .estimator import VideoPoseLifter
from .heads import DenseTemporalHead, RootTrajectoryHead
from .hooks import BatchNormMomentumHook
from .metrics import MotionMetric
from .transforms import MirrorPoseSequence

__all__ = [
    "BatchNormMomentumHook",
    "DenseTemporalHead",
    "MirrorPoseSequence",
    "MotionMetric",
    "RootTrajectoryHead",
    "VideoPose3DDataset",
    "VideoPoseCodec",
    "VideoPoseLifter",
    "VideoPoseTCN",
]
