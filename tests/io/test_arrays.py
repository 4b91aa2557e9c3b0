"""npy and npz files: what is written is read, what does not fit itself is refused before anything is allocated."""

import io
import struct
import zipfile

import numpy as np
import pytest

from orplugins.io.arrays import load_npy, load_npz, npz_names, parse_npy

HEADER = "{'descr': '<f8', 'fortran_order': False, 'shape': (3,), }"


def npy(header: str = HEADER, data: bytes = bytes(24), version: bytes = b"\1\0") -> bytes:
    return b"\x93NUMPY" + version + struct.pack("<H", len(header)) + header.encode() + data


@pytest.mark.parametrize(
    "array",
    [
        np.arange(6.0).reshape(2, 3),
        np.asfortranarray(np.arange(24).reshape(2, 3, 4)),
        np.array("coco_17"),
        np.array(25.0),
        np.zeros((0, 17, 3), np.float32),
        np.array([True, False]),
        np.array(["a", "längere"]),
        np.arange(3, dtype=">i2"),
        np.array([b"ab", b"c"]),
    ],
    ids=lambda array: f"{array.dtype} {array.shape}",
)
def test_what_numpy_writes_is_read(array, tmp_path):
    np.save(tmp_path / "a.npy", array)
    np.savez_compressed(tmp_path / "a.npz", one=array, two=array)
    for found in (load_npy(tmp_path / "a.npy"), load_npz(tmp_path / "a.npz")["two"]):
        assert found.dtype == array.dtype and found.shape == array.shape
        np.testing.assert_array_equal(found, array)
        if found.size:
            found[...] = found.flat[0]  # the caller's own memory
    assert npz_names(tmp_path / "a.npz") == {"one", "two"}


def test_headers_of_python_2_and_of_other_order_are_read():
    assert parse_npy(npy("{'shape': (1L, 3L), 'descr': '<f8', 'fortran_order': True}  \n")).shape == (1, 3)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (npy(HEADER.replace("(3,)", "(1000000000000,)")), "sensible shape"),
        (npy(HEADER.replace("(3,)", "(100000000,)")), "24 bytes of data, expected 800000000"),
        (npy(HEADER.replace("(3,)", "(0, 2000000000)"), b""), "but no data"),
        (npy(HEADER.replace("<f8", "|O")), "pickled objects"),
        (npy(HEADER.replace("<f8", "<M8[s]")), "header"),
        (npy(HEADER.replace("<f8", "|V8")), "numbers or text"),
        (npy("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (3,)}"), "header"),
        (npy("(" * 5000), "header"),
        (npy(HEADER, version=b"\7\0"), "version is 7.0"),
        (npy(HEADER, b""), "0 bytes of data, expected 24"),
        (b"\x93NUMPY", "cut off"),
        (b"", "not a npy"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(content, message, tmp_path):
    (tmp_path / "bad.npy").write_bytes(content)
    with pytest.raises(ValueError, match=f"bad.npy: .*{message}"):
        load_npy(tmp_path / "bad.npy")
    with zipfile.ZipFile(tmp_path / "bad.npz", "w") as archive:
        archive.writestr("entry.npy", content)
    with pytest.raises(ValueError, match=f"bad.npz: entry 'entry' cannot be read: .*{message}"):
        load_npz(tmp_path / "bad.npz")


def test_archives_that_lie_are_refused(tmp_path):
    path = tmp_path / "a.npz"
    np.savez(path, xyz=np.ones(3))
    whole = path.read_bytes()
    place = whole.index(b"PK\1\2")  # the table's entry: sizes stand 20 and 24 bytes behind its start
    for at, size in ((24, 0xFFFFFFF0), (24, 100_000_000), (20, 5)):
        lie = bytearray(whole)
        lie[place + at : place + at + 4] = struct.pack("<I", size)
        path.write_bytes(lie)
        with pytest.raises(ValueError, match="a.npz: "):
            load_npz(path)
    for method in (zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2):
        with zipfile.ZipFile(path, "w", method) as archive:
            archive.writestr("xyz.npy", npy())
        with pytest.raises(ValueError, match="a.npz: entry 'xyz' is damaged, or packed"):
            load_npz(path)
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("xyz.npy", "w") as file:
        for _ in range(600):
            file.write(bytes(1 << 20))
    path.write_bytes(bomb.getvalue())
    with pytest.raises(ValueError, match="a.npz: an npz archive of more than"):
        load_npz(path)


def test_no_file_a_folder_and_a_pipe(tmp_path):
    import os

    with pytest.raises(FileNotFoundError, match="no.npy: no such file"):
        load_npy(tmp_path / "no.npy")
    os.mkfifo(tmp_path / "pipe.npz")
    with pytest.raises(ValueError, match="pipe.npz: is a pipe"):
        load_npz(tmp_path / "pipe.npz")
    with pytest.raises(ValueError, match="is a folder"):
        npz_names(tmp_path)
