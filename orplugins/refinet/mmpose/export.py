"""RefiNet's chain and its modules for `orplugins.export`."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from mmengine.config import Config
from torch import Tensor, nn

from orplugins.deploy.metadata import InputSpec, Metadata, Source
from orplugins.export.plan import Plan
from orplugins.geometry.cameras import Camera
from orplugins.hosts.mmpose.export import load_model
from orplugins.refinet.chain import RefineChain
from orplugins.refinet.deploy import INPUTS, OUTPUTS
from orplugins.refinet.mmpose.load import load_refine_chain
from orplugins.refinet.network import PointCloudNet
from orplugins.refinet.refiner import Refiner3D
from orplugins.skeletons import COCO_17, ITOP_15, convert
from orplugins.structures import People
from orplugins.synthetic.export.in_memory import generate

CALIBRATION_SEED, TEST_SEED, TEST_FRAMES = 75, 76, 10
_SIZE, _NOISE = (320, 240), 4.0
_SHAPES = {"a": lambda steps: (15, steps.patches.size, steps.patches.size), "b": lambda steps: (15, 3),
           "c": lambda steps: (15, steps.clouds.num_points + 1, 3)}  # fmt: skip
# Steps of a module's own pipeline -> arguments of the chain.
_STEPS = {"CropDepthPatches": "patches", "LiftPose": "lifting", "NormalizeSkeleton": "scale",
          "CropJointClouds": "clouds"}  # fmt: skip
_UNITS = {"RefiNetPatchNet": "patch", "RefiNetSkeletonNet": "skeleton", "RefiNetPointNet": "point"}


class Networks(nn.Module):
    """The modules of a chain side by side, each with its own input and batch."""

    def __init__(self, networks: dict[str, nn.Module]):
        super().__init__()
        self.networks = nn.ModuleDict(networks)

    def forward(self, *inputs: Tensor) -> tuple[Tensor, ...]:
        """Offsets of each module."""
        found = (net(value) for net, value in zip(self.networks.values(), inputs, strict=True))
        return tuple(out[-1] if isinstance(out, (tuple, list)) else out for out in found)


class ChainPlan(Plan):
    """The chain, see `orplugins.export.plan.Plan`."""

    def __init__(self, config: str, weights: str):
        self._take(load_refine_chain(config, weights))

    def _take(self, chain: RefineChain) -> None:
        self.chain = chain.eval()
        for module in chain.modules():
            if isinstance(module, PointCloudNet):
                module.cut_rows = False  # the runtime leaves the rows out before they come in
        names, generator = list(chain.networks), torch.Generator().manual_seed(0)
        self.module = Networks(chain.networks).eval()
        self.outputs = tuple(OUTPUTS[name] for name in names)
        self.examples = {
            INPUTS[name]: torch.randn(2, *_SHAPES[name](chain.steps), generator=generator) for name in names
        }
        if "c" in names:
            self.examples["clouds"][:, :, -1] = 20.0
        axes = {"a": {0: "people_a"}, "b": {0: "people_b"}, "c": {0: "people_c", 2: "rows"}}
        self.dynamic = {INPUTS[name]: axes[name] for name in names}
        self.at_least = {"rows": 3}

    def metadata(self, source: Source, opset: int, precision: str) -> Metadata:
        """What the file says of itself."""
        codec = {"type": "refine", "networks": list(self.chain.networks), "steps": self.chain.steps.record()}
        spec = InputSpec("keypoints", "px", options={"with": "depth", "depth_unit": "mm"})
        return Metadata("refinet", spec, codec, source, opset, precision, ITOP_15, ITOP_15)

    def feeds(self, count: int) -> Iterator[dict[str, np.ndarray]]:
        """What the modules are fed for generated people whose 2D joints are wrong by some pixels."""
        kept: list[dict[str, np.ndarray]] = []

        class Watched:
            def refine(watched, *args):
                result = self.chain.refine(*args)
                kept.append({INPUTS[name]: result.raw[f"{name}_in"] for name in self.chain.networks if result.raw})
                return result

        for depth, people, camera, _ in _frames(count, CALIBRATION_SEED):
            Refiner3D(Watched(), camera)(depth, people.filled(), COCO_17)
        yield from filter(None, kept)

    def score(self, model) -> dict[str, float]:
        """Mean distance from the truth of joints that the input pose has, millimetres; and that of plain lifting."""
        errors: dict[str, list] = {"error mm": [], "unrefined mm": []}
        for depth, people, camera, truth in _frames(TEST_FRAMES, TEST_SEED):
            found = model(people, depth, camera)
            plain = Refiner3D(_PLAIN, camera)(depth, people.filled(), COCO_17).points
            there = (convert(people.filled(), COCO_17, ITOP_15)[..., 2] > 0) & (found.confidence > 0)
            for name, points in (("error mm", found.points), ("unrefined mm", plain)):
                errors[name].append(1000 * np.linalg.norm(points - truth, axis=-1)[there])
        return {name: float(np.nanmean(np.concatenate(values))) for name, values in errors.items()}


_PLAIN = RefineChain(lifting=dict(window="pixel", holes="person"))


class ModulePlan(ChainPlan):
    """One module alone: a chain of which the others are left out. The 2D pose is lifted as its own pipeline does."""

    def __init__(self, config: str, weights: str):
        model = load_model(config, weights)
        cfg: Config = model.cfg
        kind, codec = type(model.backbone).__name__, model.head.decoder
        steps: dict = {"apply": codec.apply, f"{_UNITS[kind]}_unit": codec.unit}
        if kind == "RefiNetSkeletonNet":
            steps["absolute"] = codec.absolute
        for step in cfg.test_dataloader.dataset.pipeline:
            name = step["type"].rpartition(".")[2]
            if name in _STEPS:
                steps[_STEPS[name]] = {key: value for key, value in step.items() if key != "type"}
        self._take(RefineChain(**{f"{_UNITS[kind]}_net": model.backbone.net}, **steps))


def _frames(count: int, seed: int):
    """Depth images, people with moved joints, cameras, and the people's true points (M, 15, 3) in metres."""
    coco, images = generate(-(-count // 3), seed, size=_SIZE, views=3, people=(1, 4))
    rng = np.random.default_rng(seed)
    for image in coco["images"][:count]:
        here = [person for person in coco["annotations"] if person["image_id"] == image["id"]]
        joints = np.array([person["keypoints"] for person in here], dtype=np.float64).reshape(-1, 17, 3)
        seen = joints[..., 2:] > 0
        joints[..., :2] += rng.normal(0, _NOISE, joints[..., :2].shape)
        joints = np.where(seen, np.concatenate([joints[..., :2], seen], axis=-1), np.nan)
        points = np.array([person["keypoints_3d"] for person in here], dtype=np.float64).reshape(-1, 17, 3)
        fx, fy, cx, cy = image["camera"]["intrinsics"]
        camera = Camera(fx, fy, cx, cy, size=_SIZE)
        truth = convert(np.concatenate([points, np.ones((*points.shape[:-1], 1))], axis=-1), COCO_17, ITOP_15)
        yield images[image["id"]], People("", joints, COCO_17, size=_SIZE), camera, truth[..., :3]
