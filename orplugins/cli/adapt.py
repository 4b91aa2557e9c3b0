"""Adapt a network to the recordings of your own room: no labels, no download.

Examples:
    orplugins adapt recordings/monday/ --out outputs/monday                  # colour or depth, by the files
    orplugins adapt depth/ --out outputs/depth --config configs/mmpose/depthpose/depthpose_tiny-64x48.py \\
        --weights demo/depthpose_tiny-64x48.safetensors

    orplugins adapt recordings/monday/ --out outputs/mean-teacher --method adaptor           # AdaptOR's mean teacher

FRAMES are neighbouring frames of one camera that stands still, in the order of their names: colour pictures, or 16-bit
PNG of depth; some hundred of them, in which people come and go. The shipped network labels them, asked about several
sizes and mirror images; what lasts over neighbouring frames becomes a label; a student learns from the labels, from
strong views of the frames and from generated rooms. Below --out: adapted.safetensors, report.html with pictures before
and after, adaptation.json, and what the same command goes on from after an interruption.

The exit code is 3 where the adapted weights are not better by what can be said without labels; they are then called
not_recommended.safetensors.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from orplugins.adaptation.method import Method
from orplugins.adaptation.run import NOT_BETTER, AdaptSettings, adapt, kind_of_frames
from orplugins.device import add_device_option
from orplugins.resources import shipped

NETWORKS = {"color": "orpose-color", "depth": "depthpose", "adaptor": "adaptor"}


def _parser() -> argparse.ArgumentParser:
    from orplugins.cli.infer_color import parse_size

    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("frames", nargs="+", help="pictures of one camera, or folders of them")
    options.add_argument("--out", type=Path, required=True, help="folder")
    options.add_argument(
        "--method", choices=tuple(NETWORKS), help="default: by the files; 16-bit PNG is depth; adaptor: colour"
    )
    options.add_argument("--config", help="the network's config (default: the shipped network)")
    options.add_argument("--weights", help="its weights, the teacher (default: the shipped ones)")
    options.add_argument("--rounds", type=int, default=1, help="2: the student teaches once more (default: 1)")
    options.add_argument("--iterations", type=int, default=400, help="steps of a round's training (default: 400)")
    options.add_argument("--most-frames", type=int, default=600, help="of a longer recording (default: 600)")
    options.add_argument("--size", type=parse_size, help="colour: what the network sees (default: as of infer-color)")
    options.add_argument("--statistics", help="colour: h36stats.json, for weights that store none")
    options.add_argument("--unit-mm", type=float, default=1.0, help="depth: millimetres a count (default: 1)")
    options.add_argument("--seed", type=int, default=0)
    add_device_option(options)
    return options


def main(argv: list[str] | None = None) -> int:
    """Parse arguments, adapt, print what was written and whether it is better."""
    args = _parser().parse_args(argv)
    try:
        kind = args.method or kind_of_frames(args.frames)
        if (args.config is None) != (args.weights is None):
            raise ValueError("--config and --weights: found one of them, expected both or neither")
        config, weights = (args.config, args.weights) if args.config else shipped(NETWORKS[kind])
        method: Method
        if kind == "color":
            from orplugins.orpose_color.adapt import ColorMethod

            training = {"iterations": args.iterations}
            method = ColorMethod(config, weights, args.size, training, args.statistics, args.device)
        elif kind == "adaptor":
            from orplugins.adaptor.adapt import AdaptorMethod

            method = AdaptorMethod(config, weights, args.size, args.iterations, args.device)
        else:
            from orplugins.depthpose.adapt import DepthMethod

            method = DepthMethod(config, weights, args.unit_mm, args.iterations, device=args.device)
        settings = AdaptSettings(rounds=args.rounds, most_frames=args.most_frames, seed=args.seed)
        done = adapt(args.frames, args.out, method, settings)
    except (ValueError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(f"{done.weights}: {done.frames} frames, {done.people} labels of people\n{done.report}")
    print("\n".join(done.reasons))
    print("the adapted weights are " + ("recommended" if done.better else "NOT recommended: keep those you had"))
    return 0 if done.better else NOT_BETTER
