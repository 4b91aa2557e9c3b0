"""Write the numbers that tests/golden compares with: outputs of the networks and of the shipped weights.

Every network of `dev.gpu.networks` runs with weights that its tensors' names determine, every weight file in demo/ in
the model of its own config, both on generated inputs. Of each output evenly spaced values are kept.

Example:
    PYTHONPATH=. python dev/make_goldens.py    # after a change that is meant to change outputs; say why in the commit
    PYTHONPATH=. python dev/make_goldens.py --only demo/orpose_tiny                                # one entry's alone
"""

from __future__ import annotations

import argparse
import sys
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

ROOT = Path(__file__).resolve().parents[1]
if str(ROOT) not in sys.path:  # run as a script
    sys.path.insert(0, str(ROOT))

from dev.gpu.networks import NETWORKS, Network, mmpose_model  # noqa: E402
from orplugins.io.atomic import atomic_write  # noqa: E402

GOLDENS = ROOT / "tests/golden/outputs.npz"
KEPT = 600  # values of an output
SEED = 20180


def filled(model: nn.Module) -> nn.Module:
    """The model with weights that depend on their names and shapes only, for evaluation."""
    tensors = dict(model.named_parameters())
    tensors |= {n: b for n, b in model.named_buffers() if n.endswith(("running_mean", "running_var"))}
    for name, tensor in tensors.items():
        noise = np.random.RandomState(zlib.crc32(name.encode()) & 0x7FFFFFFF).standard_normal(tuple(tensor.shape))
        if name.endswith("running_var"):
            values = 1 + 0.1 * np.abs(noise)
        elif tensor.dim() > 1:
            values = noise * np.sqrt(2 / np.prod(tensor.shape[1:]))  # keeps an activation's spread
        else:
            values = 0.1 * noise + (name.endswith("weight") and not name.endswith("running_mean"))
        with torch.no_grad():
            tensor.copy_(torch.as_tensor(values))
    return model.eval()


def generated(*shape: int) -> Tensor:
    """Values in [0, 1): smooth over the last two of four axes, as pictures are; otherwise noise."""
    random = np.random.RandomState(SEED)
    if len(shape) < 4:
        return torch.from_numpy(random.random_sample(shape).astype(np.float32))
    rows, columns = (np.linspace(0, 1, n)[None, None, :] for n in shape[-2:])
    waves = [np.sin(2 * np.pi * (f * axis + p)) for axis in (rows, columns)
             for f, p in [random.random_sample((2, *shape[:2], 1)) * [[[[4]]], [[[1]]]]]]  # fmt: skip
    return torch.from_numpy((0.5 + 0.25 * (waves[0][..., :, None] + waves[1][..., None, :])).astype(np.float32))


def clouds(people: int = 2, joints: int = 15, rows: int = 64) -> Tensor:
    """Joints' point sets (people, joints, rows + 1, 3): the points, zeros, and their number in the last row."""
    random = np.random.RandomState(SEED)
    points = random.standard_normal((people, joints, rows, 3)) * random.random_sample((people, joints, 1, 3))
    count = random.randint(rows // 2, rows + 1, (people, joints, 1, 1))
    points[np.broadcast_to(np.arange(rows)[:, None] >= count, points.shape)] = 0
    return torch.from_numpy(np.concatenate([points, np.repeat(count, 3, -1)], 2).astype(np.float32))


def _inputs(network: Network) -> tuple[Tensor, ...]:
    """Inputs of the shapes in the table; values come of NumPy, whose generators are the same everywhere."""
    given = network.example(2, True)
    made = (clouds() if each.shape[-1] == 3 and each.dim() == 4 else generated(*each.shape) for each in given)
    return tuple(one * (480 if network.name == "keypoints3d lifting" else 1) for one in made)


def _network(network: Network) -> dict[str, np.ndarray]:
    with torch.no_grad():
        return _kept(filled(network.build(True))(*_inputs(network)))


def _kept(outputs) -> dict[str, np.ndarray]:
    """Evenly spaced values of each tensor in nested sequences and data classes, by their number."""
    tensors: list[Tensor] = []

    def walk(value) -> None:
        if isinstance(value, Tensor):
            tensors.append(value)
        elif isinstance(value, dict):
            walk(list(value.values()))
        elif isinstance(value, (tuple, list)):
            for each in value:
                walk(each)
        elif hasattr(value, "__dict__"):
            walk(vars(value))

    walk(outputs)
    flat = (each.detach().float().cpu().numpy().reshape(-1) for each in tensors)
    return {str(k): values[:: max(1, -(-len(values) // KEPT))] for k, values in enumerate(flat)}


def _mmpose(config: str, weights: str) -> nn.Module:
    from mmengine.runner import load_checkpoint

    model = mmpose_model(config).eval()
    load_checkpoint(model, str(ROOT / "demo" / f"{weights}.safetensors"), map_location="cpu")
    return model


def _rcnn(config: str, weights: str) -> nn.Module:
    import detectron2  # noqa: F401 - the host first

    import orplugins  # noqa: F401 - registers
    from orplugins.hosts.detectron2.predictor import Predictor, read_model_config

    path = ROOT / "demo" / f"{weights}.safetensors"
    return Predictor(read_model_config(str(ROOT / f"configs/detectron2/{config}.yaml"), str(path), "cpu")).model


def _depthpose(config: str, *size: int) -> dict[str, np.ndarray]:
    model = _mmpose(f"depthpose/{config}", config)
    return _kept(model.head(model.extract_feat(generated(2, 1, *size)))[-1])


def _refinet() -> dict[str, np.ndarray]:
    chain = _mmpose("refinet/refinet-lift-bc_or", "refinet_or-bc").chain
    return _kept([chain.skeleton_net(2 * generated(2, 15, 3) - 1), chain.point_net(100 * clouds())])


def _videopose() -> dict[str, np.ndarray]:
    model = _mmpose("videopose3d/videopose3d_27-coco_or", "videopose3d_27")
    return _kept(model.dense(2 * generated(2, 34, 60) - 1))


def _vitpose() -> dict[str, np.ndarray]:
    model = _mmpose("partial_body/vitpose-t_people-states_128x96", "vitpose-t_people-states")
    return _kept(model.head(model.extract_feat(4 * generated(2, 3, 128, 96) - 2)))


def _lite0_people() -> dict[str, np.ndarray]:
    model = _mmpose("partial_body/lite0_people-states_192x144", "lite0_people-states")
    return _kept(model.head(model.extract_feat(4 * generated(2, 3, 192, 144) - 2)))


def _student(name: str) -> dict[str, np.ndarray]:
    from detectron2.structures import Boxes

    model = _rcnn(f"orpose_color/{name}", name)
    heads = model.roi_heads
    maps = model.backbone((255 * generated(1, 3, 96, 128) - model.pixel_mean) / model.pixel_std)
    boxes = Boxes(torch.tensor([[10.0, 5, 60, 90], [50, 20, 120, 80]]))
    pooled = heads.keypoint_pooler([maps[name] for name in heads.keypoint_in_features], [boxes])
    return _kept(heads.keypoint_head.heatmaps(pooled))


def _detector(name: str) -> dict[str, np.ndarray]:
    model = _rcnn(f"partial_body/{name}", name)
    maps = model.backbone((255 * generated(1, 3, 96, 128) - model.pixel_mean) / model.pixel_std)
    generator = model.proposal_generator
    return _kept(generator.rpn_head([maps[name] for name in generator.in_features]))


def _adaptor() -> dict[str, np.ndarray]:
    model = _rcnn("adaptor/adaptor_tiny", "adaptor_tiny")
    maps = model.backbone((255 * generated(1, 3, 96, 128) - model.pixel_mean) / model.pixel_std)
    pooled = 2 * generated(2, next(iter(maps.values())).shape[1], 14, 14) - 1
    heads = model.roi_heads
    return _kept([maps, heads.mask_head.layers(pooled), heads.keypoint_head.layers(pooled)])


# Name: (packages beside torch and NumPy, the outputs by number).
GOLDEN: dict[str, tuple[tuple[str, ...], Callable[[], dict[str, np.ndarray]]]] = {
    network.name: (network.needs, lambda network=network: _network(network))
    for network in NETWORKS
    if "forward" in network.parts and "safetensors" not in network.needs
} | {
    "demo/depthpose_tiny-64x48": (("mmpose", "safetensors"), lambda: _depthpose("depthpose_tiny-64x48", 48, 64)),
    "demo/depthpose_small-64x48": (("mmpose", "safetensors"), lambda: _depthpose("depthpose_small-64x48", 48, 64)),
    "demo/rtpose_tiny-320x240": (("mmpose", "safetensors"), lambda: _depthpose("rtpose_tiny-320x240", 120, 160)),
    "demo/refinet_or-bc": (("mmpose", "safetensors"), _refinet),
    "demo/videopose3d_27": (("mmpose", "safetensors"), _videopose),
    "demo/vitpose-t_people-states": (("mmpose", "safetensors", "timm"), _vitpose),
    "demo/lite0_people-states": (("mmpose", "safetensors", "timm"), _lite0_people),
    "demo/orpose_tiny": (("detectron2", "safetensors"), lambda: _student("orpose_tiny")),
    "demo/orpose_lite0": (("detectron2", "safetensors", "timm"), lambda: _student("orpose_lite0")),
    "demo/faster_rcnn_tiny": (("detectron2", "safetensors"), lambda: _detector("faster_rcnn_tiny")),
    "demo/adaptor_tiny": (("detectron2", "safetensors"), _adaptor),
    "demo/faster_rcnn_lite0": (("detectron2", "safetensors", "timm"), lambda: _detector("faster_rcnn_lite0")),
}


@torch.no_grad()
def outputs(name: str) -> dict[str, np.ndarray]:
    """Kept values of an entry of `GOLDEN`, by the number of the output."""
    return GOLDEN[name][1]()


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=GOLDENS, help=f"default: {GOLDENS.relative_to(ROOT)}")
    parser.add_argument("--only", nargs="+", choices=GOLDEN, metavar="NAME", help="keep the other entries' numbers")
    args = parser.parse_args(argv)
    arrays = {}
    if args.only:
        with np.load(args.out) as kept:
            names = set(GOLDEN) - set(args.only)
            arrays = {key: kept[key] for key in kept.files if key.partition("|")[0] in names}
    arrays |= {f"{name}|{key}": value for name in args.only or GOLDEN for key, value in outputs(name).items()}
    with atomic_write(args.out, mode="wb") as file:
        np.savez_compressed(file, **arrays)
    print(f"{args.out}: {len(arrays)} outputs of {len(GOLDEN)} networks, {args.out.stat().st_size / 1e3:.0f} kB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
