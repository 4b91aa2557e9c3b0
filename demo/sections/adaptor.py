"""AdaptOR on rooms of a look that nobody labelled: boxes, joints and masks, also in pictures reduced eight times."""

from pathlib import Path

import cv2
import numpy as np

from orplugins.resources import SHIPPED

ORDER = 17
TITLE = "AdaptOR: people in rooms that nobody labelled"
CONFIG, WEIGHTS = SHIPPED["adaptor"]
FACTORS, SHOWN, SEED = (1, 4, 8), 4, 9017
LEAST_JOINT = 0.45  # confidence of a joint that is drawn
SOURCE, TARGET = (), ("rooms", "clothes", "textures", "pictures")


def run(demo) -> str:
    # Here, because the page's own process reads the sections' titles and needs no host for it.
    import torch

    from orplugins.adaptor.detectron2.evaluation import evaluate_ladder
    from orplugins.hosts.detectron2.predictor import Predictor, read_model_config

    torch.set_num_threads(1)
    out = demo.folder("adaptor")
    predict = Predictor(read_model_config(str(demo.root / CONFIG), str(demo.root / WEIGHTS), "cpu"))
    predict.cfg.defrost()
    rows, shown = [], {}
    for look, variety in (("source", SOURCE), ("target", TARGET)):
        shown[look] = make_set(out / look, variety, f"adaptor_demo_{look}")
        table = evaluate_ladder(predict.cfg, predict.model, f"adaptor_demo_{look}", FACTORS)
        for factor, row in table.items():
            rows.append([look, f"{factor:g}x", *(f"{value:.1f}" for value in row.values())])
            demo.note(f"{look}, {factor:g}x: " + ", ".join(f"{name} {value:.1f}" for name, value in row.items()))
    names = list(row)
    montage(predict, shown, out / "montage.png")
    return "\n".join(
        [
            "<p>The network learned from labelled theatres (source) and from unlabelled pictures of other rooms, "
            "clothes, light and cameras (target). These pictures are of neither training.</p>",
            demo.picture(
                out / "montage.png",
                "Above the source, below the target; in the second and fourth row pictures reduced four times.",
            ),
            demo.table(["look", "reduced", *names], rows),
            f"<p>{demo.weights(demo.root / WEIGHTS)}</p>",
        ]
    )


def make_set(folder: Path, variety: tuple[str, ...], name: str) -> list[Path]:
    """Generate and register a labelled set; returns some of its pictures."""
    from orplugins.adaptor.detectron2.datasets import register_labelled
    from orplugins.synthetic.export.mvor_layout import write_dataset

    options = dict(size=(320, 240), views=3, color=True, masks=True, variety=variety, fixed_cameras=False)
    write_dataset(folder, 6, SEED, **options)
    register_labelled(name, folder / "annotations/coco17_color.json", folder)
    return sorted(folder.glob("day1/cam*/color/*.png"))[::4][:SHOWN]


def montage(predict, shown: dict[str, list[Path]], out: Path) -> None:
    """Every look in a row of pictures and a row of reduced ones, with what is found in them."""
    rows = []
    for pictures in shown.values():
        for factor in (1, 4):
            rows.append(np.hstack([drawn(predict, cv2.imread(str(path)), factor) for path in pictures]))
    cv2.imwrite(str(out), np.vstack(rows))


def drawn(predict, picture: np.ndarray, factor: int, least: float = 0.5) -> np.ndarray:
    """A picture, reduced, with boxes, joints and masks of the people that the network is sure of."""
    from orplugins.adaptation.views import confidence
    from orplugins.adaptor.augment import reduce_and_enlarge
    from orplugins.viz.masks import tint_people
    from orplugins.viz.overlay import draw_pose

    picture = reduce_and_enlarge(picture, factor)
    found = predict([picture])[0]
    found = found[found.scores >= least]
    picture = np.ascontiguousarray(tint_people(picture, found.pred_masks.numpy()))
    for joints, box in zip(found.pred_keypoints.numpy(), found.pred_boxes.tensor.numpy(), strict=True):
        sure = confidence(joints[:, 2:])
        draw_pose(picture, np.concatenate([joints[:, :2], sure * (sure >= LEAST_JOINT)], axis=1), "coco", box)
    return picture
