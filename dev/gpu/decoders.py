"""Decoders fed with tensors on the device must give what they give for the same tensors on the CPU."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from dev.gpu.networks import REGIONS, mmpose_model
from dev.gpu.report import Check, Outcome
from dev.gpu.session import HOSTS, Session, leaves
from orplugins.depthpose.paf.decode import decode_pafs
from orplugins.depthpose.paf.scenes import paf_scene
from orplugins.orpose_color.decode import decode_batched
from orplugins.orpose_color.losses import heatmap_targets
from orplugins.partial_body.udp import decode as decode_udp
from orplugins.partial_body.udp_batch import decode_batch
from orplugins.refinet.chain import RefineChain
from orplugins.refinet.depth_camera import DepthCamera
from orplugins.refinet.network import PatchNet, PointCloudNet, SkeletonNet

CELLS = 56  # a side of a keypoint head's maps


@dataclass(frozen=True)
class Decoder:
    """An entry of the table.

    Attributes:
        name: In the report.
        prepare: Gives a function of tensors, and tensors on the CPU for it.
        tolerance: Greatest difference of a number of the output, in ``unit``; 0: equal.
        precisions: In which it is checked.
        needs: Packages beside torch and NumPy.
    """

    name: str
    prepare: Callable[[], tuple[Callable, tuple[Tensor, ...]]]
    tolerance: float = 0.0
    unit: str = "px"
    precisions: tuple[str, ...] = ("fp32",)
    needs: tuple[str, ...] = ()

    @property
    def host(self) -> bool:
        """Whether it needs mmpose or detectron2."""
        return any(package in HOSTS for package in self.needs)


def checks(session: Session, hosts: bool) -> Iterator[Check]:
    for decoder in DECODERS:
        if decoder.host == hosts:
            for precision in decoder.precisions:
                run = functools.partial(_compare, session, decoder, precision)
                yield Check("decoders", "device against CPU", decoder.name, precision, run)


@torch.no_grad()
def _compare(session: Session, decoder: Decoder, precision: str) -> Outcome:
    session.require(decoder.needs)
    decode, inputs = decoder.prepare()
    with session.precision("fp32"):
        expected = leaves(decode(*inputs))
    with session.precision(precision):
        found = leaves(decode(*(to_device(x, session) for x in inputs)))
    shapes = [[tuple(x.shape) for x in output] for output in (expected, found)]
    if shapes[0] != shapes[1] or not sum(x.numel() for x in expected):
        raise ValueError(f"found shapes {shapes[1]}, expected the same as on the CPU, not empty: {shapes[0]}")
    pairs = [pair for pair in zip(expected, found, strict=True) if pair[0].numel()]
    difference = max(float((a.double() - b.double()).abs().max()) for a, b in pairs)
    tolerance = 0.5 if precision == "tf32" else decoder.tolerance
    return Outcome(
        f"{difference:.1e} {decoder.unit}",
        f"<= {tolerance:g} {decoder.unit}" if tolerance else "equal",
        difference <= tolerance,
        {"difference": difference, "tolerance": tolerance},
    )


def to_device(x: Tensor, session: Session) -> Tensor:
    """On the device; maps (N, C, H, W) with channels last, as convolutions leave them there."""
    x = x.to(session.device)
    return x.contiguous(memory_format=torch.channels_last) if x.dim() == 4 else x


def _scenes() -> tuple[Tensor, ...]:
    """Heatmaps, fields, and those of the mirror images, (2, C, 48, 64) each."""
    scenes = [paf_scene(np.random.default_rng(seed), people=4) for seed in (0, 1)]
    return tuple(
        torch.from_numpy(np.stack([getattr(scene, name) for scene in scenes]))
        for name in ("heat", "paf", "flip_heat", "flip_paf")
    )


def _pafs(how: str):
    def decode(*maps: Tensor):
        found = [
            decode_pafs(h, p, 10, fh, fp, decode=how)
            for h, p, fh, fp in zip(*(each.cpu().numpy() for each in maps), strict=True)
        ]
        return [(poses.keypoints, poses.keypoint_scores, poses.scores) for poses in found]

    return decode, _scenes()


def _pafs_of_averaged_maps():
    from orplugins.depthpose.mmpose.head import average_flip
    from orplugins.depthpose.network import StageOutput

    def decode(heat: Tensor, paf: Tensor, flip_heat: Tensor, flip_paf: Tensor):
        maps = average_flip(StageOutput(paf, heat), StageOutput(flip_paf, flip_heat))
        pairs = zip(maps.heatmaps.cpu().numpy(), maps.pafs.cpu().numpy(), strict=True)
        found = [decode_pafs(heat, paf, 10) for heat, paf in pairs]
        return [(poses.keypoints, poses.keypoint_scores, poses.scores) for poses in found]

    return decode, _scenes()


def _peaks() -> tuple[Tensor]:
    """(4, 17, 64, 48) maps with a peak each, some near the border, and one empty map."""
    random = np.random.default_rng(0)
    x, y = random.uniform(0, 47, (4, 17, 1, 1)), random.uniform(0, 63, (4, 17, 1, 1))
    maps = np.exp(-((np.arange(48) - x) ** 2 + (np.arange(64)[:, None] - y) ** 2) / 8)
    maps[0, 0] = 0
    return (torch.from_numpy(maps.astype(np.float32)),)


def _udp(how: str):
    return (lambda maps: [decode_udp(each, how) for each in maps.cpu().numpy()]), _peaks()


def _udp_together():
    return (lambda maps: decode_batch(maps.cpu().numpy())), _peaks()


def _udp_codec():
    from orplugins.partial_body.mmpose.codec import BatchedHeatmap

    return BatchedHeatmap(input_size=(192, 256), heatmap_size=(48, 64), sigma=2).batch_decode, _peaks()


def _regions(dtype: torch.dtype = torch.float32) -> tuple[Tensor, Tensor]:
    """Logits (R, 17, 56, 56) and boxes (R, 4) of people in a picture of 640x480."""
    generator = torch.Generator().manual_seed(0)
    maps = 3 * torch.randn(REGIONS, 17, CELLS // 2, CELLS // 2, generator=generator)
    maps = torch.nn.functional.interpolate(maps, scale_factor=2, mode="bilinear", align_corners=False)
    corner = torch.rand(REGIONS, 2, generator=generator) * torch.tensor([460.0, 80.0])
    size = torch.rand(REGIONS, 2, generator=generator) * torch.tensor([120.0, 250.0]) + torch.tensor([60.0, 150.0])
    return maps.to(dtype), torch.cat([corner, corner + size], 1)


def _keypoints_by_the_host():
    from detectron2.structures import heatmaps_to_keypoints

    return (lambda maps, boxes: heatmaps_to_keypoints(maps.detach(), boxes)[:, :, :2]), _regions()


def _labels():
    """Training labels of joints; the joints stand in for maps."""
    boxes = _regions()[1]
    generator = torch.Generator().manual_seed(3)
    places = torch.rand(REGIONS, 17, 2, generator=generator) * 1.2 - 0.1
    xy = boxes[:, None, :2] + places * (boxes[:, None, 2:] - boxes[:, None, :2])
    joints = torch.cat([xy, torch.ones(REGIONS, 17, 1)], 2)
    return (lambda joints, boxes: heatmap_targets(joints, boxes, CELLS)), (joints, boxes)


def _refined():
    """2D poses and a depth image through RefiNet's three networks, by way of NumPy."""
    torch.manual_seed(0)
    chain = RefineChain(PatchNet(), SkeletonNet(), PointCloudNet(), clouds=dict(num_points=64)).eval()
    random = np.random.default_rng(0)
    depth = np.tile(np.linspace(2000, 3000, 320), (240, 1)).round()
    pixels = random.uniform((40, 40), (280, 200), (2, 15, 2))

    def decode(depth: Tensor, pixels: Tensor):
        chain.to(depth.device)
        result = chain.refine(
            depth.cpu().numpy().astype(np.uint16),
            pixels.cpu().numpy(),
            np.ones((2, 15), dtype=bool),
            DepthCamera(1 / 0.0035, 1 / 0.0035, 160.0, 120.0),
        )
        return result.pixels, result.points

    return decode, (torch.from_numpy(depth), torch.from_numpy(pixels))


def _lifted_clip():
    torch.manual_seed(0)
    lifter = mmpose_model("videopose3d/videopose3d_27-coco")

    def decode(clip: Tensor):
        return lifter.to(clip.device).lift(clip.cpu().numpy(), (640, 480))["pose"]

    return decode, (480 * torch.rand(50, 17, 2, generator=torch.Generator().manual_seed(0)),)


DECODERS = (
    Decoder("PAFs, fast", functools.partial(_pafs, "fast")),
    Decoder("PAFs, published", functools.partial(_pafs, "published")),
    Decoder("heatmaps, udp", functools.partial(_udp, "udp"), needs=("cv2",)),
    Decoder("heatmaps, quarter", functools.partial(_udp, "quarter")),
    Decoder("heatmaps, argmax", functools.partial(_udp, "argmax")),
    Decoder("heatmaps, batch", _udp_together, needs=("cv2",)),
    Decoder("keypoints, batched", lambda: (decode_batched, _regions()), 1e-2,
            precisions=("fp32", "tf32")),
    Decoder("keypoints, batched, bf16 maps", lambda: (decode_batched, _regions(torch.bfloat16)), 1e-2),
    Decoder("keypoints, batched, fp16 maps", lambda: (decode_batched, _regions(torch.float16)), 1e-2),
    Decoder("keypoint labels", _labels, unit="cells"),
    Decoder("RefiNet from depth", _refined, 1.0, unit="px, mm"),
    Decoder("PAFs of averaged maps", _pafs_of_averaged_maps, needs=("mmpose",)),
    Decoder("heatmaps, mmpose codec", _udp_codec, needs=("mmpose",)),
    Decoder("clip, 27 frames", _lifted_clip, 1e-4, unit="m", needs=("mmpose",)),
    Decoder("keypoints, detectron2", _keypoints_by_the_host, 1.0, needs=("detectron2",)),
)  # fmt: skip
