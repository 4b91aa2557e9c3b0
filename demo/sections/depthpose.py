"""DepthPose on the clip: stock test script, overlays, contact sheet, PCK of the real-time and of the tiny network."""

from orplugins.synthetic.pipeline import draw_clip

ORDER = 10
TITLE = "DepthPose: people in 64x48 pixels of depth"

# The first one's detections are drawn, and used by the sections that follow.
NETWORKS = ("depthpose_small-64x48", "depthpose_tiny-64x48")


def run(demo) -> str:
    out, rows = demo.folder("depthpose"), []
    files = [demo.root / f"demo/{name}.safetensors" for name in NETWORKS]
    for name, weights in zip(NETWORKS, files, strict=True):
        metrics = demo.stock_test(
            f"configs/mmpose/depthpose/{name}.py", weights, out if name == NETWORKS[0] else out / name
        )
        columns = [joint.partition("/")[2] for joint in metrics]
        values = [f"{value:.1f}" for value in metrics.values()]
        figures = "  ".join(map(" ".join, zip(columns, values, strict=True)))
        demo.note(f"{name}, PCK@0.2 (MVOR's protocol), %: {figures}")
        rows.append([name, *values])
    draw_clip(demo.data, out / "detections.keypoints.json", out)
    return "\n".join(
        [
            demo.picture(
                out / "clip.gif",
                "Three cameras. Above: colour, for the eye only, with the poses that were found. Below: all "
                "that the network saw.",
            ),
            demo.table(["PCK@0.2, %", *columns], rows),
            demo.picture(
                out / "contact_sheet.png", "Moments of the clip, found poses (lines) and true ones (white dots)."
            ),
            f"<p>Drawn: {NETWORKS[0]}. {demo.weights(*files)}</p>",
        ]
    )
