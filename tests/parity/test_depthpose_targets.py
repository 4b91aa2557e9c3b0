"""Training targets of heatmap and PAF networks against the RTPose training code that DepthPose derives from."""

from __future__ import annotations

import numpy as np
import pytest
from cases import case_arrays, params, parity_cases

from orplugins.depthpose.paf.targets import encode_paf_targets

SYSTEM = "depthpose"
EAR_CHANNELS = [18, 19, 26, 27]
CASES = [
    (f"{name}/{case['name']}", (path, case))
    for name, path, data in parity_cases(SYSTEM)
    for case in data.get("cases", [])
    if "keypoints" in case and "stride" in case
]


@pytest.mark.parametrize("target", params(CASES, SYSTEM))
def test_targets(target):
    path, case = target
    arrays = case_arrays(path, case)
    keypoints = np.array(case["keypoints"], dtype=np.float64).reshape(-1, 17, 3)
    frame = case["frame_width"], case["frame_height"]
    heat, paf = encode_paf_targets(keypoints, frame, case["stride"], sigma=case.get("sigma", 7.0))
    np.testing.assert_allclose(heat, arrays[f"{case['name']}.heat"], rtol=0, atol=1e-6)
    np.testing.assert_allclose(paf, arrays[f"{case['name']}.paf"], rtol=0, atol=1e-6)
    expected = arrays[f"{case['name']}.paf"].copy()
    expected[EAR_CHANNELS] = arrays[f"{case['name']}.paf_eye"]
    _, paf = encode_paf_targets(keypoints, frame, case["stride"], sigma=case.get("sigma", 7.0), ear_limbs="eye")
    np.testing.assert_allclose(paf, expected, rtol=0, atol=1e-6)
