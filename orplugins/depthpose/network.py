"""DepthPose: super-resolution trunk, VGG extractor and RTPose stages for low-resolution depth images.

Source: Srivastav, Gangi, Padoy, "Human Pose Estimation on Privacy-Preserving Low-Resolution Depth Images", MICCAI 2019,
figure 2; stages as in Cao et al., "Realtime Multi-Person 2D Pose Estimation using Part Affinity Fields", CVPR 2017. The
default arguments are the published network; other arguments give smaller networks and, with ``sr_steps=0``, the
full-size RTPose network that the paper compares with.
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

# Widths of the published extractor; 2x2 max pooling stands between the blocks.
VGG_BLOCKS = ((64, 64), (128, 128), (256, 256, 256, 256), (512, 512, 256, 128))


class TrunkOutput(NamedTuple):
    """What the trunk hands on.

    Attributes:
        context: (N, C, h, w): extractor features, then the pooled super-resolution features, coarsest step first.
        num_features: How many of the channels of ``context`` the extractor made (stage 1 sees only those).
        enlarged: (N, 64, s h, s w): output of the last super-resolution step, for the reconstruction loss.
    """

    context: Tensor
    num_features: int
    enlarged: Tensor


class StageOutput(NamedTuple):
    """Maps of one stage.

    Attributes:
        pafs: (N, 38, h, w) part affinity fields.
        heatmaps: (N, 19, h, w), background last.
    """

    pafs: Tensor
    heatmaps: Tensor


def conv3x3(in_channels: int, out_channels: int) -> nn.Conv2d:
    """A 3 x 3 convolution that keeps the size.

    Args:
        in_channels: Channels of the input.
        out_channels: Channels of the output.

    Returns:
        The layer.
    """
    return nn.Conv2d(in_channels, out_channels, 3, padding=1)


class SuperResolutionStep(nn.Sequential):
    """Convolutions and a pixel shuffle that doubles height and width.

    No activation follows the last convolution, so the shuffled features are signed.

    Args:
        in_channels: Channels of the input.
        hidden: Widths of the hidden convolutions.
        out_channels: Channels after the pixel shuffle.
    """

    def __init__(self, in_channels: int, hidden: Sequence[int], out_channels: int):
        layers: list[nn.Module] = []
        for width in hidden:
            layers += [conv3x3(in_channels, width), nn.ReLU(inplace=True)]
            in_channels = width
        layers += [conv3x3(in_channels, 4 * out_channels), nn.PixelShuffle(2)]
        super().__init__(*layers)


class PooledFeatures(nn.Sequential):
    """Brings the features of a super-resolution step back to the input size: (pool, convolution, ReLU) per octave.

    Args:
        in_channels: Channels of the input.
        out_channels: Channels of every convolution.
        octaves: How many times the size is halved.
    """

    def __init__(self, in_channels: int, out_channels: int, octaves: int):
        layers: list[nn.Module] = []
        for _ in range(octaves):
            layers += [nn.MaxPool2d(2), conv3x3(in_channels, out_channels), nn.ReLU(inplace=True)]
            in_channels = out_channels
        super().__init__(*layers)


class Extractor(nn.Sequential):
    """VGG-like blocks with 2x2 max pooling between them; a ReLU follows every convolution.

    Args:
        in_channels: Channels of the input.
        blocks: Widths of the convolutions, block by block.
    """

    def __init__(self, in_channels: int, blocks: Sequence[Sequence[int]]):
        layers: list[nn.Module] = []
        for number, widths in enumerate(blocks):
            if number:
                layers.append(nn.MaxPool2d(2))
            for width in widths:
                layers += [conv3x3(in_channels, width), nn.ReLU(inplace=True)]
                in_channels = width
        super().__init__(*layers)


class DepthPoseTrunk(nn.Module):
    """Super-resolution steps, extractor and the skip features between them.

    The output is ``2 ** sr_steps / 2 ** (len(blocks) - 1)`` times the size of the input: 1 for the published network.

    Args:
        in_channels: Channels of the image.
        sr_steps: How many times the features are doubled in size; 0 leaves super-resolution out.
        sr_hidden: Hidden widths of the first step; later steps use the same.
        sr_last_hidden: Hidden widths of the last step, if it differs.
        sr_channels: Channels after each pixel shuffle.
        skip_channels: Channels of the pooled features that each step but the last hands to the later stages.
        blocks: Widths of the extractor's convolutions, block by block.

    Raises:
        ValueError: Too few extractor blocks for the skip features.
    """

    def __init__(
        self,
        in_channels: int = 1,
        sr_steps: int = 3,
        sr_hidden: Sequence[int] = (64, 128),
        sr_last_hidden: Sequence[int] | None = (64, 128, 256),
        sr_channels: int = 64,
        skip_channels: int = 32,
        blocks: Sequence[Sequence[int]] = VGG_BLOCKS,
    ):
        super().__init__()
        if sr_steps and len(blocks) - 1 < sr_steps - 1:
            raise ValueError(f"{len(blocks)} extractor blocks cannot meet the skip features of {sr_steps} steps")
        width = in_channels
        self.sr = nn.ModuleList()
        for step in range(sr_steps):
            hidden = sr_last_hidden if step == sr_steps - 1 and sr_last_hidden is not None else sr_hidden
            self.sr.append(SuperResolutionStep(width, hidden, sr_channels))
            width = sr_channels
        self.skips = nn.ModuleList(PooledFeatures(sr_channels, skip_channels, step + 1) for step in range(sr_steps - 1))
        self.extractor = Extractor(width, blocks)
        self.num_features = blocks[-1][-1]
        self.enlarged_channels = width
        self.context_channels = self.num_features + len(self.skips) * skip_channels

    def forward(self, images: Tensor) -> TrunkOutput:
        """Extract features.

        Args:
            images: (N, in_channels, H, W) in [0, 1], 0 where there is no measurement.

        Returns:
            The context of the stages, and the enlarged features.
        """
        x = images
        steps: list[Tensor] = []
        for step in self.sr:
            x = step(x)
            steps.append(x)
        pooled: list[Tensor] = []
        for number, skip in enumerate(self.skips):
            pooled.append(skip(steps[number]))
        features = self.extractor(x)
        return TrunkOutput(torch.cat([features] + pooled[::-1], 1), self.num_features, x)


def _branch(channels: Sequence[int], kernels: Sequence[int], depthwise: bool) -> nn.Sequential:
    """Convolutions with a ReLU between all of them and none after the last.

    With ``depthwise``, every kernel larger than 1 x 1 is split into a depthwise and a pointwise convolution.
    """
    layers: list[nn.Module] = []
    for i, kernel in enumerate(kernels):
        if depthwise and kernel > 1:
            layers.append(nn.Conv2d(channels[i], channels[i], kernel, padding=kernel // 2, groups=channels[i]))
            kernel = 1
        layers += [nn.Conv2d(channels[i], channels[i + 1], kernel, padding=kernel // 2), nn.ReLU(inplace=True)]
    return nn.Sequential(*layers[:-1])


class PAFStages(nn.Module):
    """The RTPose stages: each refines the maps of the one before.

    Args:
        num_features: Channels of the extractor, the input of stage 1.
        context_channels: Channels of the whole context, which later stages see behind the last maps.
        num_pafs, num_heatmaps: Channels of the two kinds of map.
        num_stages: Number of stages.
        first_width, first_hidden: Width of stage 1's 3 x 3 convolutions and of its 1 x 1 layer.
        width, kernel, depth: Width, kernel size and number of the later stages' convolutions.
        depthwise: Split the later stages' convolutions into depthwise and pointwise ones.

    Raises:
        ValueError: No stage.
    """

    def __init__(
        self,
        num_features: int = 128,
        context_channels: int = 192,
        num_pafs: int = 38,
        num_heatmaps: int = 19,
        num_stages: int = 4,
        first_width: int = 128,
        first_hidden: int = 512,
        width: int = 128,
        kernel: int = 7,
        depth: int = 5,
        depthwise: bool = False,
    ):
        super().__init__()
        if num_stages < 1:
            raise ValueError(f"num_stages = {num_stages}: at least one stage is needed")
        self.paf_stages, self.heatmap_stages = nn.ModuleList(), nn.ModuleList()
        channels: tuple[int, ...]
        for stage in range(num_stages):
            for stages, out in ((self.paf_stages, num_pafs), (self.heatmap_stages, num_heatmaps)):
                if stage == 0:
                    channels = (num_features, first_width, first_width, first_width, first_hidden, out)
                    stages.append(_branch(channels, (3, 3, 3, 1, 1), depthwise=False))
                else:
                    channels = (num_pafs + num_heatmaps + context_channels, *[width] * (depth + 1), out)
                    stages.append(_branch(channels, (*[kernel] * depth, 1, 1), depthwise))

    def forward(self, context: Tensor, num_features: int) -> list[StageOutput]:
        """Run all stages.

        Args:
            context: (N, context_channels, h, w).
            num_features: Its first channels that are the extractor's, the input of stage 1.

        Returns:
            One `StageOutput` per stage, last stage last.
        """
        outputs: list[StageOutput] = []
        x = context[:, :num_features]
        for paf_stage, heatmap_stage in zip(self.paf_stages, self.heatmap_stages):  # noqa: B905 - scriptable
            outputs.append(StageOutput(paf_stage(x), heatmap_stage(x)))
            x = torch.cat([outputs[-1].pafs, outputs[-1].heatmaps, context], 1)
        return outputs


class DepthPose(nn.Module):
    """Trunk and stages in one module, for use without a host framework.

    Args:
        trunk: Arguments of `DepthPoseTrunk` that differ from the published network's.
        stages: Arguments of `PAFStages` that differ from the published network's.
    """

    def __init__(self, trunk: dict | None = None, stages: dict | None = None):
        super().__init__()
        self.trunk = DepthPoseTrunk(**(trunk or {}))
        features, context = self.trunk.num_features, self.trunk.context_channels
        self.stages = PAFStages(num_features=features, context_channels=context, **(stages or {}))

    def forward(self, images: Tensor) -> list[StageOutput]:
        """Run the network.

        Args:
            images: (N, 1, H, W) depth in [0, 1], 0 where there is no measurement.

        Returns:
            Maps of every stage, last stage last.
        """
        out = self.trunk(images)
        return self.stages(out.context, out.num_features)


def init_depthpose(module: nn.Module, init: str = "trainable") -> None:
    """Initialise the convolutions below a module; biases become 0.

    Args:
        module: The module, changed in place.
        init: ``"published"`` draws every weight from N(0, 0.01^2), as the release's constructor ends up doing. The
            signal then dies: outputs have a standard deviation near 1e-8, and 1e-18 at stage 1. ``"trainable"`` uses
            He's initialisation, and orthogonal matrices (gain sqrt(2) before a ReLU, else 1) in super-resolution steps,
            which the release computes and then overwrites.

    Raises:
        ValueError: Another ``init``.
    """
    if init not in ("published", "trainable"):
        raise ValueError(f"init = {init!r}: expected 'published' or 'trainable'")
    for conv in module.modules():
        if isinstance(conv, nn.Conv2d):
            if conv.bias is not None:
                nn.init.zeros_(conv.bias)
            if init == "published":
                nn.init.normal_(conv.weight, std=0.01)
            else:
                nn.init.kaiming_normal_(conv.weight, nonlinearity="relu")
    if init == "published":
        return
    for step in module.modules():
        if isinstance(step, SuperResolutionStep):
            convs = [layer for layer in step if isinstance(layer, nn.Conv2d)]
            for conv in convs:
                nn.init.orthogonal_(conv.weight, 1.0 if conv is convs[-1] else 2**0.5)
        elif isinstance(step, PAFStages):
            # Maps start near zero: a stage's first outputs are its guess, not noise the next stage has to undo.
            for branch in (*step.paf_stages, *step.heatmap_stages):
                nn.init.normal_(branch[-1].weight, std=0.01)


class DepthReconstruction(nn.Module):
    """Training-only head: the enlarged features predict the high-resolution depth image (the paper's L2 term).

    Args:
        in_channels: Channels of the enlarged features.
    """

    def __init__(self, in_channels: int = 64):
        super().__init__()
        self.conv = conv3x3(in_channels, 1)

    def forward(self, enlarged: Tensor, target: Tensor, valid: Tensor) -> Tensor:
        """Mean squared error over measured pixels.

        Args:
            enlarged: (N, C, H, W) features of the last super-resolution step.
            target: (N, 1, H, W) depth in [0, 1].
            valid: (N, 1, H, W) 1 where ``target`` is a measurement, 0 in holes.

        Returns:
            () the error.
        """
        error = F.mse_loss(self.conv(enlarged), target, reduction="none")
        return (error * valid).sum() / valid.sum().clamp(min=1)
