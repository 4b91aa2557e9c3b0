"""mmcv's operators through torchvision: what ``mmcv._ext`` is where mmcv is not compiled (mmcv-lite).

mmcv's Python code loads the operators by name from the module ``mmcv._ext``. It asks for all of them when it is
imported and calls few, so this module has every name: `nms` and `roi_align` compute, the others raise
NotImplementedError when they are called. A compiled ``_ext.*.so`` in the same folder goes first in Python's own order
(extension modules before source files), which makes this file step aside.

The signatures are mmcv 2.x's (``mmcv/ops/{nms,roi_align,info}.py``), with which these functions are called.
"""

import torch
import torchvision


def get_compiler_version() -> str:
    """Return what stands in the compiler's place in ``mmcv.utils.collect_env``."""
    return f"none (operators of torchvision {torchvision.__version__})"


def get_compiling_cuda_version() -> str:
    """Return the CUDA version that torchvision's operators were compiled for."""
    return torch.version.cuda or "not available"


def nms(boxes: torch.Tensor, scores: torch.Tensor, iou_threshold: float, offset: int) -> torch.Tensor:
    """Return the indices of the boxes that are kept, highest score first.

    Args:
        boxes: (N, 4) corners x1, y1, x2, y2 in pixels.
        scores: (N,).
        iou_threshold: A box is dropped where its overlap with a kept one is above.
        offset: 0, or 1 where x2 and y2 are the last pixels inside, which makes a box one pixel wider and higher.

    Returns:
        (K,) int64.
    """
    if offset:
        boxes = boxes + boxes.new_tensor([0.0, 0.0, offset, offset])
    return torch.ops.torchvision.nms(boxes, scores, iou_threshold)


def roi_align_forward(
    input: torch.Tensor,
    rois: torch.Tensor,
    output: torch.Tensor,
    argmax_y: torch.Tensor,
    argmax_x: torch.Tensor,
    *,
    aligned_height: int,
    aligned_width: int,
    spatial_scale: float,
    sampling_ratio: int,
    pool_mode: int,
    aligned: bool,
) -> None:
    """Write the pooled regions into `output`.

    Args:
        input: (N, C, H, W) features.
        rois: (K, 5): index of the image, x1, y1, x2, y2.
        output: (K, C, aligned_height, aligned_width), written.
        argmax_y: Not used: of maximum pooling.
        argmax_x: Not used: of maximum pooling.
        aligned_height: Rows of a pooled region.
        aligned_width: Columns of a pooled region.
        spatial_scale: Feature cells per pixel of `rois`.
        sampling_ratio: Samples per bin and axis; 0 for as many as the region's size asks for.
        pool_mode: 1, the average; 0, the maximum, is refused.
        aligned: Whether cells are sampled at their centres (half a cell less).

    Raises:
        NotImplementedError: `pool_mode` is 0.
    """
    _average_only(pool_mode)
    output.copy_(
        torch.ops.torchvision.roi_align(
            input, rois, spatial_scale, aligned_height, aligned_width, sampling_ratio, aligned
        )
    )


def roi_align_backward(
    grad_output: torch.Tensor,
    rois: torch.Tensor,
    argmax_y: torch.Tensor,
    argmax_x: torch.Tensor,
    grad_input: torch.Tensor,
    *,
    aligned_height: int,
    aligned_width: int,
    spatial_scale: float,
    sampling_ratio: int,
    pool_mode: int,
    aligned: bool,
) -> None:
    """Write the gradient with respect to the features into `grad_input`.

    Args:
        grad_output: (K, C, aligned_height, aligned_width) gradient of the pooled regions.
        rois: (K, 5): index of the image, x1, y1, x2, y2.
        argmax_y: Not used: of maximum pooling.
        argmax_x: Not used: of maximum pooling.
        grad_input: (N, C, H, W), written.
        aligned_height: See `roi_align_forward`.
        aligned_width: See `roi_align_forward`.
        spatial_scale: See `roi_align_forward`.
        sampling_ratio: See `roi_align_forward`.
        pool_mode: See `roi_align_forward`.
        aligned: See `roi_align_forward`.

    Raises:
        NotImplementedError: `pool_mode` is 0.
    """
    _average_only(pool_mode)
    grad_input.copy_(
        torch.ops.torchvision._roi_align_backward(
            grad_output,
            rois,
            spatial_scale,
            aligned_height,
            aligned_width,
            *grad_input.shape,
            sampling_ratio,
            aligned,
        )
    )


def _average_only(pool_mode: int) -> None:
    if pool_mode != 1:
        raise _not_here("roi_align with pool_mode='max'")


def _not_here(operator: str) -> NotImplementedError:
    return NotImplementedError(
        f"mmcv's operator {operator} is not there: mmcv-torchvision-ops has nms and roi_align (average pooling) only; "
        "compile mmcv for the others (pip uninstall mmcv-lite, then pip install --no-build-isolation mmcv)"
    )


def __getattr__(name: str):
    """Return a function that raises NotImplementedError with the operator's name, for names that are not dunders."""
    if name.startswith("__"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

    def operator(*args, **kwargs):
        raise _not_here(name)

    operator.__name__ = operator.__qualname__ = name
    return operator
