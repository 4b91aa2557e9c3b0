"""Clothes as geometry: layers along the body's normals, and tubes lofted around trunk and legs."""

from __future__ import annotations

import numpy as np

from orplugins.synthetic.scene.geometry import CLOTH, SKIN, Mesh, loft, smooth_round, unit, vertex_normals
from orplugins.synthetic.scene.human import FOOT, FOREARM, HAND, HEAD, NECK, SHIN, THIGH, TRUNK, UPPER_ARM, Body

STYLES = ("gown", "scrubs", "apron", "long")
# How often each is worn at the table, and elsewhere.
AT_TABLE_SHARES, ELSEWHERE_SHARES = (0.5, 0.2, 0.2, 0.1), (0.2, 0.4, 0.25, 0.15)

SCRUBS = np.array(
    [
        (0.16, 0.36, 0.52),
        (0.12, 0.42, 0.38),
        (0.22, 0.48, 0.60),
        (0.10, 0.24, 0.40),
        (0.25, 0.50, 0.45),
        (0.45, 0.62, 0.70),
    ]
)
GOWNS = np.array([(0.20, 0.45, 0.62), (0.17, 0.48, 0.52), (0.33, 0.58, 0.72), (0.13, 0.38, 0.36)])
APRONS = np.array([(0.08, 0.10, 0.26), (0.30, 0.07, 0.14), (0.07, 0.20, 0.17), (0.15, 0.15, 0.18)])
SKINS = np.array([(0.87, 0.66, 0.54), (0.80, 0.58, 0.45), (0.66, 0.46, 0.34), (0.45, 0.30, 0.22), (0.92, 0.74, 0.64)])
HAIRS = np.array([(0.10, 0.07, 0.05), (0.25, 0.16, 0.09), (0.45, 0.33, 0.20), (0.35, 0.34, 0.33)])
GLOVES = np.array([(0.85, 0.83, 0.76), (0.55, 0.70, 0.85), (0.80, 0.80, 0.82)])
CAPS = np.array([(0.30, 0.55, 0.70), (0.20, 0.45, 0.42), (0.55, 0.68, 0.78), (0.75, 0.80, 0.84)])

_SCRUB_LOOSE = {TRUNK: 0.012, THIGH: 0.014, UPPER_ARM: 0.012, SHIN: 0.016}


def dress(mesh: Mesh, body: Body, instance: int, rng: np.random.Generator, style: str, street: bool = False) -> None:
    """Add a person with clothes to a mesh.

    Args:
        mesh: Changed in place.
        body: The person.
        instance: Number of the person in the mesh.
        rng: Source of all randomness.
        style: One of STYLES, "plain" (scrubs without a tube, for people who sit), or "patient".
        street: In any colours, and mostly without cap and mask, thick or tight.
    """
    model = body.shape.model
    region, up, behind = model.regions, model.head_height, model.head_depth
    head = region == HEAD
    skin = SKINS[rng.integers(len(SKINS))] * rng.uniform(0.92, 1.06)
    cloth = SCRUBS[rng.integers(len(SCRUBS))] * rng.uniform(0.85, 1.15)
    cap = CAPS[rng.integers(len(CAPS))]
    hair = HAIRS[rng.integers(len(HAIRS))]
    glove = GLOVES[rng.integers(len(GLOVES))]
    gown = GOWNS[rng.integers(len(GOWNS))] * rng.uniform(0.9, 1.1)
    apron = APRONS[rng.integers(len(APRONS))]
    choice, hem, loose = rng.random(3), rng.uniform(0, 1), rng.uniform(0.012, 0.02)
    capped, masked, gloved = choice[0] < 0.93, choice[1] < 0.85, style == "gown" or choice[2] < 0.5

    thickness = 1.0
    if street:
        cloth, gown, apron, hair, cap, glove = rng.uniform(0.03, 0.97, (6, 3))
        capped, masked, gloved = rng.random(3) < (0.3, 0.3, 0.3)
        thickness = rng.uniform(0.3, 2.5)
    offset = np.full(model.num_vertices, 0.0)
    colour = np.tile(skin, (model.num_vertices, 1))

    def wear(where: np.ndarray, thick: float, tint: np.ndarray) -> None:
        offset[where], colour[where] = thick, tint

    if style == "patient":
        wear(np.isin(region, (TRUNK, THIGH, UPPER_ARM)), 0.008, np.array([0.86, 0.88, 0.9]))
        wear(head & ((up > 0.6) | ((behind > 0.005) & (up > 0.05))), 0.016, cap if choice[0] < 0.7 else hair)
    else:
        for part, thick in _SCRUB_LOOSE.items():
            wear(region == part, thick * thickness, cloth)
        if street:  # trousers of another colour than the shirt, bare or long arms
            wear(np.isin(region, (THIGH, SHIN)), 0.014 * thickness, gown)
            wear(region == FOREARM, 0.01 * thickness * (choice[2] < 0.6), cloth if choice[2] < 0.6 else skin)
        wear(region == FOOT, 0.012, np.array([0.2, 0.22, 0.25]) if hem < 0.5 else np.array([0.85, 0.87, 0.88]))
        if style in ("gown", "long"):
            tint = gown if style == "gown" else cloth * 0.95
            wear(np.isin(region, (TRUNK, UPPER_ARM, FOREARM)), loose + 0.006, tint)
        if gloved:
            wear(region == HAND, 0.003, glove)
        cover = (up > 0.5) | ((behind > 0.005) & (up > 0.02))
        wear(head & cover, 0.022 if capped else 0.014, cap if capped else hair)
        if masked:
            wear(head & (up < 0.27) & (behind < -0.035), 0.008, np.array([0.72, 0.85, 0.9]))
            if capped and choice[0] < 0.4:  # a hood: the neck is covered as well
                wear(region == NECK, 0.01, cap)
    normals = vertex_normals(body.vertices, model.faces)
    bare = np.isin(region, (HEAD, HAND, NECK))[model.faces].all(1)
    mesh.add((body.vertices + normals * offset[:, None], model.faces), colour, np.where(bare, SKIN, CLOTH), instance)

    tall = body.shape.stature
    if style == "gown":
        mesh.add(_tube(body, 0.16 + 0.14 * hem, loose + 0.014, chest=True), gown * 0.98, CLOTH, instance)
    elif style == "apron":
        mesh.add(_tube(body, 0.27 + 0.06 * hem, loose + 0.018, chest=True), apron, CLOTH, instance)
    elif style == "long":
        mesh.add(_tube(body, (0.34 + 0.07 * hem) * tall, loose + 0.01, chest=False), cloth * 0.95, CLOTH, instance)
    elif style == "scrubs":
        mesh.add(_tube(body, (0.44 + 0.04 * hem) * tall, loose + 0.006, chest=False), cloth, CLOTH, instance)


def _tube(body: Body, hem: float, slack: float, chest: bool, sides: int = 36) -> tuple[np.ndarray, np.ndarray]:
    """Cloth around trunk and legs, from the chest (or the waist) down to `hem` metres above the floor."""
    region = body.shape.model.regions
    legs = body.vertices[np.isin(region, (THIGH, SHIN))]
    inner = body.vertices[np.isin(region, (TRUNK, THIGH, SHIN))]
    pelvis, waist = body.bone("root"), body.bone("spine04")
    top = body.bone("spine01") + 0.45 * (body.bone("neck01") - body.bone("spine01"))
    shins = legs[legs[:, 2] < legs[:, 2].min() + 0.35]
    low = np.array([*(0.5 * shins[:, :2].mean(0) + 0.5 * pelvis[:2]), hem])
    if chest:
        stops, steps = [top, waist, pelvis - (0, 0, 0.05), low], [6, 4, 12]
    else:
        stops, steps = [0.5 * (waist + pelvis), pelvis - (0, 0, 0.03), low], [4, 12]
    points = [a + (b - a) * i / n for a, b, n in zip(stops[:-1], stops[1:], steps, strict=True) for i in range(n)]
    centres = np.array([*points, low])
    along = unit(np.gradient(centres, axis=0))
    for _ in range(3):  # soften the kinks, ends kept
        along[1:-1] = 0.25 * along[:-2] + 0.5 * along[1:-1] + 0.25 * along[2:]
    along = unit(along)
    left = body.axes[:, 0]
    across = unit(left - along * (along @ left)[:, None])
    forward = np.cross(along, across)

    # The support function of the slice of the body around each centre; slices are wide, since the mesh is coarse.
    angle = np.linspace(0, 2 * np.pi, sides, endpoint=False)
    ring = np.stack([np.cos(angle), np.sin(angle)])
    radii = np.full((len(centres), sides), 0.15)
    for i, centre in enumerate(centres):
        offset = inner - centre
        height = offset @ along[i]
        flat = offset - height[:, None] * along[i]
        near = (np.abs(height) < 0.085) & ((flat * flat).sum(1) < 0.42**2)
        if near.sum() >= 8:
            radii[i] = np.maximum((np.stack([flat[near] @ across[i], flat[near] @ forward[i]], 1) @ ring).max(0), 0.05)
        elif i:
            radii[i] = radii[i - 1]
    radii = smooth_round(radii, 2, axis=1)
    # A bent or striding body would make the support function flare out.
    radii = np.minimum(np.minimum(radii, np.median(radii, axis=1, keepdims=True) * 1.35), 0.36)
    hips = sum(steps[:-1])
    for i in range(hips + 1, len(radii)):  # below the hips cloth hangs: it narrows only slowly
        radii[i] = np.maximum(radii[i], radii[i - 1] * 0.985)
    fold = 0.01 * np.sin(6 * angle + 5 * hem) * np.linspace(0, 1, len(radii))[:, None] ** 2
    return loft(centres, radii + slack + fold, across, forward)
