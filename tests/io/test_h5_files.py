"""HDF5 files that lead elsewhere or claim too much, and writing on a disk that is full."""

import errno
import subprocess
import sys

import numpy as np
import pytest

h5py = pytest.importorskip("h5py")

from orplugins.io import h5_files  # noqa: E402
from orplugins.refinet.itop import ItopFrames, load_itop_labels, write_itop  # noqa: E402


@pytest.fixture
def labels(tmp_path):
    ids = np.array(["00_00000", "00_00001"])
    fields = {
        "id": ids,
        "is_valid": np.ones(2),
        "visible_joints": np.ones((2, 15)),
        "image_coordinates": np.ones((2, 15, 2)),
        "real_world_coordinates": np.ones((2, 15, 3)),
    }
    write_itop(tmp_path, "side", "test", fields, iter(np.ones((2, 12, 16))))
    path = tmp_path / "ITOP/ITOP_side_test_labels.h5"
    assert load_itop_labels(path).ids == ids.tolist()
    return path


def external_storage(file, name, old):
    file.create_dataset(name, (2,), "S8", external=[("/etc/passwd", 0, 16)])


def virtual(file, name, old):
    layout = h5py.VirtualLayout(old.shape, old.dtype)
    layout[...] = h5py.VirtualSource("/etc/passwd", "x", old.shape)
    file.create_virtual_dataset(name, layout)


TEXT = h5py.string_dtype()
DAMAGE = {
    "a text file's bytes as ids": external_storage,
    "another file": lambda file, name, old: file.__setitem__(name, h5py.ExternalLink("/etc/passwd", "/x")),
    "a link to itself": lambda file, name, old: file.__setitem__(name, h5py.SoftLink(f"/{name}")),
    "parts of other files": virtual,
    "a group": lambda file, name, old: file.create_group(name),
    "texts of any length": lambda file, name, old: file.create_dataset(name, data=["a", "b"], dtype=TEXT),
    "nothing": lambda file, name, old: file.create_dataset(name, data=h5py.Empty("f4")),
    "records": lambda file, name, old: file.create_dataset(name, old.shape, [("a", "f4")]),
    "rows never written": lambda file, name, old: file.create_dataset(name, (10**6, *old.shape[1:]), old.dtype),
    "10^12 rows": lambda file, name, old: file.create_dataset(name, (10**12, *old.shape[1:]), old.dtype, chunks=True),
}


@pytest.mark.parametrize("key", ["id", "real_world_coordinates"])
@pytest.mark.parametrize("damage", DAMAGE)
def test_what_is_not_in_the_file_is_refused(labels, key, damage):
    with h5py.File(labels, "r+") as file:
        old = file[key][()]
        del file[key]
        DAMAGE[damage](file, key, old)
    with pytest.raises(ValueError, match=f"labels.h5: .*'{key}'"):
        load_itop_labels(labels)


def test_chunks_that_no_memory_holds(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_dataset("data", (3, 20000, 20000), "f2", chunks=(3, 20000, 2000), compression="gzip")
    with pytest.raises(ValueError, match="a.h5: 'data' has shape .* too large to read"):
        ItopFrames(tmp_path / "a.h5")


def test_damaged_bytes_become_one_error(labels):
    whole, rng = labels.read_bytes(), np.random.default_rng(0)
    for _ in range(200):
        content = bytearray(whole)
        for at in rng.integers(0, len(content), 8):
            content[at] = rng.integers(256)
        labels.write_bytes(content)
        try:
            load_itop_labels(labels)
        except ValueError as error:
            assert str(labels) in str(error) and "\n" not in str(error)


def test_a_full_disk_leaves_the_old_file_and_a_living_process(tmp_path):
    """HDF5's own driver ends the process when it is closed on a full disk, so this runs in a process of its own."""
    (tmp_path / "a.h5").write_bytes(b"old")
    program = (
        "import resource, signal, sys\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (3_000_000, 3_000_000))\n"
        "import numpy as np\n"
        "from orplugins.io.h5_files import new_h5\n"
        "try:\n"
        "    with new_h5(sys.argv[1]) as file:\n"
        "        shape = dict(maxshape=(None, 500, 500), chunks=(1, 500, 500))\n"
        "        data = file.create_dataset('data', (0, 500, 500), 'f4', **shape)\n"
        "        for k in range(40):\n"
        "            data.resize(k + 1, axis=0)\n"
        "            data[k] = np.random.rand(500, 500)\n"
        "            file.require_written() if k == 30 else None\n"
        "except OSError as error:\n"
        "    print(k, error.errno, error.filename)\n"
    )
    done = subprocess.run([sys.executable, "-c", program, tmp_path / "a.h5"], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.split() == ["30", str(errno.EFBIG), str(tmp_path / "a.h5")]
    assert (tmp_path / "a.h5").read_bytes() == b"old" and len(list(tmp_path.iterdir())) == 1


def test_what_is_written_is_read(tmp_path):
    rows = np.random.default_rng(0).normal(size=(70, 30, 40)).astype(np.float32)
    with h5_files.new_h5(tmp_path / "a.h5") as file:
        data = file.create_dataset("data", (0, 30, 40), "f4", maxshape=(None, 30, 40), chunks=(1, 30, 40))
        for k, row in enumerate(rows):
            data.resize(k + 1, axis=0)
            data[k] = row
    with h5_files.open_h5(tmp_path / "a.h5") as file:
        np.testing.assert_array_equal(h5_files.dataset(file, "data", "a.h5", (None, 30, 40), "f")[()], rows)
