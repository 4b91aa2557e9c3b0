"""What torch.save writes comes back as torch.load gives it: both forms, every protocol."""

from __future__ import annotations

import argparse
import collections
import io
import zipfile

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from orplugins.io.weights import read_weights, tensors_of  # noqa: E402


def content() -> dict:
    """One of each that a checkpoint may hold."""
    model = torch.nn.Sequential(torch.nn.Conv2d(2, 3, 3), torch.nn.BatchNorm2d(3))
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.1)
    model(torch.ones(2, 2, 5, 5)).sum().backward()
    optimizer.step()
    base, lists, objects = torch.arange(24.0).reshape(4, 6), collections.defaultdict(list), np.empty(2, object)
    lists["a"].append(1)
    objects[:] = [{"a": 1}, np.arange(3)]
    return {
        "model": model.state_dict(),
        "optimizer": optimizer.state_dict(),
        "shared": base,
        "view": base.t()[1:],
        "expanded": torch.ones(1).expand(5, 3),
        "empty": torch.empty(0, 4),
        "parameter": torch.nn.Parameter(torch.ones(2)),
        "wants_gradient": torch.ones(2, requires_grad=True),
        "tensors": [torch.tensor(3), torch.tensor([True]), torch.ones(3).bfloat16(), torch.ones(3).half(),
                    torch.ones(3, dtype=torch.complex64), torch.ones(2, dtype=torch.uint8)],
        "torch": [torch.Size([1, 2]), torch.device("cuda", 1), torch.device("cpu"), torch.float16, torch.strided],
        "numpy": [np.float64(2.5), np.float32(1.5), np.int64(3), np.bool_(True), np.arange(6.0).reshape(2, 3),
                  np.asfortranarray(np.arange(6).reshape(2, 3)), np.arange(3, dtype=">f4"), np.array(["ab", "c"]),
                  objects],
        "containers": [{1, 2}, frozenset([3]), collections.OrderedDict(a=1), lists, collections.deque([1, 2], 5),
                       collections.Counter("abb"), (1, (2,)), [[], {}], slice(1, None), range(3)],
        "values": [b"\x00\xff", bytearray(b"ab"), 1 + 2j, None, 10**40, -5, 1e-300, float("nan"), "äöü€", True, b""],
    }  # fmt: skip


def assert_same(a, b) -> None:
    assert type(a) is type(b)
    if isinstance(a, torch.Tensor):
        assert (a.dtype, a.shape, a.stride(), a.requires_grad) == (b.dtype, b.shape, b.stride(), b.requires_grad)
        assert torch.equal(a, b)
    elif isinstance(a, np.ndarray):
        assert a.shape == b.shape and a.dtype == b.dtype and a.flags.f_contiguous == b.flags.f_contiguous
        assert_same(list(a.flat), list(b.flat))
    elif isinstance(a, dict):
        assert list(a) == list(b)
        assert_same(list(a.values()), list(b.values()))
        assert_same(getattr(a, "_metadata", None), getattr(b, "_metadata", None))
    elif isinstance(a, (list, tuple, collections.deque)):
        assert len(a) == len(b)
        for x, y in zip(a, b, strict=True):
            assert_same(x, y)
    else:
        assert a == b or a != a


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
@pytest.mark.parametrize("zipped", [True, False], ids=["archive", "stream"])
def test_everything_is_as_torch_reads_it(zipped, protocol):
    file = io.BytesIO()
    torch.save(content(), file, pickle_protocol=protocol, _use_new_zipfile_serialization=zipped)
    file.seek(0)
    expected = torch.load(file, weights_only=False)
    expected["numpy"][6] = expected["numpy"][6].astype("<f4")  # protocol 5 alone keeps the other order of bytes
    found = read_weights(file)
    assert_same(expected, found)
    assert found["view"].untyped_storage().data_ptr() == found["shared"].untyped_storage().data_ptr()
    assert found["containers"][3]["new"] == []


@pytest.mark.parametrize("zipped", [True, False], ids=["archive", "stream"])
def test_damage_to_the_numbers_or_to_their_number_is_seen(zipped):
    file = io.BytesIO()
    torch.save({"w": torch.full((100,), 7.0)}, file, _use_new_zipfile_serialization=zipped)
    data = file.getvalue()
    with pytest.raises(ValueError, match="truncated or no torch checkpoint"):
        read_weights(io.BytesIO(data[:-1]))
    if zipped:  # the stream has no checksums
        at = data.index(torch.full((100,), 7.0).numpy().tobytes())
        with pytest.raises(ValueError, match="in memory: its entry '0' is damaged: checksum"):
            read_weights(io.BytesIO(data[:at] + b"\1" + data[at + 1 :]))


def test_numbers_of_a_machine_with_the_other_order_are_refused():
    file = io.BytesIO()
    torch.save({"w": torch.ones(1)}, file)
    out = io.BytesIO()
    with zipfile.ZipFile(file) as old, zipfile.ZipFile(out, "w") as new:
        for name in old.namelist():
            new.writestr(name, b"big" if name.endswith("byteorder") else old.read(name))
    with pytest.raises(ValueError, match="stored b'big' end first"):
        read_weights(out)


def test_options_and_configs_come_back_as_dicts():
    mmengine = pytest.importorskip("mmengine")
    file = io.BytesIO()
    config = mmengine.ConfigDict(a=1, b=dict(c=[2]))
    torch.save({"args": argparse.Namespace(lr=0.1, size=(1, 2)), "cfg": config}, file)
    assert read_weights(file) == {"args": {"lr": 0.1, "size": (1, 2)}, "cfg": {"a": 1, "b": {"c": [2]}}}


def test_the_tensors_alone(tmp_path):
    state = {"w": torch.ones(1), "note": "text"}
    assert tensors_of({"state_dict": state, "epoch": 3}, "a").keys() == {"w"}
    assert tensors_of(state, "a").keys() == {"w"}
    for content, found in (({"epoch": 3}, "found epoch"), ({"state_dict": []}, "found a list"), ({}, "found nothing")):
        with pytest.raises(ValueError, match=f"checkpoint a: {found}, expected tensors by name"):
            tensors_of(content, "a")
    torch.save([1], tmp_path / "list.pth")
    with pytest.raises(ValueError, match=r"list\.pth: holds a list, expected a dict of weights"):
        read_weights(tmp_path / "list.pth")
