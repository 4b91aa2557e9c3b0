"""MVOR's published tables, computed from the published detections, where they are at hand."""

from functools import partial

from orplugins.mvor.annotations import load_mvor
from orplugins.mvor.pipeline import evaluate_3d, evaluate_ap, evaluate_pck, rows_text

ORDER = 90
TITLE = "Real rooms: MVOR's published tables, computed again"

# protocol, file, title
PUBLISHED = (
    (evaluate_pck, "openpose_kps.json", "OpenPose, PCK@0.2 (Head Shoulder Hip Elbow Wrist : Average)"),
    (evaluate_ap, "faster_rcnn_bbox.json", "Faster R-CNN, person boxes (AP AP50 AP75 AR1 AR10 AR100)"),
    (
        partial(evaluate_ap, from_keypoints=True),
        "openpose_bbox.json",
        "OpenPose, boxes from keypoints (AP50 R@1 R@10)",
    ),
    (evaluate_3d, "mv3dreg.mat", "MV3DReg, cm by views (Shoulder Hip Elbow Wrist Average)"),
)


def run(demo) -> str:
    folder, parts = demo.mvor, []
    annotations = folder / "camma_mvor_2018.json"
    for evaluate, file, title in PUBLISHED:
        if (folder / file).is_file():
            truth = None if evaluate is evaluate_3d else load_mvor(annotations)
            rows = rows_text(evaluate(truth, folder / file).rows)
            demo.note(f"{title}\n{rows}")
            parts.append(f"<h3>{demo.escape(title)}</h3><pre>{demo.escape(rows)}</pre>")
    if not parts:
        return (
            f"<p>Skipped: no MVOR files in <code>{demo.escape(str(folder))}</code>. Set "
            "<code>ORPLUGINS_MVOR</code> to the folder that holds them.</p>"
        )
    return "\n".join(parts)
