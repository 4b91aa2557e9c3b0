"""RefiNet's three networks (D'Eusanio, Pini, Borghi, Vezzani, Cucchiara, ICPR 2020) and their losses.

Module names are those of the published code, so that its ``state_dict`` loads as it is.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

_ACTIVATIONS = {"ReLU": nn.ReLU, "Tanh": nn.Tanh, "PReLU": nn.PReLU}


def _activation(name: str) -> nn.Module:
    if name not in _ACTIVATIONS:
        raise ValueError(f"activation: found {name!r}, expected one of {sorted(_ACTIVATIONS)}")
    return _ACTIVATIONS[name]()


class PatchBlock(nn.Module):
    """Residual block with its stride in the second convolution and a ReLU before the addition too.

    Args:
        channels: Channels of the input.
        out: Channels of the output.
        stride: Of the second convolution.
    """

    def __init__(self, channels: int, out: int, stride: int = 1):
        super().__init__()
        self.conv1 = nn.Conv2d(channels, out, 3, 1, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(out)
        self.conv2 = nn.Conv2d(out, out, 3, stride, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(out)
        self.relu = nn.ReLU()
        self.downsample = None
        if stride != 1 or channels != out:
            self.downsample = nn.Sequential(nn.Conv2d(channels, out, 1, stride, bias=False), nn.BatchNorm2d(out))

    def forward(self, x: Tensor) -> Tensor:
        """Apply the block.

        Args:
            x: (B, channels, H, W).

        Returns:
            (B, out, H / stride, W / stride).
        """
        shortcut = x if self.downsample is None else self.downsample(x)
        x = self.relu(self.bn1(self.conv1(x)))
        return self.relu(self.relu(self.bn2(self.conv2(x))) + shortcut)


class PatchNet(nn.Module):
    """Module A: depth patches of all joints, stacked as channels, to pixel offsets (section III-A of the paper).

    Args:
        joints: Patches in, joints out.
        dims: Coordinates of an offset.
        activation: Of the stem: ``"ReLU"``, ``"Tanh"`` or ``"PReLU"``; every other one is ReLU.
        width: Channels of the stem and first stage; the second stage has twice as many.
        hidden: Width of the fully connected layers.
        dropout: Rate in the fully connected layers.
    """

    def __init__(
        self,
        joints: int = 15,
        dims: int = 2,
        activation: str = "ReLU",
        width: int = 64,
        hidden: int = 256,
        dropout: float = 0.2,
    ):
        super().__init__()
        self.output_size = (joints, dims)
        self.conv1 = nn.Conv2d(joints, width, 7, 2, 3)
        self.bn1 = nn.BatchNorm2d(width)
        self.relu = _activation(activation)
        self.maxpool = nn.MaxPool2d(2, 2)
        self.layer1 = nn.Sequential(PatchBlock(width, width), PatchBlock(width, width))
        self.layer2 = nn.Sequential(PatchBlock(width, 2 * width, 2), PatchBlock(2 * width, 2 * width))
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Sequential(
            nn.Linear(2 * width, hidden, bias=False),
            nn.BatchNorm1d(hidden),
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Linear(hidden, hidden, bias=False),
            nn.BatchNorm1d(hidden),
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Linear(hidden, joints * dims),
        )
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, patches: Tensor) -> Tensor:
        """Offsets of joints, input minus truth.

        Args:
            patches: (B, K, size, size).

        Returns:
            (B, K, dims) pixels.
        """
        x = self.maxpool(self.relu(self.bn1(self.conv1(patches))))
        x = self.avgpool(self.layer2(self.layer1(x))).flatten(1)
        return self.fc(x).unflatten(1, self.output_size)


class SkeletonBlock(nn.Module):
    """Linear, then what is asked for of batch normalisation, activation and dropout, in one ``features`` sequence.

    Args:
        inputs: Width of the input.
        outputs: Width of the output.
        norm: Whether to normalise.
        activation: None for none.
        dropout: Rate; 0 for none.
    """

    def __init__(self, inputs: int, outputs: int, norm: bool, activation: nn.Module | None, dropout: float):
        super().__init__()
        layers: list[nn.Module] = [nn.Linear(inputs, outputs)]
        layers += [nn.BatchNorm1d(outputs)] if norm else []
        layers += [activation] if activation is not None else []
        layers += [nn.Dropout(dropout)] if dropout else []
        self.features = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        """Apply the layers.

        Args:
            x: (B, inputs).

        Returns:
            (B, outputs).
        """
        return self.features(x)


class SkeletonNet(nn.Module):
    """Module B, "vitruvian": scaled 3D joints to offsets or places (section III-B).

    Args:
        joints: Joints in and out.
        width: Of the hidden layers.
        dropout: Probability, 0 for none.
        batch_norm, residual: As named.
        activation: ``"ReLU"``, ``"Tanh"`` or ``"PReLU"``.
        attention: Multiply the output by a sigmoid of the first layer's features.
        bigskip: Two more layers over the output and the input.
    """

    def __init__(
        self,
        joints: int = 15,
        width: int = 1024,
        dropout: float = 0.2,
        batch_norm: bool = True,
        residual: bool = True,
        activation: str = "ReLU",
        attention: bool = False,
        bigskip: bool = False,
    ):
        super().__init__()
        size = 3 * joints
        self.joints, self.residual = joints, residual

        def block(inputs: int, outputs: int) -> SkeletonBlock:
            return SkeletonBlock(inputs, outputs, batch_norm, _activation(activation), dropout)

        self.inputBlock = nn.Sequential(block(size, width))
        self.Block1 = nn.Sequential(block(width, width), block(width, width))
        self.Block2 = nn.Sequential(block(width, width), block(width, width))
        self.outputBlock = nn.Sequential(SkeletonBlock(width, size, False, None, 0))
        self.attentionBlock = self.skipBlock = None
        if attention:
            self.attentionBlock = nn.Sequential(SkeletonBlock(width, size, False, nn.Sigmoid(), 0))
        if bigskip:
            last = SkeletonBlock(2 * size, size, False, None, 0)
            self.skipBlock = nn.Sequential(block(2 * size, 2 * size), last)

    def forward(self, poses: Tensor) -> Tensor:
        """Offsets, or places, of joints.

        Args:
            poses: (B, K, 3) scaled.

        Returns:
            (B, K, 3) millimetres.
        """
        x = poses.flatten(1)
        first = self.inputBlock(x)
        h = self.Block1(first)
        if self.residual:
            h = h + first
        second = self.Block2(h)
        if self.residual:
            second = second + h
        out = self.outputBlock(second)
        if self.skipBlock is not None:
            out = self.skipBlock(torch.cat([out, x], 1))
        if self.attentionBlock is not None:
            out = self.attentionBlock(first) * out
        return out.unflatten(1, (self.joints, 3))


def _normalized(x: Tensor, conv: nn.Conv1d, norm: nn.BatchNorm1d) -> Tensor:
    """``norm(conv(x))``.

    In evaluation the two are one convolution: over 1024 channels of points the normalisation alone takes as long as
    memory takes to read and write them.
    """
    if norm.training or norm.running_mean is None or norm.running_var is None or conv.bias is None:
        return norm(conv(x))
    scale = norm.weight * (norm.running_var + norm.eps).rsqrt()
    return nn.functional.conv1d(
        x, conv.weight * scale[:, None, None], (conv.bias - norm.running_mean) * scale + norm.bias
    )


class TransformNet(nn.Module):
    """T-net: a k x k matrix from points (Qi et al., PointNet, CVPR 2017). Padding rows are pooled like others.

    Args:
        k: Channels of a point.
        widths: Channels of the three point-wise layers.
        hidden: Widths of the fully connected layers.
    """

    conv1: nn.Conv1d
    conv2: nn.Conv1d
    conv3: nn.Conv1d
    bn1: nn.BatchNorm1d
    bn2: nn.BatchNorm1d
    bn3: nn.BatchNorm1d

    def __init__(self, k: int, widths: tuple[int, int, int] = (64, 128, 1024), hidden: tuple[int, int] = (512, 256)):
        super().__init__()
        self.k = k
        for i, (inputs, outputs) in enumerate(zip((k, *widths), widths), start=1):  # noqa: B905 - one longer
            setattr(self, f"conv{i}", nn.Conv1d(inputs, outputs, 1))
            setattr(self, f"bn{i}", nn.BatchNorm1d(outputs))
        self.fc1 = nn.Linear(widths[2], hidden[0])
        self.fc2 = nn.Linear(hidden[0], hidden[1])
        self.fc3 = nn.Linear(hidden[1], k * k)
        self.bn4, self.bn5 = nn.BatchNorm1d(hidden[0]), nn.BatchNorm1d(hidden[1])
        self.relu = nn.ReLU()
        self.register_buffer("eye", torch.eye(k), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """Matrices of sets of points.

        Args:
            x: (B, k, N).

        Returns:
            (B, k, k).
        """
        x = self.relu(_normalized(x, self.conv1, self.bn1))
        x = self.relu(_normalized(x, self.conv2, self.bn2))
        # The last ReLU after the maximum: the same values, a fraction of the work.
        x = self.relu(_normalized(x, self.conv3, self.bn3).amax(2))
        x = self.relu(self.bn4(self.fc1(x)))
        x = self.relu(self.bn5(self.fc2(x)))
        return self.fc3(x).unflatten(1, (self.k, self.k)) + self.eye


class PointFeatures(nn.Module):
    """PointNet's feature extractor.

    Args:
        global_feat: Give the pooled vector; otherwise each point's feature next to it.
        feature_transform: Use the second T-net.
        widths: Channels of the three point-wise layers, also of the T-nets'.
        hidden: Fully connected widths of the T-nets.
    """

    def __init__(
        self,
        global_feat: bool = True,
        feature_transform: bool = True,
        widths: tuple[int, int, int] = (64, 128, 1024),
        hidden: tuple[int, int] = (512, 256),
    ):
        super().__init__()
        self.global_feat = global_feat
        self.stn = TransformNet(3, widths, hidden)
        self.fstn = TransformNet(widths[0], widths, hidden) if feature_transform else None
        self.conv1, self.bn1 = nn.Conv1d(3, widths[0], 1), nn.BatchNorm1d(widths[0])
        self.conv2, self.bn2 = nn.Conv1d(widths[0], widths[1], 1), nn.BatchNorm1d(widths[1])
        self.conv3, self.bn3 = nn.Conv1d(widths[1], widths[2], 1), nn.BatchNorm1d(widths[2])
        self.relu = nn.ReLU()

    def forward(self, points: Tensor, count: Tensor) -> Tensor:
        """Features of sets of points.

        Args:
            points: (B, 3, N).
            count: (B,) how many of the N rows are points; the maximum is taken over these, over all rows where it is 0.

        Returns:
            (B, C), or (B, C0 + C, N) without ``global_feat``.
        """
        x = self.stn(points).mT @ points
        x = self.relu(_normalized(x, self.conv1, self.bn1))
        if self.fstn is not None:
            x = self.fstn(x).mT @ x
        local = x
        x = _normalized(self.relu(_normalized(x, self.conv2, self.bn2)), self.conv3, self.bn3)
        rows = torch.arange(x.shape[2], device=x.device)
        # At least -3e38 rather than -inf: a half-precision run stays finite too.
        padding = (rows >= count[:, None]) & (count[:, None] > 0)
        x = x.masked_fill(padding[:, None], torch.finfo(x.dtype).min).amax(2)
        if self.global_feat:
            return x
        return torch.cat([local, x[:, :, None].expand(-1, -1, local.shape[2])], 1)


# Clouds that module C takes together: few enough for their features to stay in the processor's cache.
_GROUP = 4


class PointCloudNet(nn.Module):
    """Module C: the points around each joint to its offset; one PointNet for all joints (section III-C).

    Args:
        feature_transform: Use the second T-net.
        dropout: Rate before the last layer.
        dims: Coordinates of an offset.
        cut_rows: In evaluation take clouds of like size together and leave out padding rows that none of them needs;
            the result is the same, because all padding rows are equal. In training they count in the batch's statistics
            and stay.
        widths, hidden: See `PointFeatures`.
        head: Width of the hidden layer after the pooled vector.
    """

    def __init__(
        self,
        feature_transform: bool = True,
        dropout: float = 0.2,
        dims: int = 3,
        cut_rows: bool = True,
        widths: tuple[int, int, int] = (64, 128, 1024),
        hidden: tuple[int, int] = (512, 256),
        head: int = 128,
    ):
        super().__init__()
        self.cut_rows = cut_rows
        self.feat = PointFeatures(True, feature_transform, widths, hidden)
        self.fc1 = nn.Linear(widths[2], head, bias=False)
        self.bn1 = nn.BatchNorm1d(head)
        self.relu = nn.ReLU()
        self.dropout = nn.Dropout(dropout)
        self.fc2 = nn.Linear(head, dims)

    def forward(self, clouds: Tensor) -> Tensor:
        """Offsets of joints.

        Args:
            clouds: (B, K, N + 1, 3): N rows, then the number of points three times.

        Returns:
            (B, K, dims).
        """
        batch, joints = clouds.shape[:2]
        points, count = clouds[:, :, :-1].flatten(0, 1), clouds[:, :, -1, 0].flatten()
        if self.cut_rows and not self.training:
            x = self._cut(points, count)
        else:
            x = self.feat(points.mT, count)
        x = self.fc2(self.dropout(self.relu(self.bn1(self.fc1(x)))))
        return x.unflatten(0, (batch, joints))

    def _cut(self, points: Tensor, count: Tensor) -> Tensor:
        order = count.argsort()
        parts = []
        for group in order.split(_GROUP):
            rows = min(int(count[group[-1]]) + 1, points.shape[1])
            parts.append(self.feat(points[group, :rows].mT, count[group]))
        x = torch.cat(parts) if parts else self.fc1.weight.new_zeros(0, self.fc1.in_features)
        return x[order.argsort()]


# (right, left) limbs of ITOP-15 whose lengths should agree, as (from, to).
LIMB_PAIRS = (((1, 2), (1, 3)), ((2, 4), (3, 5)), ((4, 6), (5, 7)), ((9, 11), (10, 12)), ((11, 13), (12, 14)))
_HEAD, _TORSO, _FEET = 0, 8, (13, 14)


def masked_joint_mse(output: Tensor, target: Tensor, visible: Tensor, average: str = "all") -> Tensor:
    """Squared error of visible joints, summed over coordinates.

    Args:
        output: (B, K, D).
        target: (B, K, D).
        visible: (B, K), 1 where a joint counts.
        average: ``"all"`` divides by all B K joints (published), ``"visible"`` by those that count.

    Returns:
        () the mean.

    Raises:
        ValueError: Another ``average``.
    """
    if average not in ("all", "visible"):
        raise ValueError(f"average: found {average!r}, expected 'all' or 'visible'")
    mask = (visible == 1).to(output.dtype)
    error = mask * ((output - target) ** 2).sum(-1)
    return error.mean() if average == "all" else error.sum() / mask.sum().clamp(min=1)


def masked_joint_distance(refined: Tensor, truth: Tensor, visible: Tensor) -> Tensor:
    """Mean Euclidean distance of visible joints.

    Args:
        refined: (B, K, D).
        truth: (B, K, D).
        visible: (B, K), 1 where a joint counts.

    Returns:
        () the mean.
    """
    mask = (visible == 1).to(refined.dtype)
    distance = (((refined - truth) ** 2).sum(-1) + 1e-6).sqrt()
    return (mask * distance).sum() / mask.sum().clamp(min=1)


def symmetry_loss(poses: Tensor, visible: Tensor, pairs: tuple = LIMB_PAIRS) -> Tensor:
    """Mean difference of right and left limb lengths, summed over limb pairs ("vitruvian" term).

    Args:
        poses: (B, K, 3) refined.
        visible: (B, K). A sample counts for a pair where all four ends are visible; a pair without any adds 0.
        pairs: ((joint, joint) right, (joint, joint) left) of each limb.

    Returns:
        () the loss.
    """
    mask = visible == 1
    total = poses.new_zeros(())
    for right, left in pairs:
        counts = mask[:, [*right, *left]].all(1)
        lengths = [(((poses[:, a] - poses[:, b]) ** 2).sum(-1) + 1e-9).sqrt() for a, b in (right, left)]
        difference = (lengths[0] - lengths[1]).abs() * counts
        total = total + difference.sum() / counts.sum().clamp(min=1)
    return total


def depth_range_loss(poses: Tensor, truth: Tensor, visible: Tensor, feet: str = "batch") -> Tensor:
    """Cost of joints farther from the torso in depth than height / 1.5 ("forcing" term).

    Args:
        poses: (B, K, 3) refined, millimetres, y up.
        truth: (B, K, 3) millimetres, y up.
        visible: (B, K). A sample counts where the head and a foot are visible.
        feet: ``"batch"`` takes the lowest foot of the whole batch as everybody's floor (published), ``"sample"`` each
            sample's own.

    Returns:
        () the loss.

    Raises:
        ValueError: Another ``feet``.
    """
    if feet not in ("batch", "sample"):
        raise ValueError(f"feet: found {feet!r}, expected 'batch' or 'sample'")
    mask = (visible == 1).to(poses.dtype)
    usable = mask[:, _HEAD] * mask[:, list(_FEET)].amax(1)
    lowest = truth[:, list(_FEET), 1].amin(1)
    lowest = lowest.amin() if feet == "batch" else lowest
    reach = ((truth[:, _HEAD, 1] - lowest) * usable / 1.5)[:, None]
    distance = (poses[..., 2] - truth[:, _TORSO, 2][:, None]).abs()
    middle = truth[:, _TORSO, 2][:, None]
    outside = (poses[..., 2] < middle - reach) | (poses[..., 2] > middle + reach)
    return (distance * outside * mask * usable[:, None]).sum(1).mean()
