"""The partial-body detector: detectron2's R-CNN that does not draw boxes of random weights."""

from __future__ import annotations

from detectron2.config import configurable
from detectron2.modeling.meta_arch.build import META_ARCH_REGISTRY
from detectron2.modeling.meta_arch.rcnn import GeneralizedRCNN

# Only a detector's checkpoint has it; one of a backbone trained on ImageNet has not.
_LAST_LAYER = "roi_heads.box_predictor.cls_score.weight"


@META_ARCH_REGISTRY.register()
class PartialBodyRCNN(GeneralizedRCNN):
    """detectron2's `GeneralizedRCNN`; inference without trained or loaded weights is an error.

    With an empty ``MODEL.WEIGHTS``, or a file whose last layer is missing or of another number of classes, detectron2
    logs a line and goes on with random numbers.
    """

    @configurable
    def __init__(self, **parts):
        super().__init__(**parts)
        self._has_weights = False
        self._register_load_state_dict_pre_hook(self._note_weights)

    @classmethod
    def from_config(cls, cfg) -> dict:
        """Arguments of the model that a config asks for; its ``MODEL.WEIGHTS`` are looked into first."""
        # Whoever builds from a config loads MODEL.WEIGHTS next, and detectron2 would execute what a pickle asks for.
        from orplugins.hosts.detectron2.checkpoint import expect_weights  # not while detectron2 is half imported

        expect_weights(cfg.MODEL.WEIGHTS)
        return super().from_config(cfg)

    def _note_weights(self, state_dict, prefix, *args) -> None:
        self._has_weights = self._has_weights or prefix + _LAST_LAYER in state_dict

    def forward(self, batched_inputs):
        """Losses in training, detections otherwise; see `GeneralizedRCNN`."""
        self._has_weights = self._has_weights or self.training
        return super().forward(batched_inputs)

    def inference(self, batched_inputs, detected_instances=None, do_postprocess=True):
        """Detections of a batch; arguments as for detectron2's `GeneralizedRCNN.inference`.

        Raises:
            ValueError: The last layer was neither loaded nor trained.
        """
        if not self._has_weights:
            raise ValueError(
                "the detector's last layer is random: MODEL.WEIGHTS is empty or names a file that has no "
                f"fitting '{_LAST_LAYER}'; give the path of a trained detector's checkpoint"
            )
        return super().inference(batched_inputs, detected_instances, do_postprocess)
