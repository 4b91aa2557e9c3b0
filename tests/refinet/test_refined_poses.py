"""Who is whose detection, and the errors of lifted and refined poses by group."""

import numpy as np
import pytest

from orplugins.refinet.refined_poses import RefinedErrors, match_people


def test_detections_go_to_the_people_they_lie_on():
    rng = np.random.default_rng(0)
    people = np.concatenate([rng.uniform(0, 60, (3, 17, 2)), np.full((3, 17, 1), 2.0)], axis=-1)
    people[1, :, 0] += 80
    people[2, :, 0] += 200
    found = people[[1, 0]] + [1.5, -1.0, 0]
    np.testing.assert_array_equal(match_people(found, people), [1, 0, -1])
    found[0, :15, 2] = 0  # two joints are too few to tell
    np.testing.assert_array_equal(match_people(found, people), [1, -1, -1])
    np.testing.assert_array_equal(match_people(people[:0], people), [-1, -1, -1])
    assert match_people(found, people[:0]).shape == (0,)


def test_errors_by_visibility_and_by_people():
    errors = RefinedErrors()
    with pytest.raises(ValueError, match="no joint"):
        errors.table()
    truth = np.zeros((2, 15, 3))
    counted = np.ones((2, 15), bool)
    counted[1, 5:] = False
    seen = np.zeros((2, 15), bool)
    seen[:, :5] = True
    plain, refined = truth + [0, 0, 0.4], truth + [0.3, 0.4, 0]
    refined[:, :5] = [0, 0.1, 0]
    errors.add(plain, refined, truth, counted, seen, people=2)
    errors.add(plain[:1], plain[:1], truth[:1], counted[:1], seen[:1], people=5)
    rows = {(row["people"], row["joints"]): row for row in errors.table()}
    assert {key[0] for key in rows} == {"all", "2 people", "3 and more people"}
    row = rows["2 people", "visible"]
    assert row["count"] == 10 and row["plain"] == pytest.approx(0.4) and row["ratio"] == pytest.approx(4)
    row = rows["2 people", "occluded"]
    assert row["count"] == 10 and row["refined"] == pytest.approx(0.5)
    assert rows["3 and more people", "all"]["ratio"] == pytest.approx(1)
    assert rows["all", "all"]["count"] == 35
