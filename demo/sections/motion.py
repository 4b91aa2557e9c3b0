"""The people of the clip as several systems record them, against the truth, on one clock."""

ORDER = 45
TITLE = "Motion in 3D: three cameras, one camera with depth, one camera and a lifting network"
WEIGHTS = "demo/videopose3d_27.safetensors"


def run(demo) -> str:
    import json

    detections = demo.out / "depthpose/detections.keypoints.json"
    if not detections.is_file():
        raise ValueError(f"{detections}: not there, expected the result of the DepthPose section")
    weights = ("--weights", WEIGHTS) if (demo.root / WEIGHTS).is_file() else ()
    parts = []
    for name, title, source in (("detections", "2D by DepthPose from 64x48 pixels", ("--dt", detections)),
                                ("labels", "2D from the labels, 1 px of noise", ())):
        out = demo.folder(f"motion/{name}")
        demo.run("tools/compare_on_set.py", demo.data, *source, *weights, "--out", out, "--frame", 12)
        rows = json.loads((out / "summary.json").read_text())["rows"]
        head = [key for key in rows[0] if key not in ("frames", "angle RMSE deg")]
        table = [[_text(row[key]) for key in head] for row in rows]
        demo.note("\n".join([title, "  ".join(head), *("  ".join(line) for line in table)]))
        parts += [f"<h3>{demo.escape(title)}</h3>", demo.table(head, table)]
        if name == "detections":
            parts.append(demo.picture(out / "clock.png", "The best-seen person: a wrist over time, and one moment. "
                                                         "Black: the truth."))
    parts.append("<p>Means over the people who move, millimetres. A parallel pair is simulated beside one of the "
                 "cameras. Depth knows only what is not hidden; a lifted pose has no place in the room.</p>")
    return "\n".join(parts)


def _text(value) -> str:
    return "-" if value is None else f"{value:.0f}" if isinstance(value, float) else str(value)
