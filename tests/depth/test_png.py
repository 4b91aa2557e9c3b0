"""Depth PNG files: what is written is read, and what does not fit is refused by name."""

import numpy as np
import pytest

from orplugins.depth.png import load_depth, save_depth

Image = pytest.importorskip("PIL.Image")


def picture(dtype=np.uint16):
    return np.random.default_rng(0).integers(1, np.iinfo(dtype).max, (48, 64)).astype(dtype)


@pytest.mark.parametrize(("dtype", "bits"), [(np.uint16, 16), (np.uint8, 8)])
def test_round_trip(tmp_path, dtype, bits):
    path = tmp_path / "new" / "000000.png"
    save_depth(path, picture(dtype))
    depth = load_depth(path, bits=bits, size=(64, 48))
    assert depth.dtype == dtype
    np.testing.assert_array_equal(depth, picture(dtype))
    assert [p.name for p in path.parent.iterdir()] == ["000000.png"]


def test_missing_file(tmp_path):
    with pytest.raises(FileNotFoundError, match="none.png: no such file"):
        load_depth(tmp_path / "none.png")


@pytest.mark.parametrize("part", [0.99, 0.5, 0.02, 0.001, 0])
def test_truncated_file(tmp_path, part):
    path = tmp_path / "a.png"
    save_depth(path, picture())
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * part)])
    with pytest.raises(ValueError, match="a.png: (pixels|format): found"):
        load_depth(path)


def test_damaged_bytes(tmp_path):
    path = tmp_path / "a.png"
    save_depth(path, picture())
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 255
    path.write_bytes(data)
    with pytest.raises(ValueError, match="a.png: pixels"):
        load_depth(path)


def test_wrong_bit_depth(tmp_path):
    save_depth(tmp_path / "a.png", picture(np.uint8))
    save_depth(tmp_path / "b.png", picture(np.uint16))
    with pytest.raises(ValueError, match="a.png: bit depth: found 8, expected 16"):
        load_depth(tmp_path / "a.png", bits=16)
    with pytest.raises(ValueError, match="b.png: bit depth: found 16, expected 8"):
        load_depth(tmp_path / "b.png", bits=8)
    Image.fromarray(picture(np.uint8)).convert("1").save(tmp_path / "c.png")
    with pytest.raises(ValueError, match="c.png: bit depth: found 1, expected 8"):
        load_depth(tmp_path / "c.png", bits=8)


@pytest.mark.parametrize(
    ("mode", "kind"), [("RGB", "three-channel"), ("RGBA", "four"), ("LA", "alpha"), ("P", "palette")]
)
def test_wrong_channels(tmp_path, mode, kind):
    Image.fromarray(picture(np.uint8)).convert(mode).save(tmp_path / "a.png")
    with pytest.raises(ValueError, match=f"a.png: channels: found a .*{kind}.*, expected one grey channel"):
        load_depth(tmp_path / "a.png", bits=8)


def test_another_format(tmp_path):
    Image.fromarray(picture(np.uint8)).save(tmp_path / "a.png", format="JPEG")
    with pytest.raises(ValueError, match="a.png: format"):
        load_depth(tmp_path / "a.png", bits=8)


def test_wrong_size(tmp_path):
    save_depth(tmp_path / "a.png", picture())
    with pytest.raises(ValueError, match="a.png: size: found 64x48, expected 640x480"):
        load_depth(tmp_path / "a.png", size=(640, 480))


def test_nothing_but_holes(tmp_path):
    save_depth(tmp_path / "a.png", np.zeros((4, 5), dtype=np.uint16))
    with pytest.warns(UserWarning, match="a.png: pixels: found nothing but holes"):
        assert not load_depth(tmp_path / "a.png").any()
    with pytest.raises(ValueError, match="a.png: pixels: found nothing but holes"):
        load_depth(tmp_path / "a.png", allow_empty=False)


def test_what_cannot_be_written_leaves_the_file_alone(tmp_path):
    path = tmp_path / "a.png"
    save_depth(path, picture())
    for bad in (picture().astype(np.float32), picture()[None], picture()[:0]):
        with pytest.raises(ValueError, match="a.png: array: found"):
            save_depth(path, bad)
    with pytest.raises(ValueError, match="name"):
        save_depth(tmp_path / "a.jpg", picture())
    np.testing.assert_array_equal(load_depth(path), picture())
    with pytest.raises(ValueError, match="bits: found 12"):
        load_depth(path, bits=12)
