"""RefiNet: preparation of patches and point sets, module C on a batch, and the chain."""

from __future__ import annotations

from benchmarks.harness import Comparison, compare

NAME = "refinet"
PEOPLE = 8
# The published way of module C takes many seconds a batch.
MOST_REPEATS = 3


def run(repeats: int) -> list[Comparison]:
    from dataclasses import asdict

    import numpy as np
    import torch

    from benchmarks.refinet_reference import published_cloud, published_patch
    from orplugins.refinet.chain import RefineChain
    from orplugins.refinet.checks import checked_metres
    from orplugins.refinet.clouds import CloudSettings, depth_to_points, joint_clouds
    from orplugins.refinet.depth_camera import ITOP_CAMERA
    from orplugins.refinet.lift import lift
    from orplugins.refinet.network import PatchNet, PointCloudNet, SkeletonNet
    from orplugins.refinet.patches import depth_patches
    from orplugins.synthetic.export.itop_files import label_everybody, render_itop

    torch.manual_seed(0)
    _, frame = render_itop(3, 1, people=(5, 5))
    depth = checked_metres((frame.depth_mm / 1000).astype(np.float16))
    real = [label["image_coordinates"] for label in label_everybody(frame)]
    rng = np.random.default_rng(0)
    pixels = np.stack([real[k % len(real)] + rng.normal(0, 3, (15, 2)) for k in range(PEOPLE)])
    points, valid = lift(pixels, depth, ITOP_CAMERA)
    cloud = depth_to_points(depth, ITOP_CAMERA, half=True).reshape(-1, 3)

    published = CloudSettings(preparation="published", sampling="first")

    def joint_by_joint():
        for pose, joints in zip(pixels, points, strict=True):
            for joint in pose:
                published_patch(joint, depth)
            for joint in joints:
                published_cloud(joint, cloud)

    def at_once():
        depth_patches(pixels, depth)
        return joint_clouds(points, valid, depth, ITOP_CAMERA, published, half=True)

    clouds = torch.from_numpy(at_once().points)
    network = PointCloudNet().eval()

    @torch.no_grad()
    def published_loop():
        # All rows through the network, then a Python loop over the clouds for the maximum.
        feat, rows = network.feat, clouds.flatten(0, 1)
        x, count = rows[:, :-1].mT, rows[:, -1, 0].long()
        x = feat.stn(x).mT @ x
        x = torch.relu(feat.bn1(feat.conv1(x)))
        x = feat.fstn(x).mT @ x
        x = feat.bn3(feat.conv3(torch.relu(feat.bn2(feat.conv2(x)))))
        pooled = torch.stack([one[:, : int(n) or None].amax(1) for one, n in zip(x, count, strict=True)])
        return network.fc2(torch.relu(network.bn1(network.fc1(pooled)))).unflatten(0, clouds.shape[:2])

    @torch.no_grad()
    def cut_rows():
        return network(clouds)

    torch.testing.assert_close(published_loop(), cut_rows(), rtol=1e-4, atol=1e-4)
    chain = RefineChain(PatchNet(), SkeletonNet(), PointCloudNet(), clouds=asdict(published)).eval()
    small = RefineChain(
        PatchNet(width=48, hidden=192),
        SkeletonNet(width=256),
        PointCloudNet(False, 0.0, 3, True, (32, 64, 128), (64, 32), 64),
        patches=dict(preparation="correct", normalize="joint"),
        lifting=dict(window="pixel", holes="person"),
        scale=dict(root="median"),
        clouds=dict(preparation="correct", cube=500, max_cube=500, num_points=64, sampling="uniform"),
        absolute=True,
    ).eval()
    present = np.ones(valid.shape, dtype=bool)
    filled = int(clouds[:, :, -1, 0].max())
    shapes = {"people": str(PEOPLE), "joints": "15 each", "depth": "320x240"}
    return [
        compare(
            "patches and point sets", ("joint by joint", joint_by_joint), ("at once", at_once), repeats, shapes=shapes
        ),
        compare(
            "module C, the same output",
            ("all rows, loop", published_loop),
            ("sizes together, cut", cut_rows),
            min(repeats, MOST_REPEATS),
            warmup=0,
            shapes=shapes | {"rows filled": f"at most {filled} of 2000"},
        ),
        compare(
            f"chain, all {PEOPLE} people",
            ("published size", lambda: chain.refine(depth, pixels, present, ITOP_CAMERA, True)),
            ("operating-room size", lambda: small.refine(depth, pixels, present, ITOP_CAMERA)),
            min(repeats, MOST_REPEATS),
            warmup=0,
            shapes=shapes,
        ),
    ]
