"""Make generated people in ITOP's HDF5 layout: an operating room seen by ITOP's lens, a row a person.

Example:

    python tools/make_itop_people.py --out data/itop_people --train 1500 --test 250 --seed 1

Writes ``OUT/ITOP/ITOP_side_{train,test}_{depth_map,labels}.h5``; each file appears when it is complete.
"""

from __future__ import annotations

import argparse
import json
import sys

from orplugins.synthetic.itop_layout import write_itop_people


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", required=True, help="data root")
    parser.add_argument("--train", type=int, default=0, help="frames of the training file (default: 0, no file)")
    parser.add_argument("--test", type=int, default=0, help="frames of the test file (default: 0, no file)")
    parser.add_argument("--seed", type=int, default=0, help="another seed gives other people (default: 0)")
    parser.add_argument("--people", type=int, nargs=2, default=(1, 5), metavar=("LEAST", "MOST"), help="in the room")
    parser.add_argument("--exact", action="store_true", help="leave out the depth sensor's errors")
    args = parser.parse_args(arguments)

    from tqdm import tqdm

    with tqdm(total=args.train + args.test, unit="frame") as bar:
        try:
            counts = write_itop_people(args.out, args.train, args.test, args.seed, tuple(args.people),
                                       noise=not args.exact, progress=bar.update)  # fmt: skip
        except (ValueError, OSError) as error:
            print(f"error: {error}", file=sys.stderr)
            return 1
    print(json.dumps({"out": args.out, **counts}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
