"""The keypoint head's network, its decoding and its losses."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from orplugins.orpose_color.decode import decode_batched  # noqa: E402
from orplugins.orpose_color.lifting import statistics_of  # noqa: E402
from orplugins.orpose_color.losses import heatmap_loss, heatmap_targets, lifting_loss, nothing  # noqa: E402
from orplugins.orpose_color.network import Keypoints3DNet, LiftingNetwork  # noqa: E402

STATISTICS = statistics_of(
    np.random.default_rng(0).uniform(0, 480, (40, 17, 2)), np.random.default_rng(1).normal(0, 400, (40, 17, 3))
)


def blobs(seed: int = 0, regions: int = 6, low: float = 3, high: float = 24, sharp: float = 8):
    """Heatmaps with one smooth peak each, boxes, and the peaks' places in pixels."""
    generator = torch.Generator().manual_seed(seed)
    centre = low + (high - low) * torch.rand(regions, 17, 2, generator=generator)
    y, x = torch.meshgrid(torch.arange(28.0), torch.arange(28.0), indexing="ij")
    maps = -((x - centre[..., :1, None]) ** 2 + (y - centre[..., 1:, None]) ** 2) / sharp
    maps = torch.nn.functional.interpolate(maps, scale_factor=2, mode="bilinear", align_corners=False)
    corner, size = 300 * torch.rand(2, regions, 2, generator=generator)
    size = size + 40
    truth = (centre + 0.5) / 28 * size[:, None] + corner[:, None]
    return maps, torch.cat([corner, corner + size], dim=1), truth


def decode_plainly(logits: torch.Tensor, boxes: torch.Tensor) -> torch.Tensor:
    """`decode_batched` in the plain way, (R, K, 3): the surface enlarged eight times, its highest pixel."""
    out = []
    for maps, box in zip(logits, boxes, strict=True):
        big = torch.nn.functional.interpolate(maps[None], scale_factor=8, mode="bicubic", align_corners=False)[0]
        width = (box[2:] - box[:2]).clamp(min=1)
        top, peak = big.flatten(1).max(dim=1)
        xy = torch.stack([peak % big.shape[2], peak // big.shape[2]], dim=1) + 0.5
        score = 1 / (maps.flatten(1) - top[:, None]).exp().sum(dim=1)
        out.append(torch.cat([xy / big.shape[2] * width + box[:2], score[:, None]], dim=1))
    return torch.stack(out) if out else logits.new_zeros(0, logits.shape[1], 3)


def test_batched_decoding_finds_the_peak_and_agrees_with_the_plain_way():
    maps, boxes, truth = blobs()
    found, plain = decode_batched(maps, boxes), decode_plainly(maps, boxes)
    pixel = (boxes[:, 2:] - boxes[:, :2])[:, None] / 56
    assert ((found[..., :2] - truth).abs() < 0.6 * pixel).all()
    assert ((found[..., :2] - plain[..., :2]).abs() < 0.3 * pixel).all()
    torch.testing.assert_close(found[..., 2], plain[..., 2], rtol=0.02, atol=1e-4)


def test_batched_decoding_agrees_with_detectron2s():
    structures = pytest.importorskip("detectron2.structures")
    maps, boxes, truth = blobs(seed=1)
    found, host = decode_batched(maps, boxes), structures.heatmaps_to_keypoints(maps, boxes)[:, :, [0, 1, 3]]
    assert (found - host)[..., :2].abs().max() < 1.5
    torch.testing.assert_close(found[..., 2], host[..., 2], rtol=0.02, atol=1e-4)
    errors = [(each[..., :2] - truth).norm(dim=-1).mean() for each in (found, host)]
    assert errors[0] <= errors[1]


def test_batched_decoding_chooses_detectron2s_place_among_many_high_ones():
    structures = pytest.importorskip("detectron2.structures")
    generator = torch.Generator().manual_seed(2)
    maps = torch.randn(20, 17, 14, 14, generator=generator)
    maps = torch.nn.functional.interpolate(maps, scale_factor=4, mode="bilinear", align_corners=False)
    corner, size = 300 * torch.rand(2, 20, 2, generator=generator)
    boxes = torch.cat([corner, corner + size + 5], dim=1)
    found, host = decode_batched(maps, boxes), structures.heatmaps_to_keypoints(maps, boxes)[:, :, [0, 1, 3]]
    apart = (found - host)[..., :2].abs().amax(dim=-1)
    assert (apart > 2).float().mean() < 0.05 and apart.median() < 0.5


def test_decoding_at_the_border_in_tiny_boxes_and_without_regions():
    maps = torch.zeros(2, 17, 56, 56)
    maps[0, :, 0, 0], maps[1, :, 55, 55] = 9, 9
    boxes = torch.tensor([[10.0, 20, 66, 76], [5, 5, 5.2, 5.1]])
    found = decode_batched(maps, boxes)
    assert torch.isfinite(found).all()
    assert ((found[0, :, :2] >= boxes[0, :2]) & (found[0, :, :2] <= boxes[0, :2] + 1)).all()
    assert ((found[1, :, :2] >= boxes[1, :2]) & (found[1, :, :2] <= boxes[1, :2] + 1)).all()
    assert decode_batched(maps[:0], boxes[:0]).shape == (0, 17, 3)


def test_decoding_takes_half_precision():
    maps, boxes, _ = blobs()
    torch.testing.assert_close(decode_batched(maps.half(), boxes), decode_batched(maps.half().float(), boxes))


def test_decoding_can_be_traced_for_any_number_of_regions():
    maps, boxes, _ = blobs()
    traced = torch.jit.trace(decode_batched, (maps[:2], boxes[:2]))
    torch.testing.assert_close(traced(maps, boxes), decode_batched(maps, boxes))


def test_targets_are_the_cells_of_the_joints():
    boxes = torch.tensor([[0.0, 0, 56, 112]])
    nan = float("nan")
    joints = torch.tensor([[[0.0, 0, 2], [55.9, 111.9, 1], [56, 112, 2], [56.1, 1, 2], [3, 4, 0], [nan, 1, 2]]])
    labels, valid = heatmap_targets(joints, boxes, 56)
    assert valid.tolist() == [[True, True, True, False, False, False]]
    assert labels[0, :3].tolist() == [0, 56 * 56 - 1, 56 * 56 - 1]


def test_targets_agree_with_detectron2s():
    structures = pytest.importorskip("detectron2.structures")
    generator = torch.Generator().manual_seed(3)
    boxes = torch.rand(20, 4, generator=generator) * 50
    boxes[:, 2:] += boxes[:, :2] + 5
    joints = torch.cat([torch.rand(20, 17, 2, generator=generator) * 150, torch.ones(20, 17, 1)], dim=-1)
    joints[0, 0, :2] = boxes[0, 2:]
    labels, valid = heatmap_targets(joints, boxes, 56)
    expected, mask = structures.Keypoints(joints).to_heatmap(boxes, 56)
    torch.testing.assert_close(labels * valid, expected)
    torch.testing.assert_close(valid.long(), mask)


def test_a_box_without_area_has_no_target():
    labels, valid = heatmap_targets(torch.ones(1, 17, 3), torch.ones(1, 4), 56)
    assert not valid.any() and (labels == 0).all()


def test_confidence_is_a_temperature():
    logits, labels = torch.randn(1, 1, 4, 4), torch.tensor([[5]])
    valid, half = torch.tensor([[True]]), torch.tensor([[0.5]])
    torch.testing.assert_close(heatmap_loss(logits, labels, valid, half), heatmap_loss(logits / 2, labels, valid))


@pytest.mark.parametrize("count,training,expected", [(0, True, None), (1, True, None), (1, False, 1), (2, True, 1)])
def test_few_lifter_rows(count, training, expected):
    network = LiftingNetwork(8).train(training)
    rows = torch.zeros(3, 32)
    rows[:count] = 1.0
    loss = lifting_loss(network, rows, torch.zeros(3, 48))
    assert (loss is None) == (expected is None)
    assert loss is None or torch.isfinite(loss)


def test_nothing_gives_every_parameter_a_gradient_of_zero():
    network = LiftingNetwork(8)
    nothing(torch.ones(1, requires_grad=True), network).backward()
    assert all(p.grad is not None and (p.grad == 0).all() for p in network.parameters())


def test_statistics_are_in_the_state_dict_only_if_asked():
    small = dict(in_channels=4, conv_dims=(4,), lifter_width=8, statistics=STATISTICS)
    stored, published = Keypoints3DNet(**small, store_statistics=True), Keypoints3DNet(**small)
    extra = stored.state_dict().keys() - published.state_dict().keys()
    assert {name.split(".")[0] for name in extra} == {"statistics"}
    empty = Keypoints3DNet(4, (4,), lifter_width=8, store_statistics=True)
    with pytest.raises(ValueError, match="H36_STATS_PATH"):
        empty.lift(torch.zeros(1, 17, 3), torch.zeros(1, 17, 3))
    empty.load_state_dict(stored.state_dict())
    assert empty.statistics.known


def test_lifted_pose_in_metres_is_the_statistics_own():
    net = Keypoints3DNet(4, (4,), lifter_width=8, statistics=STATISTICS).eval()
    targets = torch.randn(3, 48)
    expected = STATISTICS.pose(targets.numpy()) / 1000
    np.testing.assert_allclose(net.statistics.metres(targets).numpy(), expected, atol=1e-5)


def test_one_branch_starts_both():
    net = Keypoints3DNet(4, (4,), lifter_width=8)
    state = {k: v + 1 for k, v in net.state_dict().items() if k.startswith("score_lowres.")}
    net.load_state_dict(state, strict=False)
    torch.testing.assert_close(net.score_lowres_soft.weight, net.score_lowres.weight)
