"""The people of the clip as several systems record them, against the truth, on one clock."""

from orplugins.motion.pipeline import SetSettings, compare_captured
from orplugins.multiview.clip_set import FPS
from orplugins.multiview.pipeline import CaptureSettings, capture_set
from orplugins.videopose3d.pipeline import room_lifter

ORDER = 45
TITLE = "Motion in 3D: several cameras, one camera with depth, one camera and a lifting network"
NEEDS = ("depthpose",)
WEIGHTS = "demo/videopose3d_27.safetensors"


def run(demo) -> str:
    detections = demo.out / "depthpose/detections.keypoints.json"
    if not detections.is_file():
        raise ValueError(f"{detections}: not there, expected the result of the DepthPose section")
    out = demo.folder("motion")
    captured = capture_set(CaptureSettings(demo.data, out, str(detections)), room_lifter(str(demo.root / WEIGHTS)))
    rows = compare_captured(captured, FPS, SetSettings(out, "The clip, 64x48 detections.", {}, frame=12)).rows
    head = [key for key in rows[0] if key not in ("frames", "angle RMSE deg")]
    table = [[_text(row[key]) for key in head] for row in rows]
    demo.note("\n".join(["  ".join(head), *("  ".join(line) for line in table)]))
    card = (demo.root / WEIGHTS).with_suffix(".md")
    return "\n".join(
        [
            demo.picture(
                out / "clock.png", "The person that was seen best: a wrist over time, and one moment. Black: the truth."
            ),
            demo.table(head, table),
            "<p>All from the same 2D joints in 64x48 pixels; means over the people who move, millimetres. Depth knows "
            "only what nothing hides; a lifted pose has no place in the room. "
            f"<a href='{demo.link(card)}'>How the lifting network was trained</a>.</p>",
        ]
    )


def _text(value) -> str:
    return "-" if value != value else f"{value:.0f}" if isinstance(value, float) else str(value)
