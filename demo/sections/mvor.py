"""MVOR's published tables, computed from the published detections, where they are at hand."""

ORDER = 90
TITLE = "Real rooms: MVOR's published tables, computed again"

# command line of tools/evaluate.py, files, options, title
PUBLISHED = (
    ("mvor-pck", "openpose_kps.json", (), "OpenPose, PCK@0.2 (Head Shoulder Hip Elbow Wrist : Average)"),
    ("mvor-ap", "faster_rcnn_bbox.json", (), "Faster R-CNN, person boxes (AP AP50 AP75 AR1 AR10 AR100)"),
    ("mvor-ap", "openpose_bbox.json", ("--from-keypoints",), "OpenPose, boxes from keypoints (AP50 R@1 R@10)"),
    ("mvor-3d", "mv3dreg.mat", (), "MV3DReg, cm by views (Shoulder Hip Elbow Wrist Average)"),
)


def run(demo) -> str:
    folder, parts = demo.mvor, []
    for command, file, options, title in PUBLISHED:
        if (folder / file).is_file():
            truth = () if command == "mvor-3d" else ("--gt", folder / "camma_mvor_2018.json")
            rows = demo.run("tools/evaluate.py", command, *truth, "--dt", folder / file, *options).strip("\n")
            demo.note(f"{title}\n{rows}")
            parts.append(f"<h3>{demo.escape(title)}</h3><pre>{demo.escape(rows)}</pre>")
    if not parts:
        return (
            f"<p>Skipped: no MVOR files in <code>{demo.escape(str(folder))}</code>. Set "
            "<code>ORPLUGINS_MVOR</code> to the folder that holds them.</p>"
        )
    return "\n".join(parts)
