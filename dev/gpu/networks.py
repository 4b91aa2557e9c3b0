"""The one table of networks: how each is built, an input for it, and the stock network that does the same work.

Sizes are the published ones, with pictures of fewer pixels where a CPU would take long; ``quick`` ones are small.
Whatever a bare machine need not have (timm, the hosts) is imported where it is used.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from dev.gpu.session import HOSTS
from orplugins.depthpose.network import DepthPose, init_depthpose
from orplugins.depthpose.winograd import use_fast_convolutions
from orplugins.orpose_color.lifting import PoseStatistics, statistics_of
from orplugins.orpose_color.network import JointStatistics, Keypoints3DNet, LiftingNetwork
from orplugins.partial_body.state_branch import JointStateBranch
from orplugins.refinet.chain import RefineChain
from orplugins.refinet.network import PatchNet, PointCloudNet, SkeletonNet

CONFIGS = Path(__file__).resolve().parents[2] / "configs"
REGIONS = 10  # people in a picture
CALIBRATION = 16  # inputs that batch normalisation's statistics are taken of
ALL_PARTS = ("forward", "throughput", "syncs")

# DepthPose's small networks, as configs/mmpose/depthpose has them.
TINY_STAGES = dict(num_stages=2, first_width=48, first_hidden=64, width=32, kernel=5, depth=2)
SMALL_STAGES = dict(num_stages=2, first_width=64, first_hidden=128, width=64, kernel=3, depth=3)
LOW_RESOLUTION = dict(sr_steps=1, sr_hidden=(16,), sr_last_hidden=None, sr_channels=8)
DEPTHPOSE = {
    "depthpose_tiny-64x48": dict(
        trunk=dict(**LOW_RESOLUTION, blocks=((16,), (32, 32), (64, 64, 64))), stages=TINY_STAGES),
    "depthpose_small-64x48": dict(
        trunk=dict(**LOW_RESOLUTION, blocks=((16,), (32, 64), (96, 96))), stages=SMALL_STAGES),
    "depthpose_mvor-64x48": {},
    "rtpose_tiny-320x240": dict(
        trunk=dict(sr_steps=0, blocks=((8,), (16, 16), (32, 32), (64, 64, 64))), stages=TINY_STAGES),
    "rtpose_mvor-640x480": dict(trunk=dict(sr_steps=0)),
}  # fmt: skip


@dataclass(frozen=True)
class Twin:
    """A stock network that takes the same input; ``build`` is called with ``quick``."""

    name: str
    build: Callable[[bool], nn.Module]
    needs: tuple[str, ...]


@dataclass(frozen=True)
class Network:
    """An entry of the table.

    Attributes:
        name: In the report.
        build: Called with ``quick``; random weights come from torch's generator.
        example: Called with a batch size and ``quick``; the input tensors.
        needs: Packages beside torch and NumPy.
        parts: Which parts of the check take it.
        twin: What its speed is compared with.
        syncs: How often a pass may make the host wait; None: as often as is counted.
    """

    name: str
    build: Callable[[bool], nn.Module]
    example: Callable[[int, bool], tuple[Tensor, ...]]
    needs: tuple[str, ...] = ()
    parts: tuple[str, ...] = ALL_PARTS
    twin: Twin | None = None
    syncs: int | None = 0

    @property
    def host(self) -> bool:
        """Whether it needs mmpose or detectron2."""
        return any(package in HOSTS for package in self.needs)


def built(network: Network, quick: bool) -> nn.Module:
    """The network on the CPU, for evaluation; callers that move or train it take a copy."""
    return settled(network.build, network.example, quick)


@functools.cache
def settled(build: Callable[[bool], nn.Module], example: Callable, quick: bool) -> nn.Module:
    """A network on the CPU with the same random weights in every run, for evaluation.

    Batch normalisation that has seen nothing yet gets its input's statistics: without them activations of a deep
    network grow beyond what half precision holds.
    """
    torch.manual_seed(0)
    model = build(quick).eval()
    norms = [m for m in model.modules() if isinstance(m, nn.modules.batchnorm._BatchNorm) and not m.num_batches_tracked]
    if norms:
        momenta = [norm.momentum for norm in norms]
        for norm in norms:
            norm.momentum = None  # the plain mean
            norm.train()
        with torch.no_grad():
            model(*example(CALIBRATION, quick))
        for norm, momentum in zip(norms, momenta, strict=True):
            norm.momentum = momentum
            norm.eval()
    return model


def _uniform(*full: int, quick: tuple[int, ...] | None = None) -> Callable[[int, bool], tuple[Tensor]]:
    """Inputs (batch, ...) with values in [0, 1); pictures (batch, C, H, W) are smooth, as noise looks the same to a
    network whatever its seed."""

    def example(batch: int, small: bool) -> tuple[Tensor]:
        shape = quick if small and quick else full
        generator = torch.Generator().manual_seed(1)
        if len(shape) < 3:
            return (torch.rand(batch, *shape, generator=generator),)
        coarse = torch.rand(batch, shape[0], 6, 8, generator=generator)
        return (functional.interpolate(coarse, size=shape[1:], mode="bilinear", align_corners=True),)

    return example


def _depthpose(name: str, fast: bool = False) -> Callable[[bool], nn.Module]:
    def build(quick: bool) -> nn.Module:
        model = DepthPose(**DEPTHPOSE[name])
        init_depthpose(model)
        return use_fast_convolutions(model) if fast else model

    return build


def _vit(arch: str) -> Callable[[bool], nn.Module]:
    def build(quick: bool) -> nn.Module:
        from orplugins.partial_body.vit import ViT  # imports timm

        return ViT(arch, (64, 64) if quick else (192, 256), depth=2 if quick else None, drop_path=0.0)

    return build


def _timm_vit(quick: bool) -> nn.Module:
    from timm.models.vision_transformer import VisionTransformer

    size = (64, 64) if quick else (256, 192)
    return VisionTransformer(img_size=size, depth=2 if quick else 12, class_token=False, global_pool="", num_classes=0)


def _clouds(batch: int, quick: bool) -> tuple[Tensor]:
    """Clouds (batch, 15, N + 1, 3) of different widths and numbers of points, zeros behind them, the count last."""
    generator, rows = torch.Generator().manual_seed(2), 64 if quick else 2000
    points = torch.randn(batch, 15, rows, 3, generator=generator) * torch.rand(batch, 15, 1, 3, generator=generator)
    count = torch.randint(rows // 2, rows + 1, (batch, 15, 1, 1), generator=generator)
    points = points.where(torch.arange(rows)[:, None] < count, 0.0)
    return (torch.cat([points, count.expand(-1, -1, -1, 3).float()], 2),)


_patches, _poses = _uniform(15, 40, 40), _uniform(15, 3)


def _chain_inputs(batch: int, quick: bool) -> tuple[Tensor, ...]:
    return (*_patches(batch, quick), *_poses(batch, quick), *_clouds(batch, quick))


def _state_inputs(batch: int, quick: bool) -> tuple[Tensor, ...]:
    return (*_uniform(192, 8, 6)(batch, quick), *_uniform(17, 32, 24)(batch, quick))


def random_statistics() -> PoseStatistics:
    """Statistics of made-up poses: the lifting networks need some."""
    random = np.random.default_rng(0)
    return statistics_of(random.uniform(0, 480, (50, 17, 2)), random.normal(0, 500, (50, 17, 3)))


class _KeypointMaps(nn.Module):
    """The heatmaps of a keypoint head."""

    def __init__(self, head: nn.Module):
        super().__init__()
        self.head = head

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor]:
        return self.head.heatmaps(features)


class _Lifting(nn.Module):
    """A keypoint head's way from joints (R, 17, 3) to 3D in metres."""

    def __init__(self, head: Keypoints3DNet):
        super().__init__()
        self.head = head

    def forward(self, joints: Tensor) -> tuple[Tensor, Tensor]:
        h36, lifted = self.head.lift(joints, joints * 1.01)
        return h36, self.head.statistics.metres(lifted)


def _keypoint_head(quick: bool) -> Keypoints3DNet:
    widths, lifter = ((32,) * 2, 64) if quick else ((512,) * 8, 1024)
    return Keypoints3DNet(256, widths, lifter_width=lifter, statistics=random_statistics())


def _joints(batch: int, quick: bool) -> tuple[Tensor]:
    return (480 * _uniform(17, 3)(batch, quick)[0],)


class _Clips(nn.Module):
    """A lifter's dense pass over clips (B, 2 K, T)."""

    def __init__(self, lifter: nn.Module):
        super().__init__()
        self.lifter = lifter

    def forward(self, clips: Tensor) -> Tensor:
        return self.lifter.dense(clips)[0]


def _videopose(quick: bool) -> nn.Module:
    return _Clips(mmpose_model("videopose3d/videopose3d_27-coco" if quick else "videopose3d/videopose3d_243-coco"))


def mmpose_model(config: str) -> nn.Module:
    """An mmpose model of a config of ours, with its own initialisation."""
    from mmengine.config import Config
    from mmengine.logging import MMLogger
    from mmengine.registry import init_default_scope
    from mmpose.registry import MODELS

    MMLogger.get_instance("mmengine").setLevel("WARNING")  # init_weights logs each parameter
    init_default_scope("mmpose")
    model = MODELS.build(Config.fromfile(CONFIGS / f"mmpose/{config}.py").model)
    model.init_weights()
    return model


class _InBoxes(nn.Module):
    """An R-CNN's keypoints for `REGIONS` given boxes a picture: no proposals whose number depends on rounding.

    Args:
        model: detectron2's ``GeneralizedRCNN`` with a keypoint head.
        decoded: Whether the output is joints, or the maps that they are decoded from.
    """

    def __init__(self, model: nn.Module, decoded: bool):
        super().__init__()
        self.model, self.decoded = model, decoded

    def forward(self, pictures: Tensor, boxes: Tensor):
        from detectron2.structures import Boxes, Instances

        height, width = pictures.shape[2:]
        if self.decoded:
            kind = torch.zeros(REGIONS, dtype=torch.long, device=pictures.device)
            given = [Instances((height, width), pred_boxes=Boxes(boxes), pred_classes=kind) for _ in pictures]
            records = [{"image": picture, "height": height, "width": width} for picture in pictures]
            found = self.model.inference(records, given, do_postprocess=False)
            return [each.pred_keypoints for each in found]
        features = self.model.backbone((pictures - self.model.pixel_mean) / self.model.pixel_std)
        heads = self.model.roi_heads
        chosen = [features[name] for name in heads.keypoint_in_features]
        pooled = heads.keypoint_pooler(chosen, [Boxes(boxes)] * len(pictures))
        return heads.keypoint_head.heatmaps(pooled)


# What makes a stock keypoint R-CNN as slim as configs/detectron2/orpose_color/orpose_tiny.yaml.
SLIM = ("MODEL.RESNETS.STEM_OUT_CHANNELS", 16, "MODEL.RESNETS.RES2_OUT_CHANNELS", 32,
        "MODEL.RESNETS.WIDTH_PER_GROUP", 8, "MODEL.FPN.OUT_CHANNELS", 32,
        "MODEL.ROI_KEYPOINT_HEAD.CONV_DIMS", (48, 48, 48))  # fmt: skip


def _rcnn(path: str, options: tuple = ()) -> nn.Module:
    from detectron2.config import get_cfg
    from detectron2.modeling import build_model

    import orplugins  # noqa: F401 - registers
    from orplugins.hosts.detectron2.config import add_orplugins_config

    cfg = get_cfg()
    add_orplugins_config(cfg)
    cfg.merge_from_file(path)
    # Without a checkpoint's statistics, frozen normalisation would let activations grow without bounds.
    cfg.merge_from_list(["MODEL.DEVICE", "cpu", "MODEL.WEIGHTS", "", "MODEL.RESNETS.NORM", "BN", *options])
    return build_model(cfg)


def _student(quick: bool) -> nn.Module:
    model = _rcnn(str(CONFIGS / f"detectron2/orpose_color/orpose_{'tiny' if quick else 'fixed_12x'}.yaml"))
    model.roi_heads.keypoint_head.statistics = JointStatistics(random_statistics(), stored=False)
    return _InBoxes(model, decoded=True)


def _trained_student(quick: bool) -> nn.Module:
    import detectron2  # noqa: F401 - the host first

    from orplugins.hosts.detectron2.checkpoint import load_weights

    model = _rcnn(str(CONFIGS / "detectron2/orpose_color/orpose_tiny.yaml"))
    load_weights(model, str(CONFIGS.parent / "demo/orpose_tiny.safetensors"))
    return _InBoxes(model, decoded=False)


def _stock_rcnn(quick: bool) -> nn.Module:
    from detectron2 import model_zoo

    path = model_zoo.get_config_file("COCO-Keypoints/keypoint_rcnn_R_50_FPN_1x.yaml")
    return _InBoxes(_rcnn(path, SLIM if quick else ()), decoded=True)


def _student_head(quick: bool) -> nn.Module:
    from detectron2.layers import ShapeSpec

    from orplugins.orpose_color.detectron2.keypoint_head import StandardKeypoints3DHead

    widths = (32,) * 2 if quick else (512,) * 8
    return _KeypointMaps(StandardKeypoints3DHead(ShapeSpec(256, 14, 14), conv_dims=widths))


def _stock_head(quick: bool) -> nn.Module:
    from detectron2.layers import ShapeSpec
    from detectron2.modeling.roi_heads import KRCNNConvDeconvUpsampleHead

    class Maps(KRCNNConvDeconvUpsampleHead):
        def forward(self, features: Tensor) -> Tensor:
            return self.layers(features)

    return Maps(ShapeSpec(256, 14, 14), num_keypoints=17, conv_dims=(32,) * 2 if quick else (512,) * 8)


_regions = _uniform(256, 14, 14)


def _pictures(batch: int, quick: bool) -> tuple[Tensor, Tensor]:
    """Pictures, and the boxes of people who stand side by side in each."""
    (pictures,) = _uniform(3, 480, 640, quick=(3, 96, 128))(batch, quick)
    left = torch.linspace(0.05, 0.6, REGIONS)
    boxes = torch.stack([left, torch.full_like(left, 0.1), left + 0.25, torch.full_like(left, 0.9)], 1)
    height, width = pictures.shape[2:]
    return 255 * pictures, boxes * torch.tensor([width, height, width, height])


NETWORKS = (
    Network("DepthPose tiny", _depthpose("depthpose_tiny-64x48"), _uniform(1, 48, 64)),
    Network("DepthPose small", _depthpose("depthpose_small-64x48"), _uniform(1, 48, 64)),
    Network("DepthPose published", _depthpose("depthpose_mvor-64x48"), _uniform(1, 24, 32, quick=(1, 8, 8))),
    Network("DepthPose published, tiled on a CPU", _depthpose("depthpose_mvor-64x48", fast=True),
            _uniform(1, 24, 32, quick=(1, 8, 8)), parts=("forward",)),
    Network("RTPose tiny", _depthpose("rtpose_tiny-320x240"), _uniform(1, 240, 320, quick=(1, 64, 64))),
    Network("RTPose published", _depthpose("rtpose_mvor-640x480"), _uniform(1, 240, 320, quick=(1, 64, 64))),
    Network("RefiNet A", lambda quick: PatchNet(), _patches),
    Network("RefiNet B", lambda quick: SkeletonNet(), _poses),
    # Reads how large the clouds are, to leave padding out.
    Network("RefiNet C", lambda quick: PointCloudNet(), _clouds, syncs=None),
    Network("RefiNet chain", lambda quick: RefineChain(PatchNet(), SkeletonNet(), PointCloudNet()), _chain_inputs,
            syncs=None),
    Network("ViT-S", _vit("small"), _uniform(3, 256, 192, quick=(3, 64, 64)), needs=("timm",)),
    Network("ViT-B", _vit("base"), _uniform(3, 256, 192, quick=(3, 64, 64)), needs=("timm",),
            twin=Twin("timm's ViT-B", _timm_vit, ("timm",))),
    Network("joint states", lambda quick: JointStateBranch(192, 17, 128), _state_inputs),
    Network("lifter", lambda quick: LiftingNetwork(), _uniform(32)),
    Network("keypoints3d head", lambda quick: _KeypointMaps(_keypoint_head(quick)), _regions),
    # Asks whether its statistics are known.
    Network("keypoints3d lifting", lambda quick: _Lifting(_keypoint_head(quick)), _joints, syncs=None),
    Network("VideoPose3D, dense", _videopose, _uniform(34, 300, quick=(34, 60)), needs=("mmpose",)),
    Network("keypoints3d head in detectron2", _student_head, _regions, needs=("detectron2",),
            twin=Twin("detectron2's keypoint head", _stock_head, ("detectron2",))),
    # With its trained weights: of so deep a network with random ones, half precision leaves little.
    Network("ORPose tiny student, maps", _trained_student, _pictures, needs=("detectron2", "safetensors"),
            parts=("forward",)),
    Network("ORPose student, given boxes", _student, _pictures, needs=("detectron2",), parts=("throughput", "syncs"),
            syncs=None,
            twin=Twin("detectron2's keypoint R-CNN", _stock_rcnn, ("detectron2",))),
)  # fmt: skip
