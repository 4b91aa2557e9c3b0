"""DepthPose on the clip: stock test script, overlays, contact sheet, PCK at several resolutions."""

ORDER = 10
TITLE = "DepthPose: people in 64x48 pixels of depth"


def run(demo) -> str:
    from pathlib import Path

    config, weights = "configs/mmpose/depthpose/depthpose_tiny-64x48.py", "demo/depthpose_tiny-64x48.safetensors"
    out = demo.folder("depthpose")
    metrics = demo.stock_test(config, weights, out)
    demo.run("tools/draw_clip.py", demo.data, out / "detections.keypoints.json", "--out", out)
    columns = [name.partition("/")[2] for name in metrics]
    values = [f"{value:.1f}" for value in metrics.values()]
    demo.note("PCK@0.2 (MVOR's protocol), %: " + "  ".join(map(" ".join, zip(columns, values, strict=True))))
    card = Path(demo.root / weights).with_suffix(".md")
    return "\n".join([
        demo.picture(out / "clip.gif",
                     "Three cameras. Above: colour, for the eye only, with the poses that were found. Below: all "
                     "that the network saw."),
        demo.table(["joints", *columns], [["PCK@0.2, %", *values]]),
        demo.picture(out / "contact_sheet.png", "Moments of the clip, found poses (lines) and true ones (white dots)."),
        f"<p>Weights: <a href='{demo.link(demo.root / weights)}'>{weights}</a>, "
        f"<a href='{demo.link(card)}'>how they were made</a>.</p>",
    ])
