"""Tiled convolutions against the direct ones, which are the reference."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from orplugins.depthpose.winograd import POINTS, FastConv2d, toom_cook, use_fast_convolutions


@pytest.mark.parametrize("taps", sorted(POINTS))
def test_algorithm_is_exact_in_double_precision(taps):
    m, real, pairs = POINTS[taps]
    algorithm = toom_cook(m, taps, real, pairs)
    rng = np.random.default_rng(taps)
    d, g = rng.normal(size=m + taps - 1), rng.normal(size=taps)
    y = algorithm.outputs.T @ ((algorithm.kernel @ g) * (algorithm.inputs @ d))
    np.testing.assert_allclose(y, np.correlate(d, g, "valid"), atol=1e-12)


def test_wrong_number_of_points_is_refused():
    with pytest.raises(ValueError, match=r"F\(4, 3\): found 2 real points and 0 pairs, expected 5"):
        toom_cook(4, 3, (0, 1))


def made(channels, out_channels, kernel, bias=True):
    torch.manual_seed(channels + kernel)
    conv = nn.Conv2d(channels, out_channels, kernel, padding=kernel // 2, bias=bias).eval()
    return conv, FastConv2d.from_conv(conv)


@given(
    n=st.integers(1, 3),
    height=st.integers(1, 19),
    width=st.integers(1, 19),
    kernel=st.sampled_from([3, 7]),
    bias=st.booleans(),
    last=st.booleans(),
)
def test_equals_the_direct_convolution_at_every_size(n, height, width, kernel, bias, last):
    conv, fast = made(5, 6, kernel, bias)
    x = torch.randn(n, 5, height, width)
    if last:
        x = x.contiguous(memory_format=torch.channels_last)
    with torch.no_grad():
        torch.testing.assert_close(fast(x), conv(x), rtol=1e-4, atol=3e-5)


@pytest.mark.parametrize("kernel, channels, out_channels", [(3, 128, 256), (7, 249, 128)])
def test_rounding_error_of_real_layers(kernel, channels, out_channels):
    conv, fast = made(channels, out_channels, kernel)
    # Several strips of tiles.
    x = torch.randn(2, channels, 48, 64).relu()
    with torch.no_grad():
        exact = nn.functional.conv2d(x.double(), conv.weight.double(), conv.bias.double(), padding=kernel // 2)
        error = (fast(x) - exact).abs().max() / exact.std()
    assert error < 5e-5


def test_new_weights_are_noticed():
    conv, fast = made(4, 4, 3)
    x = torch.randn(1, 4, 9, 9)
    with torch.no_grad():
        fast(x)
        conv.weight.mul_(2)  # as an optimiser does; the parameter is shared
        torch.testing.assert_close(fast(x), conv(x), rtol=1e-4, atol=3e-5)
        fast.load_state_dict(nn.Conv2d(4, 4, 3).state_dict())
        torch.testing.assert_close(fast(x), conv(x), rtol=1e-4, atol=3e-5)
        # torch counts no version for changes of .data; mmengine's EMA hook makes some, and eval() is called after them
        conv.weight.data.mul_(3)
        torch.testing.assert_close(fast.eval()(x), conv(x), rtol=1e-4, atol=3e-5)


def test_training_is_the_plain_convolution():
    conv, fast = made(4, 4, 3)
    x = torch.randn(1, 4, 9, 9)
    assert torch.equal(fast(x), conv(x))
    fast(x).sum().backward()
    assert conv.weight.grad is not None


def test_only_suitable_layers_are_replaced_and_names_stay():
    model = nn.Sequential(
        nn.Conv2d(64, 128, 3, padding=1),
        nn.Sequential(nn.Conv2d(128, 128, 7, padding=3)),
        nn.Conv2d(128, 128, 1),
        nn.Conv2d(128, 128, 3, padding=1, stride=2),
        nn.Conv2d(128, 128, 3),
        nn.Conv2d(64, 64, 3, padding=1),
        nn.Conv2d(128, 128, 3, padding=1, groups=2),
        nn.Conv2d(128, 128, 5, padding=2),
    )
    before = model.state_dict()
    use_fast_convolutions(model)
    assert [name for name, layer in model.named_modules() if isinstance(layer, FastConv2d)] == ["0", "1.0"]
    after = model.state_dict()
    assert list(before) == list(after) and all(before[k].data_ptr() == after[k].data_ptr() for k in before)
