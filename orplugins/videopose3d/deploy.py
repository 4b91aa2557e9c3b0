"""VideoPose3D as model files: a person's 2D joints over time in, 3D out, with NumPy and an engine."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np

from orplugins.deploy.engines import Engine
from orplugins.deploy.metadata import Metadata
from orplugins.deploy.pose import Model
from orplugins.videopose3d.screen import to_screen
from orplugins.videopose3d.sequence import StreamingLifter, lift_sequence, mirror

OUTPUTS = ("pose", "trajectory")


class ClipLifter(Model):
    """Lifts whole clips: ``lifted = lift(keypoints, size)``.

    The metadata's ``codec``: ``field``, frames that an output has seen, ``causal``, ``outputs``, those of `OUTPUTS`
    that there are. The graph takes ``keypoints`` (B, T, K, 2) in screen units and gives (B, T - field + 1, J, 3).

    Args:
        engine: Runs the network.
        metadata: What the file says of itself.
    """

    def __init__(self, engine: Engine, metadata: Metadata):
        super().__init__(engine, metadata)
        codec = metadata.codec
        self.field, self.causal, self.outputs = int(codec["field"]), bool(codec["causal"]), tuple(codec["outputs"])

    def __call__(
        self, keypoints: np.ndarray, size: Sequence[int], flip: bool = True, **options
    ) -> dict[str, np.ndarray]:
        """Lift a clip of one person.

        Args:
            keypoints: (F, K, 2) pixels, without gaps.
            size: (width, height) of the video.
            flip: Average with the mirrored clip.
            **options: ``fps`` and ``resample_hz`` of `orplugins.videopose3d.sequence.lift_sequence`.

        Returns:
            ``pose`` (F, J, 3) about the pelvis and, with a trajectory network, ``trajectory`` (F, 1, 3), metres.

        Raises:
            ValueError: Another number of joints; else as `lift_sequence`.
        """
        keypoints = np.asarray(keypoints)
        if keypoints.ndim != 3 or keypoints.shape[1:] != (self.skeleton.num_joints, 2) or not len(keypoints):
            raise ValueError(
                f"lifting: found keypoints {keypoints.shape}, expected (F, {self.skeleton.num_joints}, 2), F above 0"
            )
        lift = partial(lift_sequence, keypoints=keypoints, size=(size[0], size[1]), field=self.field)
        return {
            name: lift(partial(self._run, name), causal=self.causal, flip=self._flip(flip, name), **options)
            for name in self.outputs
        }

    def stream(self, size: Sequence[int] | None = None, flip: bool = False) -> StreamingLifter:
        """Lift frame by frame with a window of all frames that an output sees (causal networks only).

        A file that was exported with a state does the same with a fraction of the work: `LiveLifter`.

        Raises:
            ValueError: The network is not causal.
        """
        if not self.causal:
            raise ValueError(f"{self.path}: a symmetric network waits for later frames, expected a causal one")
        size = None if size is None else (size[0], size[1])
        return StreamingLifter(partial(self._run, "pose"), self.field, size, self._flip(flip, "pose"))

    def _run(self, name: str, windows: np.ndarray) -> np.ndarray:
        return self.engine.run({"keypoints": np.ascontiguousarray(windows, dtype=np.float32)})[name]

    def _flip(self, flip: bool, name: str):
        return (self.skeleton, self.metadata.points_skeleton if name == "pose" else None) if flip else None


class LiveLifter(Model):
    """Lifts frame by frame with a state: ``person = lift.person(size)``, then ``person.push(keypoints)``.

    The graph takes ``keypoints`` (B, K, 2) in screen units, ``start`` (B,), true where a clip begins, and ``state_0``,
    ``state_1``, ... of the layers, and gives ``pose`` (B, J, 3) and ``next_0``, ...: a frame costs one frame's work.
    """

    def person(self, size: Sequence[int] | None = None, flip: bool = False) -> LivePerson:
        """Begin a clip.

        Args:
            size: (width, height) of the video; None: `LivePerson.push` takes screen units.
            flip: Average with the mirrored frames.
        """
        return LivePerson(self, None if size is None else (size[0], size[1]), flip)


class LivePerson:
    """One person of a `LiveLifter`; equals the causal dense pass over the frames so far.

    Args:
        lifter: Runs the network.
        size: (width, height) of the video; None: screen units.
        flip: Average with the mirrored frames.
    """

    def __init__(self, lifter: LiveLifter, size: tuple[int, int] | None, flip: bool):
        self.lifter, self.size, self.flip = lifter, size, flip
        self.reset()

    def reset(self) -> None:
        """Forget the clip."""
        rows, shapes = 1 + self.flip, self.lifter.engine.inputs
        self._start = np.ones(rows, dtype=bool)
        self._states = {
            name: np.zeros((rows, *(side or 0 for side in shape[1:])), dtype=np.float32)
            for name, shape in shapes.items()
            if name.startswith("state_")
        }

    def push(self, keypoints: np.ndarray) -> np.ndarray:
        """Lift the newest frame.

        Args:
            keypoints: (K, 2) pixels, or screen units.

        Returns:
            (J, 3) metres about the pelvis.

        Raises:
            ValueError: Another number of joints, NaN or infinity.
        """
        frame, joints = np.asarray(keypoints, dtype=np.float32), self.lifter.skeleton.num_joints
        if frame.shape != (joints, 2) or not np.isfinite(frame).all():
            raise ValueError(f"lifting: found joints {frame.shape} or NaN, expected finite ({joints}, 2)")
        frame = frame if self.size is None else to_screen(frame, self.size)
        rows = np.stack([frame, mirror(frame, self.lifter.skeleton)]) if self.flip else frame[None]
        out = self.lifter.engine.run({"keypoints": rows, "start": self._start, **self._states})
        self._start[:] = False
        self._states = {name: out[name.replace("state_", "next_")] for name in self._states}
        if not self.flip:
            return out["pose"][0]
        return (out["pose"][0] + mirror(out["pose"][1], self.lifter.metadata.points_skeleton)) / 2
