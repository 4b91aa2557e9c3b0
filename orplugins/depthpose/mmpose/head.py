"""Part affinity field head with intermediate supervision."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from mmengine.structures import InstanceData, PixelData
from mmpose.models.heads.base_head import BaseHead
from torch import Tensor

from orplugins.depthpose.network import DepthReconstruction, PAFStages, StageOutput, TrunkOutput, init_depthpose
from orplugins.depthpose.paf.layout import HEAT_FLIP, PAF_FLIP, PAF_FLIP_SIGNS
from orplugins.registry import KEYPOINT_CODECS, MODELS

MSE = dict(type="mmpose.KeypointMSELoss")


@MODELS.register_module()
class PAFHead(BaseHead):
    """RTPose stages; every stage is supervised, the last one is decoded.

    Args:
        decoder: Codec config (``orplugins.PAFCodec``).
        heatmap_loss, paf_loss: Loss configs, applied to each stage and summed over the stages.
        reconstruction: ``dict(in_channels=64, loss_weight=1.0)`` adds the training-only convolution that predicts the
            high-resolution depth from the enlarged features; ``None`` leaves it out.
        init: See `orplugins.depthpose.network.init_depthpose`.
        init_cfg: mmengine's own initialisation (``Pretrained``); it is applied after ``init``.
        **stages: Arguments of `orplugins.depthpose.network.PAFStages`.
    """

    def __init__(
        self,
        decoder: dict,
        heatmap_loss: dict = MSE,
        paf_loss: dict = MSE,
        reconstruction: dict | None = None,
        init: str = "trainable",
        init_cfg: dict | None = None,
        **stages,
    ):
        super().__init__(init_cfg)
        self.init = init
        self.stages = PAFStages(**stages)
        self.decoder = KEYPOINT_CODECS.build(decoder)
        self.heatmap_loss = MODELS.build(heatmap_loss)
        self.paf_loss = MODELS.build(paf_loss)
        self.reconstruction = None
        if reconstruction is not None:
            self.reconstruction_weight = reconstruction.get("loss_weight", 1.0)
            self.reconstruction = DepthReconstruction(reconstruction.get("in_channels", 64))

    def init_weights(self) -> None:
        """Initialise the convolutions, then apply ``init_cfg``."""
        init_depthpose(self.stages, self.init)
        super().init_weights()

    def forward(self, feats: TrunkOutput) -> list[StageOutput]:
        """Maps of every stage.

        Args:
            feats: The backbone's output.

        Returns:
            One entry per stage, last stage last.
        """
        return self.stages(feats.context, feats.num_features)

    def loss(self, feats: TrunkOutput, batch_data_samples: Sequence, train_cfg: dict | None = None) -> dict:
        """Losses over all stages, and of the reconstruction where it is configured.

        Args:
            feats: The backbone's output.
            batch_data_samples: With ``gt_fields.heatmaps`` (19, h, w) and ``gt_fields.pafs`` (38, h, w), and for the
                reconstruction ``gt_depth.depth`` (1, H, W). Where not everything is labelled also with
                ``heatmap_mask`` and ``paf_mask``, 0 where a cell does not count.
            train_cfg: Not used.

        Returns:
            ``loss_heatmap``, ``loss_paf`` and, with the reconstruction, ``loss_sr``.
        """
        heatmaps = torch.stack([sample.gt_fields.heatmaps for sample in batch_data_samples])
        pafs = torch.stack([sample.gt_fields.pafs for sample in batch_data_samples])
        outputs = self(feats)
        counts = [_mask(batch_data_samples, name) for name in ("heatmap_mask", "paf_mask")]
        losses = dict(
            loss_heatmap=sum(self.heatmap_loss(out.heatmaps, heatmaps, **counts[0]) for out in outputs),
            loss_paf=sum(self.paf_loss(out.pafs, pafs, **counts[1]) for out in outputs),
        )
        if self.reconstruction is not None:
            target = torch.stack([sample.gt_depth.depth for sample in batch_data_samples])
            valid = (target > 0).to(target.dtype)
            losses["loss_sr"] = self.reconstruction_weight * self.reconstruction(feats.enlarged, target, valid)
        return losses

    def predict(self, feats, batch_data_samples: Sequence, test_cfg: dict | None = None):
        """People of a batch.

        Args:
            feats: The images' features, or the list [images', mirrored images'] of mmpose's flip test.
            batch_data_samples: One per image.
            test_cfg: ``output_heatmaps`` asks for the maps too.

        Returns:
            ``InstanceData`` per image: keypoints (N, 17, 2) in input pixels ((0, 0) where missing), keypoint_scores
            (N, 17), bbox_scores (N,) the people's scores. With ``output_heatmaps`` also the maps as ``PixelData``.
        """
        test_cfg = test_cfg or {}
        if isinstance(feats, list):
            direct, mirrored = (self(f)[-1] for f in feats)
            maps = average_flip(direct, mirrored)
        else:
            maps = self(feats)[-1]
        heatmaps, pafs = maps.heatmaps.float().cpu().numpy(), maps.pafs.float().cpu().numpy()
        instances = []
        for heatmap, paf in zip(heatmaps, pafs, strict=True):
            poses = self.decoder.decode_poses(heatmap, paf)
            instances.append(
                InstanceData(keypoints=poses.keypoints, keypoint_scores=poses.keypoint_scores, bbox_scores=poses.scores)
            )
        if test_cfg.get("output_heatmaps", False):
            return instances, [PixelData(heatmaps=h[:-1]) for h in maps.heatmaps.detach()]
        return instances


def _mask(samples: Sequence, name: str) -> dict[str, Tensor]:
    """The loss's argument for cells that count, where the samples say which."""
    if name not in samples[0].gt_fields:
        return {}
    return {"mask": torch.stack([getattr(sample.gt_fields, name) for sample in samples])}


def average_flip(direct: StageOutput, mirrored: StageOutput) -> StageOutput:
    """Mean of an image's maps and of its mirror image's maps, mirrored back.

    Averaging here equals averaging the enlarged maps up to rounding (1e-7), at 1/100 of the pixels.

    Args:
        direct: Maps (N, C, h, w) of the images.
        mirrored: Maps of the mirrored images, not mirrored back.

    Returns:
        The mean maps.
    """

    def back(maps: Tensor, channels: Sequence[int]) -> Tensor:
        return maps.flip(-1)[:, list(channels)]

    sign = torch.as_tensor(PAF_FLIP_SIGNS, dtype=direct.pafs.dtype, device=direct.pafs.device)[:, None, None]
    return StageOutput(
        pafs=(direct.pafs + sign * back(mirrored.pafs, PAF_FLIP)) / 2,
        heatmaps=(direct.heatmaps + back(mirrored.heatmaps, HEAT_FLIP)) / 2,
    )
