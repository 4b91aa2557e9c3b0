"""People who stand in a room, and what cameras on its walls see of them: poses and boxes."""

import numpy as np

from orplugins.multiview.cross_view import Seen
from orplugins.synthetic.motion_points import look_at

# CAMMA-10 of somebody who faces x, metres from the middle between the feet, and the soles and the top of the head.
BODY = np.array(
    [[0.05, 0, 1.58], [0, 0, 1.47], [0, 0.18, 1.42], [0, -0.18, 1.42], [0, 0.1, 0.95], [0, -0.1, 0.95],
     [0.08, 0.24, 1.15], [0.08, -0.24, 1.15], [0.3, 0.2, 1.1], [0.3, -0.2, 1.1]])  # fmt: skip
OUTLINE = np.array([[0.0, s * 0.24, z] for s in (-1, 1) for z in (0.0, 0.8, 1.4)] + [[0, 0, 1.7]])
PLACES = ((-2.2, 0.3, 2.4), (2.0, 0.1, 2.6), (-0.3, 2.9, 2.5))


def room_cameras(count=3, size=(640, 480)):
    """Cameras on the walls that look at the middle of the room, floor at z = 0."""
    places = [*PLACES, (0.2, -2.6, 2.5)]
    return [look_at(place, (0.0, 0.3, 1.0), size=size) for place in places[:count]]


def stand(rng, people):
    """(N, 17, 3): the joints and outlines of people at least 0.8 m apart."""
    spots = np.zeros((0, 2))
    while len(spots) < people:
        spot = rng.uniform((-1.2, -0.9), (1.2, 1.3))
        if not len(spots) or np.linalg.norm(spots - spot, axis=1).min() > 0.8:
            spots = np.concatenate([spots, spot[None]])
    shape = np.concatenate([BODY, OUTLINE])
    out = []
    for spot in spots:
        angle = rng.uniform(0, 2 * np.pi)
        turn = np.array([[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]])
        out.append(shape * rng.normal(1, 0.03) @ turn.T + (*spot, 0))
    return np.array(out).reshape(-1, len(shape), 3)


def see(camera, people, rng, noise_px=2.0, boxes_only=()):
    """`Seen` by a camera, with the numbers of the people; those of ``boxes_only`` have no pose."""
    boxes, poses, names = [], [], []
    for number, points in enumerate(people):
        pixels, depth = camera.project(points)
        inside = ((pixels >= 0) & (pixels <= np.array(camera.size) - 1)).all(-1) & (depth > 0.3)
        if inside[:10].sum() < 8:
            continue
        pixels = pixels + rng.normal(0, noise_px, pixels.shape)
        low, high = (np.clip(f(pixels, axis=0), 0, np.array(camera.size) - 1) for f in (np.min, np.max))
        boxes.append([*low, *(high - low)])
        pose = np.concatenate([pixels[:10], np.ones((10, 1))], 1) * inside[:10, None]
        poses.append(pose * (number not in boxes_only))
        names.append(number)
    order = rng.permutation(len(boxes))
    return (
        Seen(np.array(boxes).reshape(-1, 4)[order], np.array(poses).reshape(-1, 10, 3)[order]),
        np.array(names, dtype=int)[order],
    )


def moments(rng, cameras, count, people, boxes_only=(), noise_px=2.0):
    """Moments of ``people`` each, and their names by view."""
    both = [[see(camera, crowd, rng, noise_px, boxes_only) for camera in cameras]
            for crowd in (stand(rng, people) for _ in range(count))]  # fmt: skip
    return [[view[0] for view in views] for views in both], [[view[1] for view in views] for views in both]


def right_and_all(who, names):
    """Right pairs, pairs, and pairs that could be found."""
    right = total = possible = 0
    for found, views in zip(who, names, strict=True):
        for members in found.people:
            for k, (a, i) in enumerate(members):
                for b, j in members[k + 1 :]:
                    total += 1
                    right += views[a][i] == views[b][j]
        for a in range(len(views)):
            for b in range(a + 1, len(views)):
                possible += len(np.intersect1d(views[a], views[b]))
    return right, total, possible
