"""The second pass over recordings: copies in which nobody is shown, full size, small, or both."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np

from orplugins.depth.png import save_depth
from orplugins.io.images import write_image
from orplugins.io.video import write_video
from orplugins.privacy.background import median_background, spread
from orplugins.privacy.decide import FramePlan
from orplugins.privacy.hiding import blank, hide, smaller
from orplugins.privacy.recordings import DEPTH, VIDEO, Recording
from orplugins.privacy.search import frame_of
from orplugins.privacy.settings import EVERYTHING, MEDIAN, HideSettings
from orplugins.viz.overlay import draw_pose

FULL, SMALL = "hidden", "small"  # folders
_VIDEO_FORMS = (".mp4", ".m4v", ".mov", ".mkv", ".avi")
_STILLS_FPS = 20.0


class Copies:
    """Writes the copies of one recording.

    Args:
        recording: The recording.
        plans: What becomes of each frame.
        settings: What the user chose.
        out: The job's folder.
        report: Called with a line for each frame that is written blank.
        keep: Called with the number and the picture, as it is written, of each frame.
    """

    def __init__(
        self,
        recording: Recording,
        plans: Sequence[FramePlan],
        settings: HideSettings,
        out: Path,
        report: Callable[[str], None],
        keep: Callable[[int, np.ndarray], None] = lambda t, picture: None,
    ):
        self.recording, self.plans, self.settings = recording, plans, settings
        self.out, self.report, self.keep = out, report, keep
        self.size = next((each.size for each in plans if each.size is not None), None)
        self.background = self._background() if settings.background == MEDIAN else None

    def write(self) -> list[Path]:
        """Write them; returns the files."""
        if self.size is None:
            self.report(f"{self.recording.name}: no frame could be read, nothing is written")
            return []
        wanted: list[tuple[Path, float | None]] = [] if self.settings.only_small else [(self.out / FULL, None)]
        wanted += [(self.out / SMALL, self.settings.small)] if self.settings.small else []
        written = []
        for n, (folder, factor) in enumerate(wanted):
            written += (self._video if self.recording.kind == VIDEO else self._folder)(folder, factor, n == 0)
        return written

    def _folder(self, folder: Path, factor: float | None, first: bool) -> list[Path]:
        written = []
        for (_, picture), name in zip(self._frames(factor, first), self.recording.names, strict=True):
            path = folder / self.recording.name / name
            if picture.ndim == 2:
                save_depth(path, picture)
            else:
                write_image(path, picture)
            written.append(path)
        return written

    def _video(self, folder: Path, factor: float | None, first: bool) -> list[Path]:
        suffix = self.recording.paths[0].suffix.lower()
        path = folder / f"{self.recording.name}{suffix if suffix in _VIDEO_FORMS else '.mp4'}"
        times = [each.time for each in self.plans if each.time is not None and each.size is not None]
        pictures = (picture for _, picture in self._frames(factor, first))
        write_video(path, pictures, self.recording.fps or _STILLS_FPS, times)
        return [path]

    def _frames(self, factor: float | None, first: bool) -> Iterator[tuple[int, np.ndarray]]:
        """Number and picture of every frame as it is written; the first copy's are reported and kept."""
        plain = factor is not None and self.settings.small_from == "original"
        for t, moment in enumerate(self.recording.moments()):
            frame = self.plans[t] if t < len(self.plans) else FramePlan(None, problem="there was no such frame before")
            if moment.picture is None and self.recording.kind == VIDEO:
                if first:
                    self.report(moment.problem)
                return
            picture, problem = self._copy(moment.picture, moment.problem, frame, plain)
            if problem and first:
                self.report(f"{frame_of(self.recording, t)}: written blank: {problem}")
            small = smaller(picture, factor) if factor else picture
            if first:
                self.keep(t, small)
            yield t, small

    def _copy(self, picture: np.ndarray | None, problem: str, frame: FramePlan, plain: bool):
        """A frame's copy, and why it is blank if it is."""
        if picture is None:
            return self._blank(), problem
        if plain:
            return picture, ""
        if frame.problem:
            return blank(picture), frame.problem
        if (picture.shape[1], picture.shape[0]) != frame.size:
            return blank(picture), "another size than before: the file was changed while the job ran"
        if self.settings.what == EVERYTHING:
            return self._skeletons(picture, frame), ""
        background = self.background
        if background is not None and background.shape != picture.shape:
            background = None
        return hide(picture, frame.mask(), self.settings.how, background), ""

    def _blank(self) -> np.ndarray:
        assert self.size is not None
        width, height = self.size
        if self.recording.kind == DEPTH:
            return np.zeros((height, width), np.uint16)
        return blank(np.zeros((height, width, 3), np.uint8))

    def _skeletons(self, picture: np.ndarray, frame: FramePlan) -> np.ndarray:
        """Skeletons on the background; of a depth image in colours, too."""
        canvas = blank(picture) if self.background is None else self.background
        if canvas.shape[:2] != picture.shape[:2]:
            canvas = blank(picture)
        if canvas.ndim == 2:
            canvas = np.full((*canvas.shape, 3), 128, np.uint8)
        canvas = canvas.copy()
        for joints in frame.skeletons:
            draw_pose(canvas, np.nan_to_num(joints), "coco")
        return canvas

    def _background(self) -> np.ndarray | None:
        """The median of the moments at which a pixel was not hidden."""
        return median_background(self._moments(spread(len(self.plans))))

    def _moments(self, chosen: set[int]) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        for t, moment in enumerate(self.recording.moments()):
            if t not in chosen or moment.picture is None:
                continue
            frame = self.plans[t]
            if not frame.problem and frame.size == self.size:
                yield moment.picture, frame.mask()
