"""Joints of a file as joints of a network, by name."""

from __future__ import annotations

import difflib
from collections.abc import Sequence

from orplugins.skeletons import SKELETONS


def plain(name: object) -> str:
    """A joint's name as the joint sets write it: ``Left Shoulder`` and ``left-shoulder`` are ``left_shoulder``.

    Args:
        name: The name in a file.

    Returns:
        Lower case, with underscores.
    """
    return str(name).strip().lower().replace(" ", "_").replace("-", "_")


def places_of(names: Sequence[object], joints: Sequence[str], where: str) -> tuple[list[int | None], list[str]]:
    """Find each joint of a network in a file's list.

    Args:
        names: Names of the file's joints, in its order.
        joints: Names of the network's joints, in its order.
        where: File and field, for errors.

    Returns:
        For each of the network's joints its place in the file's list, None where the file has no such joint; and names
        of joints of other joint sets that the network does not have.

    Raises:
        ValueError: A name that is no joint of any joint set, one that occurs twice, or none that the network has.
    """
    found = [plain(name) for name in names]
    twice = sorted({name for name in found if found.count(name) > 1})
    if twice:
        raise ValueError(f"{where}: {', '.join(twice)} occur twice, expected each joint once")
    everything = {joint for skeleton in SKELETONS.values() for joint in skeleton.joints} | set(joints)
    for given, name in zip(names, found, strict=True):
        if name not in everything:
            close = difflib.get_close_matches(name, sorted(joints), 1)
            likely = f" (perhaps {close[0]})" if close else ""
            raise ValueError(f"{where}: {given!r} is no known joint{likely}, expected some of {', '.join(joints)}")
    if not set(found) & set(joints):
        raise ValueError(f"{where}: found {', '.join(found)}, expected some of the network's: {', '.join(joints)}")
    places = [found.index(joint) if joint in found else None for joint in joints]
    return places, [name for name in found if name not in joints]
