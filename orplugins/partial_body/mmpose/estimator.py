"""Top-down estimator that never leaves a part of a checkpoint out in silence."""

from __future__ import annotations

from mmengine.logging import print_log
from mmpose.models.pose_estimators import TopdownPoseEstimator

from orplugins.hosts.mmpose.checkpoints import guard_checkpoints
from orplugins.partial_body.checkpoint import convert_vit, listed, misfits, unwrap
from orplugins.registry import MODELS

_TRUNK = "backbone."


@MODELS.register_module()
class PartialBodyEstimator(TopdownPoseEstimator):
    """mmpose's top-down estimator with an `orplugins.ViT`, strict with checkpoints.

    ViTPose checkpoints of mmpose 0.x and 1.x load as they are. One whose tensors do not all fit is refused with a list;
    mmengine would log a line and leave, for instance, a last layer of 22 channels in a model of 21 at random.

    Args:
        fresh: Prefixes of parameters that may keep their initialisation where the checkpoint has none that fit, such as
            ``('head.final_layer.',)`` to start from a network for other joints.
        **kwargs: Arguments of `mmpose.models.TopdownPoseEstimator`.
    """

    def __init__(self, fresh: tuple[str, ...] = (), **kwargs):
        super().__init__(**kwargs)
        guard_checkpoints()
        self.fresh = tuple(fresh)

    def _load_state_dict_pre_hook(self, state_dict, prefix, local_meta, *args, **kwargs):
        if prefix:
            return super()._load_state_dict_pre_hook(state_dict, prefix, local_meta, *args, **kwargs)
        tensors = unwrap(state_dict)
        state_dict.clear()
        state_dict.update(tensors)
        super()._load_state_dict_pre_hook(state_dict, prefix, local_meta, *args, **kwargs)
        expected = self.state_dict()
        trunk = {key[len(_TRUNK) :]: value for key, value in state_dict.items() if key.startswith(_TRUNK)}
        converted = convert_vit(trunk, self.backbone.grid, self.backbone.checkpoint_grid)
        renamed = {key: value for key, value in state_dict.items() if not key.startswith(_TRUNK)}
        renamed |= {_TRUNK + key: value for key, value in converted.items()}
        lines = misfits(renamed, expected)
        excused = [line for line in lines if self.fresh and line.startswith(self.fresh)]
        if len(lines) > len(excused):
            raise ValueError(self._message([line for line in lines if line not in excused], renamed, expected))
        if excused:
            print_log("kept at their initialisation:" + listed(excused), "current")
            for line in excused:
                state_dict.pop(line.partition(":")[0], None)

    @staticmethod
    def _message(lines: list[str], found: dict, expected: dict) -> str:
        text = "the checkpoint does not fit the model:" + listed(lines)
        key = "head.final_layer.weight"
        if key in found and key in expected and len(found[key]) != len(expected[key]):
            text += (
                f"\nIt is for {len(found[key])} keypoints, the model for {len(expected[key])}: take the "
                f"configuration for {len(found[key])}, or start the last layer anew with "
                "model.fresh=['head.final_layer.']"
            )
        return text
