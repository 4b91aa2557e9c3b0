"""A short recording of the generated room by one camera that stands still."""

import numpy as np

from orplugins.depth.png import save_depth
from orplugins.io.images import write_image
from orplugins.synthetic.render.frames import render_scene
from orplugins.synthetic.scene.motion import Clip


def write_recording(folder, frames, size, color):
    """Write some frames of a clip, a quarter of a second apart."""
    clip = Clip(7, 1, 6 * frames, people=(3, 4), views=1)
    for k in range(frames):
        frame = render_scene(clip.scene(6 * k), size, (7, k), color=color)[0]
        if color:
            write_image(folder / f"{k:04d}.png", np.ascontiguousarray(frame.color[..., ::-1]))
        else:
            save_depth(folder / f"{k:04d}.png", frame.depth_mm)
