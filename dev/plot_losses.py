"""Plot the losses and metrics that a training run logged, one panel each.

mmpose's analyze_logs.py draws all keys on one axis, where losses of unlike size cannot be compared.

Example:
    python dev/plot_losses.py work_dirs/depthpose_tiny-64x48/*/vis_data/scalars.json \\
        --keys loss_heatmap loss_paf loss_sr PCK/Average --out losses.png
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from orplugins.io.atomic import atomic_write
from orplugins.io.files import read_text
from orplugins.io.json_fields import parse_json


def read_scalars(path: Path) -> list[dict]:
    """The records of mmengine's scalars.json (or detectron2's metrics.json), one a line."""
    records = []
    for number, line in enumerate(read_text(path, "a training's scalars").splitlines(), start=1):
        try:
            record = parse_json(line)
        except ValueError as error:
            raise ValueError(f"{path}, line {number}: found {line[:40]!r}, expected a JSON object ({error})") from error
        if not isinstance(record, dict):
            raise ValueError(f"{path}, line {number}: found {line[:40]!r}, expected a JSON object")
        records.append(record)
    return records


def curve(records: list[dict], key: str) -> tuple[list[float], list[float]]:
    """(steps, values) of one key."""
    found = [(r.get("step", r.get("iteration")), r[key]) for r in records if key in r]
    if not found:
        known = sorted({name for record in records for name in record})
        raise ValueError(f"--keys: found {key!r}, expected one of {known}")
    if not all(type(number) in (int, float) for pair in found for number in pair):
        raise ValueError(f"--keys: {key!r} is not a number at every step, expected numbers")
    steps, values = zip(*found, strict=True)
    return list(steps), list(values)


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("scalars", type=Path, nargs="+", help="scalars.json of one or more runs")
    parser.add_argument("--keys", nargs="+", required=True, help="what to plot")
    parser.add_argument("--out", type=Path, required=True, help="picture (.png)")
    args = parser.parse_args(argv)
    try:
        runs = {path: read_scalars(path) for path in args.scalars}
        curves = {key: {path: curve(records, key) for path, records in runs.items()} for key in args.keys}
    except (OSError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1

    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, len(args.keys), figsize=(3.2 * len(args.keys), 2.6), squeeze=False)
    for axis, (key, lines) in zip(axes[0], curves.items(), strict=True):
        for path, (steps, values) in lines.items():
            # A metric is measured once in many steps: on a mmengine log its step counts epochs.
            axis.plot(steps, values, ".-" if len(values) < 20 else "-", linewidth=1, label=str(path))
        axis.set_title(key, fontsize=9)
        axis.set_xlabel("step" if max(len(v[0]) for v in lines.values()) >= 20 else "step or epoch", fontsize=8)
        axis.tick_params(labelsize=7)
        least = min(min(values) for _, values in lines.values())
        most = max(max(values) for _, values in lines.values())
        if key.startswith("loss") and 0 < 10 * least < most:
            axis.set_yscale("log")
    if len(runs) > 1:
        axes[0][-1].legend(fontsize=6)
    figure.tight_layout()
    try:
        with atomic_write(args.out, mode="wb") as file:
            figure.savefig(file, dpi=110, format="png")
    except OSError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(args.out)
    return 0


if __name__ == "__main__":
    sys.exit(main())
