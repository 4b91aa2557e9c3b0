r"""People in thousands of hours of recordings, by a model file, on this machine or on a Ray cluster.

Examples:
    python tools/batch.py recordings/ --model outputs/student.onnx --out outputs/people
    python tools/batch.py /share/recordings --model /share/detector.onnx /share/topdown.onnx \
        --engine ray --address auto --out /share/people

RECORDINGS are videos, and folders of videos or pictures with all below them. They are cut into spans, the tasks of the
workers, each of which opens the model once (`orplugins export` writes it; no host and no torch is needed). Below --out:
manifest.jsonl, one line a span that is done; frames/*.parquet, a row a frame; coco/*.json. All nodes of a cluster must
see recordings, model and --out under the same paths. The same command goes on after an interruption, and does what is
new. What cannot be read is reported and left out; the exit code then is 1.
"""

from __future__ import annotations

import argparse
import sys
from functools import partial

from orplugins.archive.engines import ENGINES, Cluster
from orplugins.archive.pipeline import BatchSettings, run_batch


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("recordings", nargs="+", help="videos, folders of videos or pictures")
    add("--model", required=True, nargs="+", dest="models", metavar="FILE", help="model files, one after the other")
    add("--out", required=True, metavar="DIR")
    add("--engine", choices=ENGINES, default="local", help="this process, or a Ray cluster (default: local)")
    add("--address", help="of a Ray cluster; auto: the one of this machine (default: start one here)")
    add("--workers", type=int, metavar="N", help="the most workers at a time (default: one a processor)")
    add("--seconds", type=float, default=600, help="of a video in a span (default: 600)")
    add("--pictures", type=int, default=2000, help="of a folder in a span (default: 2000)")
    add("--root", metavar="DIR", help="names of frames are relative to it (default: absolute)")
    add("--runtime", choices=("onnxruntime", "openvino"), default="onnxruntime")
    add("--threads", type=int, default=1, help="of one worker (default: 1)")
    add("--batch", type=int, default=8, help="frames at a time (default: 8)")
    add("--min-score", type=float, default=0.5, help="of a detector's boxes for the next network (default: 0.5)")
    add("--again", action="store_true", help="do spans with problems again")
    return parser


def main(argv: list[str] | None = None) -> int:
    """Parse arguments, find people, print what was done and what was not."""
    args = vars(_parser().parse_args(argv))
    recordings, out = args.pop("recordings"), args.pop("out")
    try:
        cluster = Cluster(*(args.pop(name) for name in ("engine", "address", "workers")))
        done = run_batch(recordings, out, BatchSettings(**args, cluster=cluster), partial(print, flush=True))
    except (OSError, ValueError, ImportError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    before = f", {done.spans - done.done} spans were done before" if done.done < done.spans else ""
    print(f"{done.manifest}: {done.spans} spans, {done.frames} frames, {done.people} people{before}")
    for problem in done.problems:
        print(f"failed: {problem}", file=sys.stderr)
    return 1 if done.problems or not done.frames else 0
