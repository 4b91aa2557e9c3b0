"""Print how many heads `orplugins hide` leaves in view, on the generated room, where every pixel of a head is known.

    python dev/hide_table.py --out outputs/hide                        # the tables of docs/hide.md
    python dev/hide_table.py --out outputs/hide_dev --seed 931 --sweep # what the defaults were chosen on

Pictures of three cameras are written to --out and searched once (finds.jsonl); a second call goes on from there, and
repeats the tables in seconds. A head is left in view if one pixel of it is, also if no more than that is seen. The
hidden background is the share of the pixels that show nobody.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from orplugins.cli._hide_detectors import shipped_detectors
from orplugins.depth.png import load_depth, save_depth
from orplugins.geometry.cameras import Camera
from orplugins.io.atomic import write_json
from orplugins.io.images import write_image
from orplugins.io.json_fields import load_json
from orplugins.io.resume_log import Journal
from orplugins.io.tables import markdown_table
from orplugins.privacy.decide import FramePlan, plan
from orplugins.privacy.generated_heads import recording
from orplugins.privacy.hiding import hide
from orplugins.privacy.recordings import DEPTH, Recording, find_recordings
from orplugins.privacy.search import COLOUR, Detectors, Searched, search
from orplugins.privacy.settings import PEOPLE, HideSettings
from orplugins.viz.check_sheet import Tile, check_sheet

STILLS, CLIPS = "moments", "clips"
USUAL = HideSettings()
LARGE = 100  # pixels of a head that are seen


@dataclass(frozen=True)
class Take:
    """Synchronous recordings of one room, with the truth.

    Attributes:
        kind: Moments or clips.
        recordings: One a camera, with depth.
        cameras: Their calibration.
        searched: What was found in the frames of each.
        heads, people: (V, T, H, W) whose head, and who, is seen at a pixel; 0 for nobody.
    """

    kind: str
    recordings: list[Recording]
    cameras: list[Camera]
    searched: list[list[Searched]]
    heads: np.ndarray
    people: np.ndarray


def make(folder: Path, seed: int, number: int, frames: int) -> None:
    """Write a take, unless it is there: pictures, depth and truth; rig.json comes last."""
    if (folder / "rig.json").is_file():
        return
    cameras = []
    for t, views in enumerate(recording(seed, number, frames)):
        cameras = [view.camera for view in views]
        for v, view in enumerate(views):
            write_image(folder / f"colour/{v}/{t:03d}.png", view.colour)
            for name in ("depth", "heads", "people"):
                save_depth(folder / f"{name}/{v}/{t:03d}.png", getattr(view, name))
    rows = [{"K": [c.fx, c.fy, c.cx, c.cy], "size": c.size, "pose": c.pose.tolist()} for c in cameras]
    write_json(folder / "rig.json", rows)


def read(folder: Path, kind: str, detectors: dict[str, Detectors], journal: Journal) -> Take:
    """A take with what was found in it."""
    recordings = find_recordings([folder / "colour"], [folder / "depth"])
    cameras = [
        Camera(*row["K"], size=tuple(row["size"]), pose=np.array(row["pose"])) for row in load_json(folder / "rig.json")
    ]
    key = f"{folder.parent.name}/{folder.name}"
    searched = [search(one, detectors, journal, f"{key}/{v}", lambda: None) for v, one in enumerate(recordings)]
    truth = [
        np.array([[load_depth(p, bits=8) for p in sorted((folder / name / str(v)).iterdir())] for v in range(3)])
        for name in ("heads", "people")
    ]
    return Take(kind, recordings, cameras, searched, *truth)


def planned(take: Take, settings: HideSettings, views: int, use_depth: bool, only_depth: bool = False):
    """What is hidden in each frame of each view: by one camera alone, or by all."""
    chosen = {COLOUR, DEPTH} if use_depth else {COLOUR}
    chosen = {DEPTH} if only_depth else chosen
    searched = [
        [replace(frame, packed={k: f for k, f in frame.packed.items() if k in chosen}) for frame in frames]
        for frames in take.searched
    ]
    recordings = [one if use_depth else replace(one, depth=None) for one in take.recordings]
    settings = replace(settings, stills=settings.stills or take.kind == STILLS)
    return plan(recordings, searched, {COLOUR: 8, DEPTH: 2}, settings, take.cameras if views > 1 else None)


Row = tuple[int, int, int, int, int, float]


def measure(takes: list[Take], plans: list[list[list[FramePlan]]]) -> Row:
    """Heads, those of which a pixel is in view and half is, the same of large ones, and the hidden background."""
    heads = some = half = large = large_some = 0
    shares = []
    for take, planned_views in zip(takes, plans, strict=True):
        for v, t, frame in numbered(planned_views):
            mask = frame.mask()
            shares.append(float(mask[take.people[v, t] == 0].mean()))
            owner = take.heads[v, t]
            for person in np.unique(owner[owner > 0]):
                hidden = mask[owner == person]
                heads, some, half = heads + 1, some + (not hidden.all()), half + (hidden.mean() < 0.5)
                large, large_some = (
                    large + (hidden.size >= LARGE),
                    large_some + (hidden.size >= LARGE and not hidden.all()),
                )
    return heads, some, half, large, large_some, float(np.mean(shares))


def numbered(views: list[list[FramePlan]]) -> Iterator[tuple[int, int, FramePlan]]:
    """View, number and plan of each frame."""
    for v, frames in enumerate(views):
        for t, frame in enumerate(frames):
            yield v, t, frame


def cells(row: Row) -> list[str]:
    """A row of figures as text."""
    heads, some, half, large, large_some, share = row
    percent = [f"{count} ({100 * count / max(heads, 1):.1f} %)" for count in (some, half)]
    return [str(heads), *percent, f"{large_some} of {large}", f"{100 * share:.1f} %"]


HEAD = ["heads", "a pixel in view", "half in view", f"a pixel, heads of {LARGE} pixels and more", "hidden background"]


def conditions(takes: list[Take]) -> str:
    """The table of what helps."""
    pick: Callable[[str], list[Take]] = lambda kind: [take for take in takes if take.kind == kind]  # noqa: E731
    no_time = replace(USUAL, stills=True)
    rows = []
    for name, kind, settings, views, use_depth, only in (
        ("single moments, 1 camera", STILLS, USUAL, 1, False, False),
        ("single moments, 3 cameras", STILLS, USUAL, 3, False, False),
        ("single moments, 3 RGB-D cameras", STILLS, USUAL, 3, True, False),
        ("single moments, 1 depth camera", STILLS, USUAL, 1, True, True),
        ("clips, 1 camera, frames alone", CLIPS, no_time, 1, False, False),
        ("clips, 1 camera", CLIPS, USUAL, 1, False, False),
        ("clips, 3 cameras", CLIPS, USUAL, 3, False, False),
        ("clips, 3 RGB-D cameras", CLIPS, USUAL, 3, True, False),
        ("clips, 1 depth camera", CLIPS, USUAL, 1, True, True),
        ("clips, 3 depth cameras", CLIPS, USUAL, 3, True, True),
        ("clips, 1 camera, whole people", CLIPS, replace(USUAL, what=PEOPLE), 1, False, False),
        ("clips, 3 cameras, whole people", CLIPS, replace(USUAL, what=PEOPLE), 3, False, False),
    ):
        mine = pick(kind)
        if not mine:
            continue
        plans = [planned(take, settings, views, use_depth, only) for take in mine]
        rows.append([name, *cells(measure(mine, plans))])
    return markdown_table(["", *HEAD], rows)


def sweep(takes: list[Take], views: int) -> str:
    """The table of thresholds and margins, of all pictures."""
    rows = []
    for threshold in (0.02, 0.05, 0.1, 0.2, 0.3):
        for margin in (0.8, 1.0, 1.25):
            settings = replace(USUAL, threshold=threshold, margin=margin)
            found = measure(takes, [planned(take, settings, views, False) for take in takes])
            rows.append([f"{threshold:g}", f"{margin:g}", *cells(found)])
    return markdown_table(["threshold", "margin", *HEAD], rows)


def ranking(takes: list[Take]) -> str:
    """Which share of the pictures with a head in view is found by looking at the first of the list, one camera."""
    rows = []
    for threshold in (0.05, 0.1, 0.2):
        settings = replace(USUAL, threshold=threshold)
        doubts, bad = [], []
        for take in takes:
            for v, t, frame in numbered(planned(take, settings, 1, False)):
                doubts.append(frame.doubt.value)
                bad.append(bool((take.heads[v, t] > 0)[~frame.mask()].any()))
        ordered = np.array(bad)[np.argsort(-np.array(doubts), kind="stable")]
        first = [str(int(ordered[: round(share * len(ordered))].sum())) for share in (0.1, 0.2, 0.5)]
        rows.append([f"{threshold:g}", str(len(bad)), str(sum(bad)), *first])
    return markdown_table(
        ["threshold", "pictures", "with a head in view", "first 10 %", "first 20 %", "first 50 %"], rows
    )


def draw(path: Path, take: Take) -> None:
    """Write a sheet: what each camera saw at a moment, and what is left of it."""
    tiles, t = [], len(take.searched[0]) // 2
    for name, settings in (
        ("as recorded", None),
        ("heads removed", USUAL),
        ("heads pixelated", replace(USUAL, how="pixelate")),
        ("whole people blurred", replace(USUAL, what=PEOPLE, how="blur")),
    ):
        plans = planned(take, settings or USUAL, len(take.cameras), False)
        for one, frames in zip(take.recordings[:2], plans[:2], strict=True):
            image = one.at(t).picture
            assert image is not None
            tiles.append(Tile(hide(image, frames[t].mask(), settings.how) if settings else image, name))
    write_image(path, check_sheet(tiles))


def main() -> int:
    """Make what is missing, search, print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="folder for pictures and finds")
    parser.add_argument("--seed", type=int, default=951, help="of the moments; the clips' is one more (default: 951)")
    parser.add_argument("--moments", type=int, default=40, help="of three cameras each (default: 40)")
    parser.add_argument("--clips", type=int, default=4, help="of ten frames, 6.25 a second (default: 4)")
    parser.add_argument("--sweep", action="store_true", help="thresholds and margins, too")
    parser.add_argument(
        "--picture", type=Path, metavar="PNG", help="write a sheet of a clip in which people are hidden"
    )
    args = parser.parse_args()
    detectors = {name: load() for name, load in shipped_detectors("cpu").items()}
    journal = Journal(args.out / "finds.jsonl", {"networks": [list(d.names) for d in detectors.values()]})
    takes = []
    for kind, count, seed, frames in ((STILLS, args.moments, args.seed, 1), (CLIPS, args.clips, args.seed + 1, 10)):
        for number in range(count):
            folder = args.out / kind / f"{number:03d}"
            make(folder, seed, number, frames)
            takes.append(read(folder, kind, detectors, journal))
            print(f"... {folder}", file=sys.stderr)
    journal.close()
    if args.picture:
        draw(args.picture, max(takes, key=lambda take: len(np.unique(take.heads))))
    print(conditions(takes))
    if args.sweep:
        print("\none camera\n\n" + sweep(takes, 1) + "\n\nthree cameras\n\n" + sweep(takes, 3))
    print("\n" + ranking(takes))
    return 0


if __name__ == "__main__":
    sys.exit(main())
