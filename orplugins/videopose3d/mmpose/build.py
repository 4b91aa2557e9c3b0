"""A lifter from a checkpoint alone: its shapes tell the network."""

from __future__ import annotations

from collections.abc import Mapping

from mmengine.registry import init_default_scope
from mmpose.registry import MODELS

from orplugins.videopose3d.checkpoint import (
    convert_published,
    is_published,
    read_checkpoint,
    recover_options,
    to_published,
)


def build_lifter(checkpoint: str | Mapping, causal: bool = False, source: str = "coco_17", target: str = "h36m_17"):
    """Build ``orplugins.VideoPoseLifter`` and load it, in evaluation mode.

    Args:
        checkpoint: File (published form, or a lifter's trained by mmpose), or what is in one.
        causal: Whether the network was trained causal. The weights do not tell.
        source: Joint set of the 2D input.
        target: Joint set of the 3D output.

    Returns:
        The lifter.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: Not a lifter's, or another number of joints than the joint sets have.
    """
    init_default_scope("mmpose")
    if not isinstance(checkpoint, Mapping):
        checkpoint = read_checkpoint(checkpoint)
    state = convert_published(checkpoint) if is_published(checkpoint) else dict(checkpoint)
    parts = to_published(state)
    if "model_pos" not in parts:
        raise ValueError(f"checkpoint: no lifting network in it, found {', '.join(map(str, state))[:200]}")
    options = recover_options(parts["model_pos"])
    tcn = dict(
        type="orplugins.VideoPoseTCN",
        in_channels=2 * options.joints_in,
        stem_channels=options.channels,
        num_blocks=len(options.filter_widths) - 1,
        kernel_sizes=options.filter_widths,
        causal=causal,
    )
    head = dict(in_channels=options.channels, loss=dict(type="MPJPELoss"))
    trajectory = {}
    if "model_traj" in parts:
        trajectory = dict(traj_backbone=tcn, traj_head=dict(type="orplugins.RootTrajectoryHead", num_joints=1, **head))
    model = MODELS.build(
        dict(
            type="orplugins.VideoPoseLifter",
            source=source,
            target=target,
            backbone=tcn,
            head=dict(type="orplugins.DenseTemporalHead", num_joints=options.joints_out, **head),
            **trajectory,
        )
    )
    joints = model.source.num_joints, model.target.num_joints
    if joints != (options.joints_in, options.joints_out):
        raise ValueError(
            f"checkpoint: {options.joints_in} joints in, {options.joints_out} out; {source} and {target} have "
            f"{joints[0]} and {joints[1]}"
        )
    try:
        model.load_state_dict(state)
    except RuntimeError as error:
        raise ValueError(f"checkpoint: {' '.join(str(error).split())}") from None
    model.eval()
    return model
