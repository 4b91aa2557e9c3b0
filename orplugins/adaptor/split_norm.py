"""Group normalisation with a pair (weight, bias) a domain: source and target share all but these.

Group norm keeps no statistics, so its scale and shift are all that a domain can have of its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn

SKIPPED = "roi_heads"  # modules with this in their name keep one pair: what a region shows has no domain


@dataclass
class Domains:
    """What the split norms of one network do with a training batch; they share it.

    Attributes:
        branch: The whole batch takes this branch; None: it is cut.
        sizes: How many rows each branch takes, in order; None: as many each.
    """

    branch: int | None = None
    sizes: tuple[int, ...] | None = None


class SplitGroupNorm2d(nn.GroupNorm):
    """A group norm with several pairs; the first is the layer's own, so that weights of an ordinary one fit.

    In training the batch is cut along its first dimension, see `Domains`; each part takes the next branch. At inference
    ``"main"`` gives the whole batch to the first branch, the source's, and ``"aux"`` to the others: all of it to the
    second of two, and a part each to more.

    Weights without the further pairs give every branch the first one.

    Args:
        num_groups, num_channels, eps, affine: As for `torch.nn.GroupNorm`.
        num_splits: Branches.
        infer_branch: "main" or "aux".

    Raises:
        ValueError: Fewer than two branches, or another branch for inference.
    """

    def __init__(
        self,
        num_groups: int,
        num_channels: int,
        num_splits: int = 2,
        infer_branch: str = "main",
        eps: float = 1e-5,
        affine: bool = True,
    ):
        if num_splits < 2 or infer_branch not in ("main", "aux"):
            found = f"{num_splits} branches, inference by {infer_branch!r}"
            raise ValueError(f"split norm: found {found}, expected 2 or more, by 'main' or 'aux'")
        super().__init__(num_groups, num_channels, eps, affine)
        self.aux_bn = nn.ModuleList(nn.GroupNorm(num_groups, num_channels, eps, affine) for _ in range(num_splits - 1))
        self.infer_branch, self.domains = infer_branch, Domains()

    def forward(self, features: Tensor) -> Tensor:
        """Normalise.

        Args:
            features: (N, C, H, W).

        Returns:
            The same shape.

        Raises:
            ValueError: N cannot be cut into equal parts, or is not the sum of the given ones.
        """
        branches = [super().forward, *self.aux_bn]
        if self.training:
            if self.domains.branch is not None:
                return branches[self.domains.branch](features)
            return _in_parts(features, branches, self.domains.sizes)
        if self.infer_branch == "main":
            return branches[0](features)
        return _in_parts(features, branches[1:], None)

    def extra_repr(self) -> str:
        """The options."""
        return f"{super().extra_repr()}, branches={1 + len(self.aux_bn)}, infer_branch={self.infer_branch}"

    def _load_from_state_dict(self, state_dict: dict[str, Tensor], prefix: str, *arguments) -> None:
        for number in range(len(self.aux_bn)):
            for name in ("weight", "bias"):
                if prefix + name in state_dict:
                    state_dict.setdefault(f"{prefix}aux_bn.{number}.{name}", state_dict[prefix + name])
        super()._load_from_state_dict(state_dict, prefix, *arguments)


def _in_parts(features: Tensor, branches: list, sizes: tuple[int, ...] | None) -> Tensor:
    rows = len(features)
    if len(branches) == 1:
        return branches[0](features)
    if sizes is None:
        if rows % len(branches):
            raise ValueError(f"split norm: found a batch of {rows}, expected a multiple of {len(branches)} branches")
        sizes = (rows // len(branches),) * len(branches)
    elif len(sizes) != len(branches) or sum(sizes) != rows:
        raise ValueError(f"split norm: found a batch of {rows}, expected {len(branches)} parts of {sizes}")
    parts = zip(branches, features.split(sizes), strict=True)
    return torch.cat([branch(part) for branch, part in parts if len(part)])


def convert_split_norm(module: nn.Module, num_splits: int = 2, infer_branch: str = "main") -> nn.Module:
    """Give every group norm a pair a domain; all pairs begin with the layer's values.

    Children with "roi_heads" in their name stay as they are, at any depth.

    Args:
        module: Changed in place, unless it is a group norm itself.
        num_splits: Branches.
        infer_branch: "main" or "aux".

    Returns:
        The module, or what takes its place.
    """
    converted = _convert(module, num_splits, infer_branch)
    domains = Domains()
    for layer in split_norms(converted):
        layer.domains = domains
    return converted


def _convert(module: nn.Module, num_splits: int, infer_branch: str) -> nn.Module:
    if isinstance(module, nn.GroupNorm):
        if isinstance(module, SplitGroupNorm2d):
            return module
        sizes = module.num_groups, module.num_channels
        split = SplitGroupNorm2d(*sizes, num_splits, infer_branch, module.eps, module.affine)
        split.load_state_dict(module.state_dict(), strict=False)
        parameter = next(module.parameters(), None)
        return split.train(module.training) if parameter is None else split.to(parameter).train(module.training)
    for name, child in module.named_children():
        if SKIPPED not in name:
            setattr(module, name, _convert(child, num_splits, infer_branch))
    return module


def split_norms(module: nn.Module) -> list[SplitGroupNorm2d]:
    """The split norms in a module."""
    return [each for each in module.modules() if isinstance(each, SplitGroupNorm2d)]


@contextmanager
def batch_of(module: nn.Module, branch: int | None = None, sizes: tuple[int, ...] | None = None) -> Iterator[None]:
    """Say how a training batch is to be cut, while the context lasts.

    Args:
        module: A converted network, or one without split norms, for which this does nothing.
        branch: See `Domains`.
        sizes: See `Domains`.
    """
    found = {id(layer.domains): layer.domains for layer in split_norms(module)}.values()
    before = [(each.branch, each.sizes) for each in found]
    for each in found:
        each.branch, each.sizes = branch, sizes
    try:
        yield
    finally:
        for each, (old_branch, old_sizes) in zip(found, before, strict=True):
            each.branch, each.sizes = old_branch, old_sizes


@torch.no_grad()
def copy_main_pair(module: nn.Module) -> None:
    """Give every further branch the first one's values: what the source taught is where the target begins.

    Args:
        module: A converted network, changed in place.
    """
    for layer in split_norms(module):
        if layer.affine:
            for branch in layer.aux_bn:
                branch.load_state_dict({"weight": layer.weight, "bias": layer.bias})
