"""From a folder of a user's unlabelled frames to adapted weights, for any method; a run that was stopped goes on."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from orplugins.adaptation.agreement import FrameLabels, agree
from orplugins.adaptation.criterion import Evidence, Verdict, average_precision, compare, gather
from orplugins.adaptation.frames import choose_frames, held_out_frames, kind_of_frames, spread
from orplugins.adaptation.fusion import Detections, fuse
from orplugins.adaptation.method import AdaptSettings, Finder, Labelled, Lesson, Method
from orplugins.adaptation.report import Panel, card, write_report
from orplugins.adaptation.stillness import Stillness
from orplugins.io.atomic import atomic_write, write_json
from orplugins.io.json_fields import load_json
from orplugins.io.resume_log import Journal
from orplugins.io.run_folder import run_folder
from orplugins.skeletons import COCO_17

LEAST_LABELLED = 10  # frames with people; fewer teach nothing
BETTER, WORSE = "adapted.safetensors", "not_recommended.safetensors"
NOT_BETTER = 3  # exit code of a command whose result is not recommended
JOINTS = COCO_17.num_joints
SHOWN = 6  # frames in the report
_ROOM_TEST_SEED = 990_000


__all__ = ["NOT_BETTER", "AdaptResult", "AdaptSettings", "adapt", "kind_of_frames"]


@dataclass(frozen=True)
class AdaptResult:
    """What :func:`adapt` wrote.

    Attributes:
        better: The adapted weights are recommended.
        weights: The adapted weights; None where there are none.
        report: One page.
        frames: Frames that were used.
        people: Labels of people in them.
        reasons: Why, or why not.
    """

    better: bool
    weights: Path | None
    report: Path
    frames: int
    people: int
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class Round:
    """One round of teaching.

    Attributes:
        labels: Of each frame.
        before: Evidence about the teacher.
        after: Evidence about the student.
        verdict: Of both.
        weights: The student's.
    """

    labels: list[FrameLabels]
    before: Evidence
    after: Evidence
    verdict: Verdict
    weights: Path


def adapt(
    inputs: Sequence[str | os.PathLike],
    out: str | os.PathLike,
    method: Method,
    settings: AdaptSettings | None = None,
) -> AdaptResult:
    """Adapt a network to a recording: label it, train a student, judge it, write weights and a report.

    Args:
        inputs: Frames of one camera in order of time: pictures, or folders of them.
        out: Folder; the same call goes on with what is there.
        method: The network.
        settings: See :class:`AdaptSettings`; None: the defaults.

    Returns:
        What was written.

    Raises:
        FileNotFoundError: An input is missing.
        OSError: `out` cannot be written to.
        ValueError: Too few frames, frames of several sizes, or `out` was begun with other settings or frames.
    """
    settings = settings or AdaptSettings()
    paths = choose_frames(inputs, settings.most_frames)
    with run_folder(out) as folder:
        run = _Run(paths, method, settings)
        _go_on(folder / "settings.json", run)
        rounds: list[Round] = []
        weights = method.weights
        for number in range(1, settings.rounds + 1):
            rounds.append(_round(run, weights, folder / f"round{number}"))
            if not rounds[-1].verdict.better:
                break
            weights = str(rounds[-1].weights)
        return _conclude(run, rounds, folder)


class _Run:
    """What all rounds share: the frames, what never changes in them, generated rooms."""

    def __init__(self, paths: list[Path], method: Method, settings: AdaptSettings):
        self.paths, self.method, self.settings = paths, method, settings
        self.pictures = [method.read(path) for path in paths]
        sizes = sorted({picture.shape[1::-1] for picture in self.pictures})
        if len(sizes) > 1:
            raise ValueError(f"frames have the sizes {sizes[:5]}, expected one: those of one camera")
        self.chosen = method.begin(sizes[0])
        self.stillness = Stillness(map(method.grey, self.pictures), sizes[0], method.holes)
        self.tests = method.rooms(settings.room_tests, settings.seed + _ROOM_TEST_SEED)

    def ask(
        self, finder: Finder, weights: str, numbers: np.ndarray, views: int, journal: Path
    ) -> list[list[Detections]]:
        """Answers about frames, noted one by one so that a run that was stopped goes on.

        Args:
            finder: See `orplugins.adaptation.method.Method.finder`.
            weights: Whose answers these are.
            numbers: Of the frames.
            views: Number of views.
            journal: The notes.

        Returns:
            Answers of each frame.
        """
        from tqdm import tqdm

        settings = {"weights": _stamp(weights), "views": views, **self.chosen}
        notes = Journal(journal, settings, [_stamp(str(self.paths[k])) for k in numbers])
        answers = []
        for k in tqdm(numbers, unit="frame", desc=f"{journal.parent.name}: {journal.stem}", disable=None):
            key = self.paths[k].as_posix()
            if key not in notes.items:
                notes.add(key, [_plain(each) for each in finder(self.pictures[k], views)])
            answers.append([_detections(each) for each in notes.items[key]])
        notes.close()
        return answers

    def evidence(
        self, finder: Finder, answers: list[list[Detections]], numbers: np.ndarray, labels: list[FrameLabels]
    ) -> Evidence:
        """Evidence about a network by its answers about held-out frames, and about generated rooms."""
        single, other = ([each[view] for each in answers] for view in (0, 1))
        still = [
            np.array([self.stillness.share(k, box) for box in each.boxes])
            for k, each in zip(numbers, single, strict=True)
        ]
        found = [finder(picture, 1)[0] for picture, _ in self.tests]
        room = average_precision(found, [boxes for _, boxes in self.tests])[0]
        return gather(single, other, [labels[k] for k in numbers], still, room)


def _go_on(note: Path, run: _Run) -> None:
    """Refuse a folder that was begun with something else; more rounds are no other thing."""
    settings = {**asdict(run.settings), **run.chosen, "rounds": None}
    frames = hashlib.sha256(json.dumps([_stamp(str(path)) for path in run.paths]).encode()).hexdigest()
    mine = json.loads(json.dumps({**settings, "teacher": _stamp(run.method.weights), "frames": frames}))
    if note.is_file():
        found = load_json(note)
        different = sorted(key for key in {*found, *mine} if found.get(key) != mine.get(key))
        if different:
            raise ValueError(
                f"{note.parent}: was begun with other {', '.join(different)}, expected the same to go on; choose "
                "another folder"
            )
    else:
        write_json(note, mine, indent=1)


def _round(run: _Run, weights: str, place: Path) -> Round:
    """Teach a student once, and judge it."""
    method, paths, settings = run.method, run.paths, run.settings
    everything = np.arange(len(paths))
    finder = method.finder(weights)
    views = run.ask(finder, weights, everything, method.views(), place / "teacher.jsonl")
    labels = agree([fuse(each, method.rules.fuse_iou) for each in views], run.stillness.share, method.rules)
    held_out = held_out_frames(len(paths), settings.held_out)
    frames = [Labelled(paths[k], labels[k]) for k in np.setdiff1d(everything, held_out)]
    with_people = sum(len(frame.labels.people) > 0 for frame in frames)
    if with_people < LEAST_LABELLED:
        raise ValueError(
            f"the teacher is sure of people in {with_people} of {len(frames)} frames, expected at least "
            f"{LEAST_LABELLED}: these weights are no teacher for this recording"
        )
    rooms = round(settings.rooms * len(frames) / 100)
    student = method.train(Lesson(frames, weights, rooms, settings.seed, place / "student"))
    judged = spread(held_out, settings.most_judged)
    pupil = method.finder(str(student))
    answers = run.ask(pupil, str(student), judged, 2, place / "student.jsonl")
    before = run.evidence(finder, [views[k] for k in judged], judged, labels)
    after = run.evidence(pupil, answers, judged, labels)
    return Round(labels, before, after, compare(before, after), student)


def _conclude(run: _Run, rounds: list[Round], folder: Path) -> AdaptResult:
    """Write the weights of the last better round, or those of the first under another name, and the report."""
    method, paths = run.method, run.paths
    better = [each for each in rounds if each.verdict.better]
    last = better[-1] if better else rounds[0]
    for name in (BETTER, WORSE):
        for file_name in (name, f"{Path(name).stem}.md"):
            (folder / file_name).unlink(missing_ok=True)
    final = folder / (BETTER if better else WORSE)
    with atomic_write(final, "wb") as file:
        file.write(last.weights.read_bytes())
    people = sum(len(each.people) for each in last.labels)
    facts = {
        "method": method.name,
        "teacher": method.weights,
        **run.chosen,
        "seed": run.settings.seed,
        "frames": len(paths),
        "people_labelled": people,
        "filled_in": int(sum(each.filled.sum() for each in last.labels)),
        "unsure": sum(len(each.unsure) for each in last.labels),
        "recommended": bool(better),
        "rounds": [
            {"before": asdict(each.before), "after": asdict(each.after), **asdict(each.verdict)} for each in rounds
        ],
    }
    write_json(folder / "adaptation.json", facts, indent=1)
    old, new = method.finder(method.weights), method.finder(str(last.weights))
    panels = [
        Panel(
            paths[k].name,
            method.show(run.pictures[k]),
            old(run.pictures[k], 1)[0],
            last.labels[k],
            new(run.pictures[k], 1)[0],
        )
        for k in spread(held_out_frames(len(paths), run.settings.held_out), SHOWN)
    ]
    write_report(folder / "report.html", facts, panels, method.usage(final))
    with atomic_write(final.with_suffix(".md")) as file:
        file.write(card(final.stem, facts, last.verdict, method.usage(final)))
    return AdaptResult(bool(better), final, folder / "report.html", len(paths), people, last.verdict.reasons)


def _stamp(path: str) -> list:
    status = os.stat(path) if os.path.isfile(path) else None
    return [os.path.abspath(path), *((status.st_size, status.st_mtime_ns) if status else ())]


def _plain(found: Detections) -> dict[str, list]:
    return {name: np.round(value, 3).tolist() for name, value in vars(found).items()}


def _detections(note: dict[str, list]) -> Detections:
    boxes, scores, joints, support = (
        np.array(note[name], dtype=np.float64) for name in ("boxes", "scores", "keypoints", "support")
    )
    return Detections(boxes.reshape(-1, 4), scores, joints.reshape(len(scores), JOINTS, 3), support)
