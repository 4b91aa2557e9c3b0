r"""Which image an entry of a results file belongs to: by the longest common tail of their paths.

A frame is known by its path: two cameras' folders hold images of the same base name. ``\\`` counts as ``/``.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class FrameMatches:
    """What :func:`match_frames` found.

    Attributes:
        name_of: Index of an image -> index of the entry that names it.
        unmatched: Entries that no image belongs to.
        ambiguous: Entries that fit several images equally well, and images that several entries fit; none is matched.
    """

    name_of: dict[int, int]
    unmatched: tuple[str, ...]
    ambiguous: tuple[str, ...]

    def problems(self, source: str) -> list[str]:
        """Return one line for what is unmatched and one for what is ambiguous."""
        lines = []
        for entries, what in ((self.unmatched, "belong to none of the images"), (self.ambiguous, "are ambiguous")):
            if entries:
                more = ", ..." if len(entries) > 3 else ""
                lines.append(f"{source}: {len(entries)} entries {what}: {', '.join(entries[:3])}{more}")
        return lines


# Folders of one camera whose images belong together.
_SENSORS = {"color", "colour", "rgb", "depth", "image", "images", "img", "imgs"}


def path_parts(name: str | os.PathLike, suffix: bool = True) -> tuple[str, ...]:
    """Split a path into its parts.

    Args:
        name: A path of any system.
        suffix: Keep the last part's suffix, a point and up to five letters and digits, the first a letter.

    Returns:
        The parts, without ``.`` and a drive.
    """
    parts = [part for part in str(name).replace("\\", "/").split("/") if part not in ("", ".")]
    if parts and not suffix:
        parts[-1] = re.sub(r"\.[A-Za-z][A-Za-z0-9]{1,4}$", "", parts[-1])
    return tuple(parts)


def last_number(stem: str) -> int | None:
    """Return the number at the end of a name without suffix, None where there is none."""
    match = re.search(r"(\d{1,19})$", stem)
    return int(match[1]) if match else None


def match_frames(names: Sequence[str], images: Sequence[str | os.PathLike], suffix: bool = True) -> FrameMatches:
    """Match the entries of a results file to images.

    Where entries lie in several folders, the folders below their common one have to agree; otherwise the base name is
    enough, unless the last folders contradict each other as ``cam1`` and ``cam2`` do. Of several images the one with
    the longest common tail is taken.

    Args:
        names: Paths in the file, unique.
        images: Paths of the images.
        suffix: Whether suffixes, and folders that name a sensor, must agree (color/7.jpg and depth/7.png show the same
            to a pair of sensors).

    Returns:
        The matches.
    """
    paths = [_comparable(name, suffix) for name in names]
    files = [_comparable(os.path.abspath(image), suffix) for image in images]
    required = len(os.path.commonprefix([path[:-1] for path in paths])) if paths else 0
    by_base: dict[str, list[int]] = {}
    for k, file in enumerate(files):
        by_base.setdefault(file[-1] if file else "", []).append(k)
    best: dict[int, list[tuple[int, int]]] = {}  # image -> (length of the common tail, entry)
    unmatched: list[str] = []
    ambiguous: list[str] = []
    for n, path in enumerate(paths):
        tails = {k: _common_tail(path, files[k]) for k in by_base.get(path[-1] if path else "", [])}
        fits = {k: tail for k, tail in tails.items() if tail >= len(path) - required and _agree(path, files[k], tail)}
        top = [k for k, tail in fits.items() if tail == max(fits.values())]
        if len(top) == 1:
            best.setdefault(top[0], []).append((fits[top[0]], n))
        else:
            (ambiguous if top else unmatched).append(names[n])
    name_of = {}
    for k, entries in best.items():
        longest = [n for tail, n in entries if tail == max(entries)[0]]
        if len(longest) == 1:
            name_of[k] = longest[0]
            unmatched += [names[n] for _, n in entries if n != longest[0]]
        else:
            ambiguous += [names[n] for n in longest]
    return FrameMatches(name_of, tuple(unmatched), tuple(ambiguous))


def _comparable(name: str | os.PathLike, suffix: bool) -> tuple[str, ...]:
    parts = path_parts(name, suffix)
    return parts if suffix else tuple(part for part in parts[:-1] if part.lower() not in _SENSORS) + parts[-1:]


def _common_tail(a: tuple[str, ...], b: tuple[str, ...]) -> int:
    count = 0
    for x, y in zip(reversed(a), reversed(b), strict=False):
        if x != y:
            break
        count += 1
    return count


def _agree(path: tuple[str, ...], file: tuple[str, ...], tail: int) -> bool:
    """Whether the first folders that differ may still be the same: not if only their numbers differ."""
    if tail >= min(len(path), len(file)):
        return True
    a, b = path[-tail - 1], file[-tail - 1]
    return re.sub(r"\d+", "#", a) != re.sub(r"\d+", "#", b)
