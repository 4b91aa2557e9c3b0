"""One machine reads pickles of plain arrays, those inside npz files too; it runs none of numpy's own reconstruction."""

import pickle

import numpy as np
import pytest

from orplugins.io.safe_npz import read_npz
from orplugins.io.safe_pickle import UnsafePickleError, plain_pickle


def ragged() -> np.ndarray:
    out = np.empty((2, 1), dtype=object)
    out[0, 0], out[1, 0] = [np.arange(3.0), "a"], {"b": np.float32(2.5), "c": (1, None, True)}
    return out


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_object_arrays_are_read_where_they_are_wanted(protocol):
    data = pickle.dumps(ragged(), protocol)
    found = plain_pickle(data, objects=True)
    assert found.shape == (2, 1) and found[1, 0] == {"b": 2.5, "c": (1, None, True)}
    np.testing.assert_array_equal(found[0, 0][0], [0, 1, 2])
    with pytest.raises(UnsafePickleError, match="an array of objects"):
        plain_pickle(data)


class State:
    """An array whose pickle carries a state of our choice."""

    def __init__(self, *state):
        self.state = state

    def __reduce__(self):
        return np.array(0).__reduce__()[0], (np.ndarray, (0,), b"b"), self.state


@pytest.mark.parametrize(
    "state",
    [
        (1, (10**9,), np.dtype(object), False, b"\0" * 64),
        (1, (3,), np.dtype(object), False, [1, 2]),
        (1, (10**12,), np.dtype("f8"), False, b"\0" * 64),
        (1, (2,), np.dtype("f8"), False, [1.0, 2.0]),
        (1, (2,), None, False, [1.0, 2.0]),
    ],
    ids=["objects from bytes", "too few objects", "huge", "numbers from a list", "no dtype"],
)
def test_a_crafted_state_is_refused(state, tmp_path):
    with pytest.raises(ValueError):
        plain_pickle(pickle.dumps(State(*state)), objects=True)
    wrapped = np.empty((), dtype=object)
    wrapped[()] = State(*state)
    np.savez(tmp_path / "crafted.npz", entry=wrapped)
    with pytest.raises(ValueError, match=r"crafted\.npz: entry 'entry' cannot be read"):
        read_npz(tmp_path / "crafted.npz", ("entry",))


def test_what_follows_a_pickle_is_refused():
    with pytest.raises(ValueError, match="4 bytes follow its end"):
        plain_pickle(pickle.dumps([1]) + b"more")


def test_values_shared_many_times_over_are_read_once():
    value: list = []
    for _ in range(60):
        value = [value] * 10
    found = plain_pickle(pickle.dumps(value))
    assert found[0] is found[9]
