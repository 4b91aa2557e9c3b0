"""Recordings cut into spans, the tasks of an archive's run."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from orplugins.io.frames import Source, find_sources, outside


@dataclass(frozen=True)
class Span:
    """A part of a video, or some pictures of a folder.

    Attributes:
        key: What names it in the manifest; the same from run to run.
        paths: The video, or the pictures; absolute, because a worker may have another folder.
        names: Of the frames' sources in results, one a path.
        first: Number of a video's first frame; None for pictures.
        stop: Number of the first frame that is not in it; None: to the end.
        signature: Tells the files from others, or from those before they were changed.
    """

    key: str
    paths: tuple[str, ...]
    names: tuple[str, ...]
    first: int | None
    stop: int | None
    signature: str

    @property
    def is_video(self) -> bool:
        """Whether it is a part of a video."""
        return self.first is not None

    def to_record(self) -> dict:
        """As values that any engine carries."""
        return asdict(self)

    @classmethod
    def of_record(cls, record: dict) -> Span:
        """The span of `to_record`."""
        lists = {name: tuple(record[name]) for name in ("paths", "names")}
        return cls(**{**record, **lists})


def plan_spans(
    inputs: Sequence[str | os.PathLike],
    seconds: float = 600.0,
    pictures: int = 2000,
    root: str | os.PathLike | None = None,
    out: str | os.PathLike | None = None,
) -> tuple[list[Span], list[str]]:
    """Cut recordings into spans. Only headers of videos are read.

    Args:
        inputs: Videos, folders of pictures or of videos with all below them, patterns.
        seconds: Of a video in a span. A worker decodes what lies before its span, too, so that longer spans cost less.
        pictures: Of a folder in a span.
        root: Folder that names in the results are relative to; None: names are absolute paths.
        out: Folder whose files are no recordings: that of the results.

    Returns:
        Spans, and one line for each input that is unusable.

    Raises:
        ValueError: No length, or a file is given twice, or lies outside the root.
    """
    if not seconds > 0 or pictures < 1:
        raise ValueError(f"span: found {seconds} seconds and {pictures} pictures, expected more than 0")
    sources, problems = find_sources(_with_videos(inputs), below=True)
    if out is not None:
        sources = outside(sources, out)
    spans: list[Span] = []
    folders: dict[Path, list[Source]] = {}
    for source in sources:
        if source.is_video:
            spans += _of_video(source, seconds, root)
        else:
            folders.setdefault(Path(os.path.abspath(source.path)).parent, []).append(source)
    for folder, members in folders.items():
        for start in range(0, len(members), pictures):
            part = members[start : start + pictures]
            paths = tuple(os.path.abspath(source.path) for source in part)
            names = tuple(_name(path, root) for path in paths)
            key = f"{_name(str(folder), root)}[{start}:{start + len(part)}]"
            spans.append(Span(key, paths, names, None, None, _signature(part)))
    return spans, problems


def _with_videos(inputs: Sequence[str | os.PathLike]) -> list[str | os.PathLike]:
    """The inputs, and the videos of those that are folders."""
    from orplugins.io.images import natural_key
    from orplugins.io.video import VIDEO_SUFFIXES

    found: list[str | os.PathLike] = []
    for entry in inputs:
        videos = []
        if Path(entry).is_dir():
            every = sorted(Path(entry).rglob("*"), key=natural_key)
            videos = [path for path in every if path.suffix.lower() in VIDEO_SUFFIXES and path.is_file()]
            has_pictures = any(_is_picture(path) for path in every)
            found += [entry] if has_pictures or not videos else []
            found += videos
        else:
            found.append(entry)
    return found


def _is_picture(path: Path) -> bool:
    from orplugins.io.images import IMAGE_SUFFIXES

    return path.suffix.lower() in IMAGE_SUFFIXES


def _of_video(source: Source, seconds: float, root: str | os.PathLike | None) -> list[Span]:
    path, fps = os.path.abspath(source.path), source.fps or 1.0
    length, name, signature = max(1, round(seconds * fps)), _name(path, root), _signature([source])
    starts = list(range(0, max(source.count, 1), length))
    if len(starts) > 1 and source.count - starts[-1] < length / 2:
        starts.pop()  # no span of a few frames
    ends: list[int | None] = [*starts[1:], None]  # the last one to the end, whatever the header says
    return [
        Span(f"{name}[{first}:{'' if stop is None else stop}]", (path,), (name,), first, stop, signature)
        for first, stop in zip(starts, ends, strict=True)
    ]


def _name(path: str, root: str | os.PathLike | None) -> str:
    if root is None:
        return Path(path).as_posix()
    try:
        return Path(path).relative_to(os.path.abspath(root)).as_posix()
    except ValueError:
        raise ValueError(f"{path}: does not lie below the root {root}") from None


def _signature(sources: Sequence[Source]) -> str:
    import hashlib

    return hashlib.sha256(repr([source.signature() for source in sources]).encode()).hexdigest()[:16]
