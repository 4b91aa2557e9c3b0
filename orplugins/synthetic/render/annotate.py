"""Ground truth of one view: 2D joints with their visibility, boxes, and the joint sets of other data sets in 3D."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from orplugins.geometry.cameras import Camera
from orplugins.skeletons import CAMMA_10, COCO_17, H36M_17, ITOP_15
from orplugins.synthetic.render.raster import Caster
from orplugins.synthetic.scene.human import Body
from orplugins.synthetic.scene.people import Person
from orplugins.synthetic.scene.scene import Scene

JOINT_SETS = (COCO_17, CAMMA_10, H36M_17, ITOP_15)

# How far the surface may lie in front of each COCO joint, metres, for the joint to count as seen: its depth inside its
# own clothed body part. More than that is another part of the body.
COVER = np.array([0.05, 0.05, 0.05, 0.07, 0.07, 0.15, 0.15, 0.12, 0.12, 0.1, 0.1, 0.24, 0.24, 0.22, 0.22, 0.15, 0.15])

# A person of whom less than this part of the side towards the camera is seen, or fewer pixels (of an image of
# 640x480), is not annotated in that image.
LEAST_VISIBLE, LEAST_PIXELS = 0.1, 150

# MVOR's hip joints lie higher and further apart than COCO's: metres to the side and up the spine from between the hips.
# Derived from the distances between MVOR's 3D annotations (hips 319 mm apart, 411 mm below the shoulders).
_MVOR_HIP_SIDE, _MVOR_HIP_UP = 0.16, 0.12


# The same for the other joint sets, by what their joints are; the rest takes COCO's.
_COVER_OF = {
    "head": 0.14,
    "neck": 0.16,
    "thorax": 0.16,
    "neck_base": 0.05,
    "spine": 0.24,
    "torso": 0.24,
    "pelvis": 0.3,
    "left_hand": 0.08,
    "right_hand": 0.08,
    "left_foot": 0.15,
    "right_foot": 0.15,
}


@dataclass(frozen=True, eq=False)
class View:
    """The N annotated people of an image.

    Attributes:
        keypoints: For each joint set of JOINT_SETS (N, J, 3): x, y in pixels and 2 seen, 1 hidden, 0 outside the image
            or under the drape (then x = y = 0).
        points: Likewise (N, J, 3) in the room, metres, also of joints with 0.
        hands: (N, 2, 3) left, right, metres.
        bboxes: (N, 4) x, y, width, height of what is seen.
        full_bboxes: Of the whole outline, cut at the border.
        person_ids: (N,), the same in each view.
        areas: (N,) pixels seen.
    """

    keypoints: dict[str, np.ndarray]
    points: dict[str, np.ndarray]
    hands: np.ndarray
    bboxes: np.ndarray
    full_bboxes: np.ndarray
    person_ids: np.ndarray
    areas: np.ndarray


def annotate(
    scene: Scene,
    camera: Camera,
    caster: Caster,
    depth: np.ndarray,
    instances: np.ndarray,
    hips: str = "coco",
    lost: np.ndarray | None = None,
) -> View:
    """Annotate an image.

    Args:
        scene: What it shows.
        camera: Its camera.
        caster: Of the scene's mesh.
        depth: (H, W) exact depth, metres.
        instances: (H, W) 0 = room, 1.. = person.
        hips: "coco" gives CAMMA joints by MVOR's own rule for COCO predictions; "mvor" puts head, neck and hips where
            MVOR's annotators did.
        lost: (H, W) bool, pixels that the sensor did not measure: a person of whom it measured less than the part
            `LEAST_VISIBLE` is not annotated.

    Returns:
        The people of whom enough is seen.
    """
    pixels = np.bincount(instances.ravel(), minlength=len(scene.people) + 1)
    least = LEAST_PIXELS * depth.size / (640 * 480)
    people = [
        p for p in scene.people if pixels[p.id] >= least and _seen(p.body.vertices, camera, depth) >= LEAST_VISIBLE
    ]
    if lost is not None:
        measured = np.bincount(instances[~lost], minlength=len(scene.people) + 1)
        people = [p for p in people if measured[p.id] >= LEAST_VISIBLE * pixels[p.id]]
    ids = np.array([p.id for p in people], dtype=np.int64)
    points, covers, sizes = {}, [], []
    for skeleton in JOINT_SETS:
        joints = [body_joints(p.body, skeleton.name, hips) for p in people]
        points[skeleton.name] = np.array(joints).reshape(-1, skeleton.num_joints, 3)
        covers += [_COVER_OF[n] if n in _COVER_OF else COVER[COCO_17.index(n)] for n in skeleton.joints]
        sizes.append(skeleton.num_joints)
    together = np.concatenate(list(points.values()), axis=1)
    covered = np.array([_covered(scene, p, q) for p, q in zip(people, together, strict=True)], dtype=bool)
    covered = covered.reshape(-1, sum(sizes))
    seen = _visibility(scene, camera, caster, together, np.array(covers), ids, covered)
    keypoints = dict(zip(points, np.split(seen, np.cumsum(sizes)[:-1], axis=1), strict=True))
    return View(
        keypoints=keypoints,
        points=points,
        hands=np.array([p.body.hands for p in people]).reshape(-1, 2, 3),
        bboxes=np.array([_box(instances == i) for i in ids]).reshape(-1, 4),
        full_bboxes=np.array(
            [_outline(scene.vertices[scene.person_vertices[i]], camera) for i in ids.tolist()]
        ).reshape(-1, 4),
        person_ids=ids,
        areas=pixels[ids],
    )


def body_joints(body: Body, name: str, hips: str = "coco") -> np.ndarray:
    """Joints of a body in the room, in the order of a joint set.

    Args:
        body: The body.
        name: Of the joint set.
        hips: See `annotate`.

    Returns:
        (J, 3) metres.
    """
    if name == CAMMA_10.name:
        return camma_joints(body, hips)
    return {COCO_17.name: lambda b: b.joints, H36M_17.name: h36m_joints, ITOP_15.name: itop_joints}[name](body)


def camma_joints(body: Body, hips: str) -> np.ndarray:
    """CAMMA-10: head, neck, then left and right shoulder, hip, elbow, wrist.

    Args:
        body: The body.
        hips: See `annotate`.

    Returns:
        (10, 3) metres.
    """
    j = body.joints
    head, neck, left_hip, right_hip = j[1:3].mean(0), j[5:7].mean(0), j[11], j[12]
    if hips == "mvor":
        head, neck = j[3:5].mean(0), body.bone("neck01")
        middle = (j[11] + j[12]) / 2
        spine = body.bone("neck01") - middle
        left = j[11] - j[12]
        raised = middle + _MVOR_HIP_UP * spine / np.linalg.norm(spine)
        side = _MVOR_HIP_SIDE * left / np.linalg.norm(left)
        left_hip, right_hip = raised + side, raised - side
    return np.stack([head, neck, j[5], j[6], left_hip, right_hip, j[7], j[8], j[9], j[10]])


def h36m_joints(body: Body) -> np.ndarray:
    """Joints in the order of `orplugins.skeletons.H36M_17`.

    Args:
        body: The body.

    Returns:
        (17, 3) metres.
    """
    j = body.joints
    return np.stack(
        [
            (j[11] + j[12]) / 2,
            j[12],
            j[14],
            j[16],
            j[11],
            j[13],
            j[15],
            body.bone("spine03"),
            body.bone("neck01"),
            j[0],
            body.crown,
            j[5],
            j[7],
            j[9],
            j[6],
            j[8],
            j[10],
        ]
    )


def itop_joints(body: Body) -> np.ndarray:
    """Joints in the order of `orplugins.skeletons.ITOP_15`.

    Args:
        body: The body.

    Returns:
        (15, 3) metres.
    """
    j = body.joints
    left, right = body.hands
    head = (j[3] + j[4]) / 2
    return np.stack(
        [
            head,
            body.bone("neck01"),
            j[6],
            j[5],
            j[8],
            j[7],
            right,
            left,
            body.bone("spine03"),
            j[12],
            j[11],
            j[14],
            j[13],
            j[16],
            j[15],
        ]
    )


def _covered(scene: Scene, person: Person, joints: np.ndarray) -> np.ndarray:
    """(J,) which joints of a patient lie under the drape: no annotator could place them."""
    if person.role != "patient" or scene.room.drape is None:
        return np.zeros(len(joints), bool)
    return scene.room.drape.covers(scene.room.to_table(joints))


def _visibility(scene, camera, caster, joints, cover, ids, covered) -> np.ndarray:
    """(N, J, 3) pixels and visibility of joints (N, J, 3) in the room."""
    width, height = camera.size
    pixels, z = camera.project(joints)
    inside = (z > 0.1) & (pixels >= -0.5).all(-1) & (pixels[..., 0] < width - 0.5) & (pixels[..., 1] < height - 0.5)
    surface, face = np.zeros(z.shape), np.full(z.shape, -1)
    if inside.any():
        surface[inside], face[inside] = caster.at(camera, pixels[inside])
    owner = np.where(face >= 0, scene.instances[np.maximum(face, 0)], -1)
    seen = (owner == ids[:, None]) & (z - surface < cover)
    v = np.where(inside & ~covered, np.where(seen, 2, 1), 0)
    # A joint exactly at (0, 0) would read as missing; none is nearer to it than the first pixel's corner.
    pixels = np.where((pixels == 0).all(-1, keepdims=True), 1e-3, pixels)
    return np.where(v[..., None] > 0, np.concatenate([pixels, v[..., None]], -1), 0.0)


def _seen(vertices: np.ndarray, camera: Camera, depth: np.ndarray) -> float:
    """Part of a body's side towards the camera that the image shows."""
    pixels, z = camera.project(vertices)
    column, row = np.rint(pixels[..., 0]), np.rint(pixels[..., 1])
    inside = (z > 0.1) & (column >= 0) & (column < depth.shape[1]) & (row >= 0) & (row < depth.shape[0])
    surface = depth[row[inside].astype(int), column[inside].astype(int)]
    return 2 * float((surface > z[inside] - 0.06).sum()) / len(vertices)


def _box(mask: np.ndarray) -> list[float]:
    rows, columns = np.nonzero(mask.any(1))[0], np.nonzero(mask.any(0))[0]
    return [columns[0], rows[0], columns[-1] + 1 - columns[0], rows[-1] + 1 - rows[0]]


def _outline(vertices: np.ndarray, camera: Camera) -> list[float]:
    pixels, z = camera.project(vertices)
    # A box reaches from a pixel's left edge to another's right edge; pixels are counted by their centres.
    corners = np.clip(pixels[z > 0.1] + 0.5, 0, camera.size)
    low, high = corners.min(0), corners.max(0)
    return [*low, *(high - low)]
