"""Top-down estimator that never leaves a part of a checkpoint out in silence."""

from __future__ import annotations

from mmpose.models.pose_estimators import TopdownPoseEstimator

from orplugins.hosts.mmpose.state_dict import CheckpointMixin
from orplugins.partial_body.checkpoint import convert_vit, unwrap
from orplugins.partial_body.vit import ViT
from orplugins.registry import MODELS

_TRUNK = "backbone."


@MODELS.register_module()
class PartialBodyEstimator(CheckpointMixin, TopdownPoseEstimator):
    """mmpose's top-down estimator, strict with checkpoints.

    With an `orplugins.ViT`, ViTPose checkpoints of mmpose 0.x and 1.x load as they are. One whose tensors do not all
    fit is refused with a list; mmengine would log a line and leave, for instance, a last layer of 22 channels in a
    model of 21 at random.

    Args:
        fresh: Prefixes of parameters that may keep their initialisation where the checkpoint has none that fit, such as
            ``('head.final_layer.',)`` to start from a network for other joints.
        **kwargs: Arguments of `mmpose.models.TopdownPoseEstimator`.
    """

    def __init__(self, fresh: tuple[str, ...] = (), **kwargs):
        super().__init__(**kwargs)
        self.fresh = tuple(fresh)

    def renamed(self, state: dict) -> dict:
        """Translate published names. See `CheckpointMixin`."""
        return unwrap(state)  # the backbone renames its own

    def compared(self, state: dict) -> dict:
        """Leave out what a checkpoint may hold beside the model. See `CheckpointMixin`."""
        if not isinstance(self.backbone, ViT):
            return state
        trunk = {key[len(_TRUNK) :]: value for key, value in state.items() if key.startswith(_TRUNK)}
        converted = convert_vit(trunk, self.backbone.grid, self.backbone.checkpoint_grid)
        rest = {key: value for key, value in state.items() if not key.startswith(_TRUNK)}
        return rest | {_TRUNK + key: value for key, value in converted.items()}

    def excused(self, line: str) -> bool:
        """Allow a head of another joint set to start anew. See `CheckpointMixin`."""
        return line.startswith(self.fresh) if self.fresh else False

    def advice(self, lines: list[str], state: dict, expected: dict) -> str:
        """Say what else the file may be. See `CheckpointMixin`."""
        key = "head.final_layer.weight"
        if key not in state or key not in expected or len(state[key]) == len(expected[key]):
            return ""
        found, wanted = len(state[key]), len(expected[key])
        return (
            f"\nIt is for {found} keypoints, the model for {wanted}: take the configuration for {found}, or start the "
            "last layer anew with model.fresh=['head.final_layer.']"
        )
