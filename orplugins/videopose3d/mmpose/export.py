"""VideoPose3D for `orplugins.export`: whole clips, and frame by frame with a state."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor, nn

from orplugins.deploy.metadata import InputSpec, Metadata, Source
from orplugins.export.plan import Plan
from orplugins.geometry.pose_error import mpjpe
from orplugins.hosts.mmpose.topdown import read_test_config
from orplugins.skeletons import COCO_17, H36M_17
from orplugins.synthetic.room_motion import clip_joints
from orplugins.synthetic.scene.motion import Clip
from orplugins.videopose3d.mmpose.build import build_lifter
from orplugins.videopose3d.screen import to_screen

CALIBRATION_SEED, TEST_SEED, TEST_FRAMES = 79, 80, 100


class Clips(nn.Module):
    """2D joints (B, T, K, 2) in screen units to 3D (B, T - R + 1, J, 3), and the root's path where it is known."""

    def __init__(self, model: nn.Module):
        super().__init__()
        self.model = model
        for backbone in (model.backbone, getattr(model, "traj_backbone", None)):
            if backbone is not None:
                backbone.strided_windows = False  # one form for clips of every length

    def forward(self, keypoints: Tensor):
        """Lift."""
        inputs = keypoints.flatten(2).transpose(1, 2)
        pose = self.model.head.dense(self.model.backbone(inputs))
        if not self.model.with_traj:
            return pose
        return pose, self.model.traj_head.dense(self.model.traj_backbone(inputs))


class Frames(nn.Module):
    """A causal network one frame at a time: each layer keeps the frames that it will look back at.

    A clip's first frame stands for all before it, as in the dense pass over a clip with repeated edges: there every
    layer sees one value, the current one.
    """

    def __init__(self, model: nn.Module):
        super().__init__()
        backbone = model.backbone
        backbone._set_form(False)
        self.expand, self.blocks, self.head = backbone.expand_conv, backbone.tcn_blocks, model.head
        widths = backbone.kernel_sizes
        self.past = [(widths[0] - 1, backbone.in_channels)]
        for width, dilation in zip(widths[1:], backbone._dilations, strict=True):
            self.past.append(((width - 1) * dilation, backbone.stem_channels))

    def forward(self, keypoints: Tensor, start: Tensor, *states: Tensor) -> tuple[Tensor, ...]:
        """Lift the newest frame: keypoints (B, K, 2), start (B,) and states (B, C, frames) to pose and next states."""
        now, kept = keypoints.flatten(1)[..., None], []

        def window(state: Tensor) -> Tensor:
            past = torch.where(start[:, None, None], now.expand_as(state), state)
            seen = torch.cat([past, now], -1)
            kept.append(seen[..., 1:])
            return seen

        now = self.expand(window(states[0]))
        for block, state in zip(self.blocks, states[1:], strict=True):
            now = now + block.conv2(block.conv1(window(state)))
        return (self.head.dense([now])[:, 0], *kept)


class LifterPlan(Plan):
    """The lifter, see `orplugins.export.plan.Plan`.

    Args:
        config: Of mmpose.
        weights: Published form, or a lifter's trained by mmpose.
        stream: Frame by frame with a state (causal networks only).
    """

    unquantised_first = 1

    def __init__(self, config: str, weights: str, stream: bool = False):
        wanted = read_test_config(config).model
        self.model = build_lifter(
            weights,
            wanted.backbone.get("causal", False),
            wanted.get("source", "coco_17"),
            wanted.get("target", "h36m_17"),
        )
        found, expected = tuple(self.model.backbone.kernel_sizes), tuple(wanted.backbone.kernel_sizes)
        if found != expected:
            raise ValueError(f"{weights}: filter widths {found}, expected {expected} as {config} says")
        self.stream, self.field = stream, self.model.backbone.receptive_field
        joints, generator = self.model.source.num_joints, torch.Generator().manual_seed(0)
        if stream:
            self._live(joints, generator, config)
            return
        self.module = Clips(self.model).eval()
        self.outputs = ("pose", "trajectory") if self.model.with_traj else ("pose",)
        self.examples = {"keypoints": torch.rand(2, self.field + 5, joints, 2, generator=generator) - 0.5}
        self.dynamic, self.at_least = {"keypoints": {0: "clips", 1: "frames"}}, {"frames": self.field}

    def _live(self, joints: int, generator: torch.Generator, config: str) -> None:
        if not self.model.causal:
            raise ValueError(f"{config}: a symmetric network waits for later frames, expected a causal one to stream")
        self.module = Frames(self.model).eval()
        states = {
            f"state_{k}": torch.randn(2, channels, frames, generator=generator)
            for k, (frames, channels) in enumerate(self.module.past)
        }
        keypoints = torch.rand(2, joints, 2, generator=generator) - 0.5
        self.examples = {"keypoints": keypoints, "start": torch.tensor([False, True]), **states}
        self.outputs = ("pose", *(f"next_{k}" for k in range(len(states))))
        self.dynamic = {name: {0: "people"} for name in self.examples}

    def metadata(self, source: Source, opset: int, precision: str) -> Metadata:
        """What the file says of itself."""
        codec = {"type": "frames" if self.stream else "clips", "field": self.field, "causal": bool(self.model.causal)}
        codec["outputs"] = [name for name in self.outputs if not name.startswith("next_")]
        method = "videopose3d-stream" if self.stream else "videopose3d"
        spec = InputSpec("keypoints", "px", options={"network_unit": "screen: x from -1 to 1 over the image's width"})
        return Metadata(method, spec, codec, source, opset, precision, self.model.source, self.model.target)

    def feeds(self, count: int) -> Iterator[dict[str, np.ndarray]]:
        """Clips of generated motion, as long as an output sees; of the form with states its own states, too."""
        people = list(_people(self.field + 60, CALIBRATION_SEED))
        if not self.stream:
            for k in range(count):
                pixels, size, _ = people[k % len(people)]
                start = 60 * k // count
                yield {"keypoints": to_screen(pixels, size)[None, start : start + self.field]}
            return
        pixels, size, _ = people[0]
        screen = to_screen(pixels, size)
        feeds = {name: value[:1].numpy() for name, value in self.examples.items()} | {"start": np.ones(1, dtype=bool)}
        for frame in screen[:count]:
            feeds["keypoints"] = frame[None]
            yield dict(feeds)
            with torch.no_grad():
                states = self.module(*(torch.from_numpy(value) for value in feeds.values()))[1:]
            feeds |= {f"state_{k}": state.numpy() for k, state in enumerate(states)}
            feeds["start"] = np.zeros(1, dtype=bool)

    def score(self, model) -> dict[str, float]:
        """Mean distance of the joints about the pelvis of people in a generated room, millimetres."""
        if self.model.source != COCO_17 or self.model.target != H36M_17:
            return {}
        errors = []
        for pixels, size, truth in _people(TEST_FRAMES, TEST_SEED):
            if self.stream:
                person = model.person(size)
                found = np.stack([person.push(frame) for frame in pixels])
            else:
                found = model(pixels, size, flip=False)["pose"]
            errors.append(mpjpe(found, truth))
        return {"MPJPE mm": 1000 * float(np.mean(errors))}


def _people(frames: int, seed: int):
    """People of a generated room: (F, 17, 2) COCO pixels, (width, height), (F, 17, 3) H36M-17 about the pelvis."""
    clip = Clip(seed, 0, frames, people=(4, 4), views=1, fixed_cameras=False)
    camera, joints = clip.cameras[0], clip_joints(clip, frames)
    for coco, h36m in zip(joints["coco"], joints["h36m"], strict=True):
        pixels, depth = camera.project(coco)
        if depth.min() > 0.5:
            points = camera.world_to_camera(h36m)
            yield pixels.astype(np.float32), camera.size, points - points[:, :1]
