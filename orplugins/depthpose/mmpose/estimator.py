"""Bottom-up estimator that reads the published DepthPose checkpoints."""

from __future__ import annotations

import torch
from mmpose.models.pose_estimators import BottomupPoseEstimator

from orplugins.depthpose.checkpoint import convert_published, is_published
from orplugins.depthpose.network import TrunkOutput
from orplugins.depthpose.winograd import use_fast_convolutions
from orplugins.hosts.mmpose.state_dict import CheckpointMixin
from orplugins.registry import MODELS

# The paper trains with a reconstruction of the depth image, but the released networks do not contain it.
TRAINING_ONLY = ("head.reconstruction.",)


@MODELS.register_module()
class DepthPoseEstimator(CheckpointMixin, BottomupPoseEstimator):
    """mmpose's bottom-up estimator with four additions.

    Published names are renamed while a checkpoint loads; the flip test runs image and mirror image as one batch;
    convolutions with many channels take fewer multiplications on a CPU; joints that were not found stay at (0, 0) with
    score 0 when poses are brought to the original image.

    Args:
        strict_checkpoint: Refuse a checkpoint that leaves parameters at random (the training-only reconstruction
            excepted). mmengine would only log them.
        fast_convolutions: Use `orplugins.depthpose.winograd.use_fast_convolutions`: inference on a CPU takes about half
            the time, and maps differ by rounding only. Training, GPUs and checkpoints are not affected.
        **kwargs: Arguments of `mmpose.models.BottomupPoseEstimator`.
    """

    may_lack = (*TRAINING_ONLY, "data_preprocessor.")

    def __init__(self, strict_checkpoint: bool = True, fast_convolutions: bool = True, **kwargs):
        super().__init__(**kwargs)
        self.strict_checkpoint = strict_checkpoint
        if fast_convolutions:
            use_fast_convolutions(self)

    def renamed(self, state: dict) -> dict:
        """Translate published names. See `CheckpointMixin`."""
        return convert_published(state, "backbone.trunk.", "head.stages.") if is_published(state) else state

    def compared(self, state: dict) -> dict:
        """Leave out what a checkpoint may hold beside the model. See `CheckpointMixin`."""
        own = self.state_dict()  # training-only layers may be left over
        return {k: v for k, v in state.items() if not (k.startswith(TRAINING_ONLY) and k not in own)}

    def extract_feat(self, inputs):
        """Features of a batch (N, 1, H, W), computed with channels last."""
        # Convolutions on a CPU and on tensor cores are faster with channels last.
        return super().extract_feat(inputs.contiguous(memory_format=torch.channels_last))

    def predict(self, inputs, data_samples):
        """People of every image; see mmpose's `BottomupPoseEstimator.predict`."""
        if self.test_cfg.get("flip_test", False):
            both = self.extract_feat(torch.cat([inputs, inputs.flip(-1)]))
            feats = [
                TrunkOutput(context, both.num_features, enlarged)
                for context, enlarged in zip(both.context.chunk(2), both.enlarged.chunk(2), strict=True)
            ]
        else:
            feats = self.extract_feat(inputs)
        predictions = self.head.predict(feats, data_samples, test_cfg=self.test_cfg)
        instances, fields = predictions if isinstance(predictions, tuple) else (predictions, None)
        return self.add_pred_to_datasample(instances, fields, data_samples)

    def add_pred_to_datasample(self, batch_pred_instances, batch_pred_fields, batch_data_samples):
        """Bring poses to the original image; joints that were not found stay at (0, 0)."""
        samples = super().add_pred_to_datasample(batch_pred_instances, batch_pred_fields, batch_data_samples)
        for sample in samples:
            people = sample.pred_instances
            people.keypoints[people.keypoint_scores <= 0] = 0
        return samples
