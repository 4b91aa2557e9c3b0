"""mmpose's TCN with the strided and the dilated form in one module."""

from __future__ import annotations

from mmpose.models.backbones import TCN

from orplugins.registry import MODELS
from orplugins.videopose3d.sequence import receptive_field


@MODELS.register_module()
class VideoPoseTCN(TCN):
    """mmpose's temporal convolution network, which picks its form by the length of the input.

    Stock ``TCN`` is strided (cheap for windows of exactly R frames) or dilated (one pass over a whole clip), fixed when
    it is built, although the weights are the same. Here a window of R frames runs strided and anything longer dilated:
    one model trains on windows and is evaluated on clips.

    Args:
        strided_windows: False: dilated always.
        **kwargs: Arguments of ``TCN`` without ``use_stride_conv``.
    """

    def __init__(self, strided_windows: bool = True, **kwargs):
        super().__init__(use_stride_conv=False, **kwargs)
        self.strided_windows = strided_windows
        self.receptive_field = receptive_field(self.kernel_sizes)
        self._dilations = [block.dilation for block in self.tcn_blocks]

    def _set_form(self, strided: bool) -> None:
        self.expand_conv.conv.stride = (self.kernel_sizes[0] if strided else 1,)
        for block, dilation, width in zip(self.tcn_blocks, self._dilations, self.kernel_sizes[1:], strict=True):
            conv = block.conv1[0].conv
            conv.stride, conv.dilation = ((width,), (1,)) if strided else ((1,), (dilation,))
            block.use_stride_conv = strided
            block.causal_shift = (width // 2 * (1 if strided else dilation)) if self.causal else 0

    def forward(self, x):
        """Features of sequences.

        Args:
            x: (B, 2 K, T).

        Returns:
            A tuple with one map per block; the last has T - R + 1 frames.

        Raises:
            ValueError: The input is shorter than the receptive field.
        """
        if x.shape[-1] < self.receptive_field:
            raise ValueError(
                f"TCN: {x.shape[-1]} frames, expected at least {self.receptive_field} (the receptive field)"
            )
        self._set_form(self.strided_windows and x.shape[-1] == self.receptive_field)
        return super().forward(x)
