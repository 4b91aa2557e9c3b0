"""RefiNet on the clip: true 2D joints moved by 4 pixels, lifted to the depth image, and refined."""

from orplugins.refinet.pipeline import EvaluateSettings, evaluate_refinement

ORDER = 20
TITLE = "RefiNet: 3D poses from 2D joints and depth"

IMAGES, SHOWN = 24, 2


def run(demo) -> str:
    out = demo.folder("refinet")
    report = evaluate_refinement(EvaluateSettings(demo.data, out, noise=4, images=IMAGES, pictures=SHOWN))
    if report.problem or report.failed:
        raise ValueError(report.problem or f"images that could not be used: {report.failed}")
    rows = [
        [
            row["joints"],
            row["count"],
            f"{1000 * row['plain']:.0f}",
            f"{1000 * row['refined']:.0f}",
            f"{row['ratio']:.1f}",
        ]
        for row in report.rows
        if row["people"] == "all"
    ]
    for name, count, plain, refined, ratio in rows:
        demo.note(f"mean error of {count} {name} joints: plain lifting {plain} mm, refined {refined} mm, {ratio} times")
    caption = "Depth with the refined pose; the pose lifted to the depth at its pixels; the refined pose (x: hidden)."
    return "\n".join(
        [
            *(demo.picture(path, caption) for path in sorted(out.glob("*.png"))),
            demo.table(["joints", "number", "plain lifting, mm", "refined, mm", "factor"], rows),
            f"<p>{report.frames} depth images, 2D joints: {demo.escape(report.poses)}. "
            f"{demo.weights(demo.root / 'demo/refinet_or-bc.safetensors')}</p>",
        ]
    )
