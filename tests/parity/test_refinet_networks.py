"""RefiNet's three networks with published names and weights, and the losses."""

from __future__ import annotations

import numpy as np
import pytest
from cases import case_arrays, fill_state_dict, params, parity_cases

torch = pytest.importorskip("torch")
pytest.importorskip("mmpose")

from mmengine.registry import init_default_scope  # noqa: E402
from mmpose.registry import MODELS  # noqa: E402

from orplugins.refinet.network import PointFeatures, depth_range_loss, masked_joint_mse, symmetry_loss  # noqa: E402

SYSTEM = "refinet"
FILES = parity_cases(SYSTEM)
NETWORKS = [(name, (path, data)) for name, path, data in FILES
            if "state_dict" in data and data["options"].get("global_feat", True)]  # fmt: skip
LOCAL = [(name, (path, data)) for name, path, data in FILES
         if "state_dict" in data and not data["options"].get("global_feat", True)]  # fmt: skip
LOSSES = [(name, (path, data)) for name, path, data in FILES if "mse_masked_mm" in data.get("results", {})]


def backbone(options: dict) -> dict:
    """Our config for the options of a case."""
    if "output_size" in options:
        joints, dims = options["output_size"]
        return dict(type="orplugins.RefiNetPatchNet", joints=joints, dims=dims, activation=options["activation"])
    if "linear_size" in options:
        names = ("batch_norm", "residual", "activation", "attention", "bigskip")
        return dict(
            type="orplugins.RefiNetSkeletonNet",
            width=options["linear_size"],
            dropout=0.2 if options["dropout"] else 0.0,
            **{k: options[k] for k in names},
        )
    return dict(
        type="orplugins.RefiNetPointNet",
        feature_transform=options["feature_transform"],
        dropout=options.get("dropout_prob", 0.2),
    )


def module_config(options: dict) -> dict:
    head = dict(type="orplugins.OffsetHead", decoder=dict(type="orplugins.JointOffset"))
    return dict(type="orplugins.RefiNetModule", backbone=backbone(options), head=head)


def filled(shapes: dict, prefix: str = "module.") -> dict:
    """Published names, behind the ``module.`` that published files have."""
    return {prefix + name: torch.as_tensor(np.asarray(v)) for name, v in fill_state_dict(shapes).items()}


@pytest.fixture(autouse=True)
def scope():
    init_default_scope("mmpose")


@pytest.mark.parametrize("prefix", ["module.", ""], ids=["module.", "bare"])
@pytest.mark.parametrize("network", params(NETWORKS, SYSTEM))
def test_network(network, prefix):
    path, data = network
    arrays = case_arrays(path, data)
    model = MODELS.build(module_config(data["options"])).eval()
    model.load_state_dict(filled(data["state_dict"], prefix), strict=True)
    expected = arrays[next(name for name in arrays if name.startswith("out"))]
    with torch.no_grad():
        out = model(torch.from_numpy(arrays["x"]), None, mode="tensor")
    scale = np.abs(expected).max() if "feature_transform" in data["options"] else 0
    np.testing.assert_allclose(out, expected, rtol=data["rtol"], atol=data["atol"] + data["rtol"] * scale)


STAGES = {"stat_maxpool": "maxpool", "stat_layer1": "layer1", "stat_layer2": "layer2"}


@pytest.mark.parametrize("network", params([row for row in NETWORKS if "output_size" in row[1][1]["options"]], SYSTEM))
def test_stages_of_module_a(network):
    path, data = network
    arrays = case_arrays(path, data)
    model = MODELS.build(module_config(data["options"])).eval()
    model.load_state_dict(filled(data["state_dict"]))
    found = {}
    for name in ("avgpool", *STAGES.values()):
        hook = lambda _, __, out, name=name: found.update({name: out.numpy().astype(np.float64)})  # noqa: E731
        getattr(model.backbone.net, name).register_forward_hook(hook)
    with torch.no_grad():
        model(torch.from_numpy(arrays["x"]), None, mode="tensor")
    np.testing.assert_allclose(found["avgpool"].squeeze(), arrays["avgpool"], rtol=1e-4, atol=1e-4)
    for key, name in STAGES.items():
        values = found[name]
        np.testing.assert_allclose([values.mean(), values.std(), np.abs(values).sum()], arrays[key], rtol=1e-4)


@pytest.mark.parametrize("network", params([row for row in NETWORKS if "stn_3x3" in case_arrays(*row[1])], SYSTEM))
def test_inside_of_module_c(network):
    path, data = network
    arrays = case_arrays(path, data)
    model = MODELS.build(module_config(data["options"])).eval()
    model.load_state_dict(filled(data["state_dict"]))
    features = model.backbone.net.feat
    points = torch.from_numpy(arrays["x"]).flatten(0, 1)
    with torch.no_grad():
        transform = features.stn(points[:, :-1].mT)
        pooled = features(points[:, :-1].mT, points[:, -1, 0])
    np.testing.assert_allclose(transform, arrays["stn_3x3"], rtol=1e-3, atol=1e-3)
    expected = arrays["global_feature_first4"]
    np.testing.assert_allclose(pooled[:4], expected, rtol=1e-3, atol=1e-3 * np.abs(expected).max())


@pytest.mark.parametrize("network", params(LOCAL, SYSTEM))
def test_features_of_each_point(network):
    path, data = network
    arrays = case_arrays(path, data)
    net = PointFeatures(False, data["options"]["feature_transform"]).eval()
    net.load_state_dict(filled(data["state_dict"], ""), strict=True)
    with torch.no_grad():
        out = net(torch.from_numpy(arrays["points"]), torch.from_numpy(arrays["valid"][:, 0]))
    atol = data["atol"] + data["rtol"] * np.abs(arrays["out"]).max()
    np.testing.assert_allclose(out, arrays["out"], rtol=data["rtol"], atol=atol)


@pytest.mark.parametrize("case", params(LOSSES, SYSTEM))
def test_losses(case):
    path, data = case
    tensors = {name: torch.from_numpy(value) for name, value in case_arrays(path, data).items()}
    expected, seen = data["results"], tensors["visible"]
    found = {
        "mse_masked_mm": masked_joint_mse(tensors["pred_mm"], tensors["gt_mm"], seen),
        "vitruvian_mm": symmetry_loss(tensors["pred_mm"], seen),
        "forcing_mm": depth_range_loss(tensors["pred_mm"], tensors["gt_mm"], seen),
        "mse_masked_px": masked_joint_mse(tensors["out_px"], tensors["target_px"], seen),
    }
    for name, value in found.items():
        assert value.item() == pytest.approx(expected[name], rel=data["rtol"]), name
