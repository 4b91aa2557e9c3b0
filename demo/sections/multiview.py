"""The detections of the three cameras of the clip, put together into people in 3D."""

ORDER = 40
TITLE = "Three cameras: the same 64x48 detections in 3D"
NEEDS = ("depthpose",)


def run(demo) -> str:
    detections = demo.out / "depthpose/detections.keypoints.json"
    if not detections.is_file():
        raise ValueError(f"{detections}: not there, expected the result of the DepthPose section")
    out = demo.folder("multiview")
    rows = demo.run(
        "tools/triangulate.py",
        "--mvor",
        demo.data / "annotations/mvor.json",
        "--dt",
        detections,
        "--out",
        out,
        "--pictures",
        1,
    )
    # The last column, and the note on it, are MVOR's published figures: other pictures than these.
    lines = rows.split("\n  *")[0].splitlines()
    end = next(line.index("published*") for line in lines if "published*" in line)
    text = "\n".join(
        line[:end].rstrip() if "people;" not in line and line[0] == " " else line for line in lines if line.strip()
    )
    demo.note(text)
    pictures = [demo.picture(path, "One moment of the room in 3D.") for path in sorted(out.glob("*.png"))]
    explanation = (
        "<p>Association and triangulation use the calibration only; errors are in centimetres. A pixel "
        "of the network's picture is ten of a camera's, and a joint is rarely found to a pixel.</p>"
    )
    return "\n".join([*pictures, explanation, f"<pre>{demo.escape(text)}</pre>"])
