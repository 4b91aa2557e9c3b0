"""ORPose-Color's lifting network as a model file: COCO joints in, root-relative 3D poses out."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from orplugins.deploy.pose import Model
from orplugins.skeletons import COCO_17
from orplugins.structures import People


class RowLifter(Model):
    """Lifts people of one frame: ``people3d = lift(people)``.

    The whole way is in the graph: ``keypoints`` (N, 17, 2), COCO's in pixels, to ``points`` (N, 17, 3), H36M-17 about
    the pelvis in metres.
    """

    def __call__(self, people: People) -> People:
        """Lift people.

        Args:
            people: COCO-17, in pixels of images such as the lifter was trained on.

        Returns:
            The same people with ``points``; NaN for those of whom a joint that the lifter reads is missing.

        Raises:
            ValueError: Another joint set.
        """
        if people.skeleton.joints != COCO_17.joints:
            raise ValueError(f"lifting: found people of {people.skeleton.name}, expected {COCO_17.name}")
        joints = np.ascontiguousarray(people.filled()[..., :2], dtype=np.float32)
        points = self.engine.run({"keypoints": joints})["points"] if len(people) else np.zeros((0, 17, 3))
        used = np.array([joint not in ("nose", "left_eye", "right_eye") for joint in COCO_17.joints])
        known = ~np.isnan(people.keypoints[:, used]).any((1, 2))
        return replace(
            people,
            points=np.where(known[:, None, None], points, np.nan),
            points_skeleton=self.metadata.points_skeleton,
            points_about="root",
            confidence=None,
        )
