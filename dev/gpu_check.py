"""Everything that only a GPU can show, in one run of less than ten minutes: one table, and the same as JSON.

Parts: forward (each network against the CPU in four precisions), decoders, distributed (two processes), transfers,
syncs (host synchronisations), throughput (with peak memory, against stock twins), training (a step of each small
config). What needs no host comes first; what cannot run is a row that says why. Exit code 1 if a row FAILED.

Examples:
    python dev/gpu_check.py --out outputs/gpu_check.json
    python dev/gpu_check.py --device cpu --quick                  # a rehearsal without a GPU
    PYTHONPATH=. python dev/gpu_check.py --only forward decoders  # needs torch, NumPy and wrapt only
"""

from __future__ import annotations

import argparse
import sys
from contextlib import redirect_stdout
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
NEEDS = ("numpy", "torch", "wrapt")  # wrapt: `import orplugins` imports it
PARTS = ("forward", "decoders", "distributed", "transfers", "syncs", "throughput", "training")


def arguments(argv: list[str] | None) -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", choices=("auto", "cuda", "cpu"), default="auto", help="auto: cuda if there is one")
    parser.add_argument("--quick", action="store_true", help="smallest sizes, few repetitions")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS, metavar="PART", help=", ".join(PARTS))
    parser.add_argument("--no-hosts", action="store_true", help="leave out what needs mmpose or detectron2")
    parser.add_argument("--out", type=Path, help="JSON file, written after each part")
    parser.add_argument("--minutes", type=float, default=9.0, help="checks not begun by then are skipped (default: 9)")
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    args = arguments(argv)
    # This clone's orplugins and benchmarks, not an installed copy's.
    sys.path.insert(0, str(ROOT))
    missing = [name for name in NEEDS if find_spec(name) is None]
    if missing:
        print(f"gpu_check: needs {', '.join(NEEDS)}; not installed: {', '.join(missing)}", file=sys.stderr)
        return 2

    import torch

    from dev.gpu import decoders, distributed, forward, syncs, throughput, training, transfers
    from dev.gpu.report import Report
    from dev.gpu.session import Session, describe

    device = args.device
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    if device == "cuda" and not torch.cuda.is_available():
        print("gpu_check: --device cuda, but torch sees no CUDA device", file=sys.stderr)
        return 2
    session = Session(torch.device(device), args.quick, not args.no_hosts)
    report = Report(describe(session), args.out, args.minutes)
    parts = dict(zip(PARTS, (forward, decoders, distributed, transfers, syncs, throughput, training), strict=True))
    for hosts in (False, True):
        for name in args.only:
            with redirect_stdout(sys.stderr):  # hosts talk; the table stands alone
                report.run(parts[name].checks(session, hosts))
            print(f"{report.seconds:.0f} s: {name}{', hosts' if hosts else ''}", file=sys.stderr, flush=True)
    print(report.text())
    return 1 if report.failed else 0


if __name__ == "__main__":
    sys.exit(main())
