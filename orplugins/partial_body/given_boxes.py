"""Boxes of a file for the frames of a job: which entry belongs to which image or frame of a video."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path

from orplugins.io.frame_names import match_frames
from orplugins.io.frames import Source
from orplugins.partial_body.box_files import FrameBoxes, frame_boxes
from orplugins.partial_body.box_forms import EVERYONE, BoxFile, Choice, read_box_file

_FRAME = re.compile(r"_(\d{6,8})(?:\.\w+)?$")


class GivenBoxes:
    """Boxes from a file, by the frame's path, or by its number where the file names none.

    Args:
        path: See `orplugins.partial_body.box_forms.read_box_file`, as for
        annotations: this and
        choice: this.
        sources: The job's images and videos.

    Attributes:
        problems: One line for each record that is unusable, and for entries that fit several images.
        notes: One line for what was left out as it should be: boxes of no person, entries of other images.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: It is of another form, or none of its entries belongs to a frame.
    """

    def __init__(
        self,
        path: Path,
        sources: Sequence[Source],
        annotations: str | os.PathLike | None = None,
        choice: Choice = EVERYONE,
    ):
        self.path, found = path, read_box_file(path, annotations, choice)
        self.problems: list[str] = found.problems
        self.notes: list[str] = []
        if found.others:
            counts = ", ".join(f"{name} {count}" for name, count in found.others.most_common(8))
            self.notes.append(
                f"{path}: {sum(found.others.values())} boxes are of no person and were left out: {counts}"
            )
        self.by_name = self._by_number(found, sources) if found.numbered else self._by_path(found, sources)
        if not any(frame.labels for frame in self.by_name.values()):
            why = f": {'; '.join([*self.notes, *self.problems][:3])}" if self.notes or self.problems else ""
            raise ValueError(f"{path}: none of its {len(found.frames)} frames gives a person's box to an image{why}")

    def _boxes(self, found: BoxFile, entry: str | int, name: str) -> FrameBoxes:
        return frame_boxes(name, found.sizes.get(entry), found.frames[entry])

    def _by_number(self, found: BoxFile, sources: Sequence[Source]) -> dict[str, FrameBoxes]:
        mine = [source for source in sources if source.is_video and Path(source.name).name == found.video]
        sources = mine if len(mine) == 1 else sources
        known = all(source.count > 0 for source in sources)
        total, last = sum(source.count for source in sources), max(map(int, found.frames))
        slack = sum(max(2, source.count // 50) for source in sources if source.is_video)
        if known and last > total + slack:
            raise ValueError(
                f"{self.path}: 'image_id' goes up to {last}, but there are {total} frames to number; say with "
                "--annotations which images the ids stand for, or give records a 'file_name'"
            )
        names = (s.frame_name(k) for s in sources for k in range(max(s.count, last) if s.is_video else 1))
        return {
            name: self._boxes(found, k, name)
            for k, name in enumerate(names, start=1)
            if k <= last and k in found.frames
        }

    def _by_path(self, found: BoxFile, sources: Sequence[Source]) -> dict[str, FrameBoxes]:
        entries = [str(entry) for entry in found.frames]
        last = max((int(m[1]) for entry in entries if (m := _FRAME.search(entry))), default=-1)
        names, paths = [], []
        for source in sources:
            if source.is_video:
                stem = os.path.abspath(source.path.with_suffix(""))
                for k in range(min(max(source.count, last + 1), source.count + last + 1000)):
                    names.append(source.frame_name(k))
                    paths.append(f"{stem}_{k:06d}.jpg")
            else:
                names.append(source.name)
                paths.append(os.path.abspath(source.path))
        matches = match_frames(entries, paths, found.suffix)
        if matches.ambiguous:
            some = ", ".join(matches.ambiguous[:3])
            self.problems.append(
                f"{self.path}: {len(matches.ambiguous)} entries fit several images, none was taken: {some}"
            )
        if matches.unmatched:
            some = ", ".join(matches.unmatched[:3])
            self.notes.append(f"{self.path}: {len(matches.unmatched)} entries belong to none of the images: {some}")
        return {names[k]: self._boxes(found, entries[entry], names[k]) for k, entry in matches.name_of.items()}

    def __call__(self, name: str, size: tuple[int, int]) -> FrameBoxes:
        """Return a frame's boxes.

        Args:
            name: The frame's name.
            size: Its (width, height).

        Raises:
            ValueError: The file's frame has another size.
        """
        known = self.by_name.get(name)
        if known is None:
            return frame_boxes(name, size, [])
        if known.size not in (None, size):
            raise ValueError(
                f"{self.path}: {name} is {known.size[0]}x{known.size[1]} there, the picture is {size[0]}x{size[1]}"
            )
        return FrameBoxes(name, size, known.boxes, known.scores, known.labels)
