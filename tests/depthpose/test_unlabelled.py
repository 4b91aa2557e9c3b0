"""Which cells of the target maps count where not everything is labelled."""

import numpy as np

from orplugins.depthpose.paf.layout import PAF_LIMBS
from orplugins.depthpose.paf.unlabelled import labelled_masks
from orplugins.skeletons import COCO_17, OPENPOSE_18

GRID = (20, 10)
BOX = np.array([[2.0, 2.0, 8.0, 7.0]])
EMPTY = np.zeros((19, 10, 20), np.float32)
ALL = np.ones(17, bool)


def touching(joint: str) -> list[int]:
    return [k for k, limb in enumerate(PAF_LIMBS) if OPENPOSE_18.index(joint) in limb]


def test_everything_labelled_everything_counts():
    heat, fields = labelled_masks(BOX, np.ones((1, 17)), ALL, GRID, EMPTY)
    assert heat.shape == (19, 10, 20) and fields.shape == (38, 10, 20) and (heat == 1).all() and (fields == 1).all()
    heat, fields = labelled_masks(np.zeros((0, 4)), np.zeros((0, 17)), ALL, GRID, EMPTY)
    assert (heat == 1).all() and (fields == 1).all()


def test_a_joint_that_nobody_labelled_of_a_person_does_not_count_in_the_box():
    visible = np.ones((1, 17))
    visible[0, COCO_17.index("left_wrist")] = 0
    heat, fields = labelled_masks(BOX, visible, ALL, GRID, EMPTY)
    wrist = OPENPOSE_18.index("left_wrist")
    assert not heat[wrist, 3:7, 3:8].any() and heat[wrist, :, 10:].all() and heat[wrist, :1].all()
    assert not heat[18, 3:7, 3:8].any() and heat[18, :, 10:].all()
    assert np.delete(heat, [wrist, 18], axis=0).all()
    limbs = touching("left_wrist")
    channels = [c for k in limbs for c in (2 * k, 2 * k + 1)]
    assert limbs and not fields[channels, 3:7, 3:8].any() and np.delete(fields, channels, axis=0).all()


def test_a_box_without_joints_says_nothing():
    heat, fields = labelled_masks(BOX, np.zeros((1, 17)), ALL, GRID, EMPTY)
    assert not heat[:, 3:7, 3:8].any() and not fields[:, 3:7, 3:8].any() and heat[:, :, 10:].all()


def test_joints_that_the_file_lacks_count_nowhere():
    known = ALL.copy()
    known[[0, COCO_17.index("left_shoulder")]] = False
    heat, fields = labelled_masks(BOX, known[None], known, GRID, EMPTY)
    for joint in ("nose", "left_shoulder", "neck"):  # the neck lies between the shoulders
        assert not heat[OPENPOSE_18.index(joint)].any()
        assert not any(fields[2 * k].any() or fields[2 * k + 1].any() for k in touching(joint))
    assert heat[OPENPOSE_18.index("right_wrist")].all() and heat[18, :, 10:].all()


def test_another_person_s_label_counts_in_the_box():
    target = EMPTY.copy()
    wrist = OPENPOSE_18.index("left_wrist")
    target[wrist, 4, 4] = 1
    visible = np.zeros((2, 17))
    visible[1] = 1
    heat, _ = labelled_masks(np.concatenate([BOX, BOX]), visible, ALL, GRID, target)
    assert heat[wrist, 4, 4] == 1 and heat[wrist, 4, 6] == 0
