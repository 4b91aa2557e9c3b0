"""Inference on a CPU with fewer multiplications: Toom-Cook (Winograd) convolutions.

Processors without wide vector units spend nearly all of a pose network's time in convolutions that already run at the
speed of the arithmetic units, so only fewer multiplications help. A tile of m x m outputs of an r x r convolution costs
(m r)^2 multiplications directly and rank^2 here, where rank is m + r - 1 plus one for each pair of complex points.

Sources: Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks", CVPR 2016, for nested tiles; Winograd,
"Arithmetic Complexity of Computations", 1980, for the algorithms; Meng and Brothers, "Efficient Winograd Convolution
via Integer Arithmetic", 2019, for complex points, which keep rounding errors of large kernels small.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

# Points by kernel size: (outputs a tile, real points, complex points), infinity always added. Found by measuring the
# error of many sets: in single precision these are about as exact as a direct sum.
POINTS = {
    3: (4, (0, 1, -1, 2, -0.5), ()),
    7: (4, (0, 1, -1, 2, -2, 0.5, -0.5), (1j,)),
}
# Below this many channels on one or both sides, moving tiles about costs more than the saved multiplications.
MIN_CHANNELS, MIN_LARGER = 64, 128
# Tiles are worked off in strips of about this many bytes, to stay in the cache.
STRIP_BYTES = 4 << 20


class Algorithm(NamedTuple):
    """A 1-D algorithm for y[i] = sum_k g[k] d[i + k]: y = outputs^T ((kernel g) * (inputs d)).

    Attributes:
        outputs: (rank, m).
        kernel: (rank, r).
        inputs: (rank, m + r - 1).
    """

    outputs: np.ndarray
    kernel: np.ndarray
    inputs: np.ndarray


@lru_cache
def toom_cook(m: int, r: int, real: tuple[float, ...], pairs: tuple[complex, ...] = ()) -> Algorithm:
    """Algorithm for ``m`` outputs of an ``r``-tap filter, by evaluation at points and interpolation, transposed.

    Args:
        m: Outputs of a tile.
        r: Taps of the filter.
        real: Real points, all different.
        pairs: Points with an imaginary part; each stands for itself and its conjugate, and costs three multiplications.
            Infinity is added: ``len(real) + 2 * len(pairs) + 1`` must be ``m + r - 1``.

    Returns:
        The algorithm's three matrices.

    Raises:
        ValueError: Another number of points.
    """
    size = m + r - 1
    if len(real) + 2 * len(pairs) + 1 != size:
        found = f"{len(real)} real points and {len(pairs)} pairs"
        raise ValueError(f"F({m}, {r}): found {found}, expected {size - 1} points in all")
    points = np.array([*real, *(z for pair in pairs for z in (pair, np.conj(pair)))], dtype=complex)
    evaluate = np.vstack([np.vander(points, size, increasing=True), np.eye(size)[-1]])
    interpolate = np.linalg.inv(evaluate)
    outputs, kernel, inputs = [], [], []
    for i in range(len(real)):
        outputs.append(evaluate[i, :m].real)
        kernel.append(evaluate[i, :r].real)
        inputs.append(interpolate[:, i].real)
    for i in range(len(real), len(points), 2):
        # (a + bi)(c + di) by Karatsuba: ac, bd and (a + b)(c + d); the conjugate point adds the conjugate.
        for rows, n in ((outputs, m), (kernel, r)):
            z = evaluate[i, :n]
            rows += [z.real, z.imag, z.real + z.imag]
        v = interpolate[:, i]
        inputs += [2 * (v.real + v.imag), 2 * (v.imag - v.real), -2 * v.imag]
    outputs.append(np.eye(m)[-1])
    kernel.append(np.eye(r)[-1])
    inputs.append(interpolate[:, -1].real)
    # Products of alike size round best; powers of two scale exactly.
    scale_out, scale_in = (2.0 ** np.round(np.log2(np.linalg.norm(rows, axis=1))) for rows in (outputs, inputs))
    return Algorithm(
        np.array(outputs) / scale_out[:, None],
        np.array(kernel) * (scale_out * scale_in)[:, None],
        np.array(inputs) / scale_in[:, None],
    )


def transform_kernel(weight: Tensor, algorithm: Algorithm) -> Tensor:
    """Transform the weights of a convolution.

    Args:
        weight: (K, C, r, r).
        algorithm: For r taps.

    Returns:
        (rank^2, C, K), the horizontal index first.
    """
    g = torch.from_numpy(algorithm.kernel).to(weight.device)
    return torch.einsum("ip,kcpq,jq->jick", g, weight.double(), g).flatten(0, 1).to(weight.dtype).contiguous()


def tiled_conv2d(x: Tensor, kernel: Tensor, bias: Tensor | None, algorithm: Algorithm) -> Tensor:
    """Convolution of stride 1 whose output has the size of its input.

    Args:
        x: (N, C, H, W), best with channels last.
        kernel: From `transform_kernel`.
        bias: (K,) or None.
        algorithm: That the kernel was transformed with.

    Returns:
        (N, K, H, W), channels last.
    """
    to_outputs, to_inputs = (torch.from_numpy(a).to(x) for a in (algorithm.outputs.T.copy(), algorithm.inputs))
    (m, rank), size = to_outputs.shape, to_inputs.shape[1]
    n, channels, height, width = x.shape
    down, across, out_channels = -(-height // m), -(-width // m), kernel.shape[2]
    margin = (size - m) // 2
    # Zeros all round, and up to a whole number of tiles.
    padding = (0, 0, margin, across * m - width + margin, margin, down * m - height + margin)
    padded = F.pad(x.permute(0, 2, 3, 1), padding).contiguous()
    wide = padded.shape[2]
    out = x.new_empty(n, height, width, out_channels)
    strip = max(1, STRIP_BYTES // (4 * rank * rank * across * max(channels, out_channels)))
    for image, target in zip(padded, out):  # noqa: B905 - made alike above
        for top in range(0, down, strip):
            q = min(strip, down - top)
            rows = image[top * m :].as_strided(
                (size, q, wide * channels), (wide * channels, m * wide * channels, 1), image[top * m :].storage_offset()
            )
            rows = to_inputs @ rows.reshape(size, -1)
            tiles = rows.as_strided(
                (size, rank, q, across, channels), (channels, q * wide * channels, wide * channels, m * channels, 1)
            )
            tiles = (to_inputs @ tiles.reshape(size, -1)).view(rank * rank, q * across, channels)
            products = torch.bmm(tiles, kernel)
            y = (to_outputs @ products.view(rank, -1)).view(m, rank, -1)
            y = torch.matmul(to_outputs, y).view(m, m, q, across, out_channels)
            y = y.permute(2, 1, 3, 0, 4).reshape(q * m, across * m, out_channels)
            bottom = min(height, (top + q) * m)
            target[top * m : bottom] = y[: bottom - top * m, :width]
    if bias is not None:
        out += bias
    return out.permute(0, 3, 1, 2)


class FastConv2d(nn.Conv2d):
    """A convolution that takes `tiled_conv2d` for inference on a CPU, and is ``nn.Conv2d`` everywhere else.

    Parameters and names in checkpoints are those of ``nn.Conv2d``. The transformed weights (2.5 to 4 times the weights)
    are made at the first call after ``train()`` or ``eval()``, or after the weights have changed.
    """

    @staticmethod
    def suits(conv: nn.Conv2d) -> bool:
        """Whether tiles are expected to be quicker: square 3 x 3 or 7 x 7, stride 1, same size, many channels.

        Args:
            conv: The convolution.

        Returns:
            True if it should be replaced.
        """
        r = conv.kernel_size[0]
        plain = conv.groups == 1 and set(conv.stride) == {1} and set(conv.dilation) == {1}
        same = conv.padding == (r // 2, r // 2) and conv.padding_mode == "zeros"
        square = conv.kernel_size == (r, r) and r in POINTS
        low, high = sorted((conv.in_channels, conv.out_channels))
        return plain and same and square and low >= MIN_CHANNELS and high >= MIN_LARGER

    @classmethod
    def from_conv(cls, conv: nn.Conv2d) -> FastConv2d:
        """The same convolution, sharing its parameters.

        Args:
            conv: One that `suits`.

        Returns:
            The fast one.
        """
        fast = cls(
            conv.in_channels,
            conv.out_channels,
            conv.kernel_size,  # type: ignore[arg-type] # torch declares attributes of any length, arguments of two
            padding=conv.padding,  # type: ignore[arg-type]
            bias=conv.bias is not None,
            device="meta",
        )
        fast.weight, fast.bias = conv.weight, conv.bias
        return fast.train(conv.training)

    def train(self, mode: bool = True):
        """Switch the mode and forget the transformed weights.

        Args:
            mode: Training if True, else evaluation.

        Returns:
            The module itself.
        """
        self._transformed: tuple[tuple[int, int], Tensor] | None = None
        return super().train(mode)

    def forward(self, x: Tensor) -> Tensor:
        """Convolve, by tiles for inference on a CPU in float32.

        Args:
            x: (N, C, H, W).

        Returns:
            (N, K, H, W).
        """
        if torch.is_grad_enabled() or x.device.type != "cpu" or x.dtype != torch.float32:
            return super().forward(x)
        m, real, pairs = POINTS[self.kernel_size[0]]
        algorithm = toom_cook(m, self.kernel_size[0], real, pairs)
        stamp = (self.weight.data_ptr(), self.weight._version)
        if self._transformed is None or self._transformed[0] != stamp:
            self._transformed = (stamp, transform_kernel(self.weight, algorithm))
        return tiled_conv2d(x, self._transformed[1], self.bias, algorithm)


def use_fast_convolutions(module: nn.Module) -> nn.Module:
    """Replace every suitable ``nn.Conv2d`` below a module by a `FastConv2d`, in place.

    Args:
        module: The module.

    Returns:
        The module itself.
    """
    for name, child in module.named_children():
        if type(child) is nn.Conv2d and FastConv2d.suits(child):
            setattr(module, name, FastConv2d.from_conv(child))
        else:
            use_fast_convolutions(child)
    return module
