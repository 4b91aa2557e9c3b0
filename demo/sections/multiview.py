"""The detections of the three cameras of the clip, put together into people in 3D."""

from orplugins.multiview.pipeline import MvorSettings, evaluate_mvor
from orplugins.multiview.report import scores_text

ORDER = 40
TITLE = "Three cameras: the same 64x48 detections in 3D"
NEEDS = ("depthpose",)


def run(demo) -> str:
    detections = demo.out / "depthpose/detections.keypoints.json"
    if not detections.is_file():
        raise ValueError(f"{detections}: not there, expected the result of the DepthPose section")
    out = demo.folder("multiview")
    truth = str(demo.data / "annotations/mvor.json")
    scores = evaluate_mvor(MvorSettings(truth, (str(detections),), out, pictures=1))
    # Without MVOR's published figures: they are of other images than these.
    text = "\n".join(scores_text(name, scores.method, table, published=False) for name, table in scores.results.items())
    demo.note(text)
    pictures = [demo.picture(path, "One moment of the room in 3D.") for path in sorted(out.glob("*.png"))]
    explanation = (
        "<p>Association and triangulation use the calibration only; errors are in centimetres. A pixel "
        "of the network's picture is ten of a camera's, and a joint is rarely found to a pixel.</p>"
    )
    return "\n".join([*pictures, explanation, f"<pre>{demo.escape(text)}</pre>"])
