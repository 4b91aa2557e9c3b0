import json
import os

import pytest

from orplugins.io.atomic import atomic_path, atomic_write, write_first, write_json


def test_writes_text_bytes_and_missing_folders(tmp_path):
    with atomic_write(tmp_path / "a" / "b.txt") as file:
        file.write("naïve")
    assert (tmp_path / "a" / "b.txt").read_text(encoding="utf-8") == "naïve"
    with atomic_write(tmp_path / "c.bin", "wb") as file:
        file.write(b"\x00")
    assert (tmp_path / "c.bin").read_bytes() == b"\x00"
    assert sorted(os.listdir(tmp_path)) == ["a", "c.bin"]


def test_an_error_leaves_the_old_file_and_no_other(tmp_path):
    path = tmp_path / "a.json"
    write_json(path, {"old": 1})
    with pytest.raises(RuntimeError), atomic_write(path) as file:
        file.write("half")
        raise RuntimeError("killed")
    with pytest.raises(ValueError):
        write_json(path, {"new": float("nan")})
    assert json.loads(path.read_text()) == {"old": 1}
    assert os.listdir(tmp_path) == ["a.json"]


def test_a_library_writes_to_a_path_of_the_same_suffix(tmp_path):
    with atomic_path(tmp_path / "sub" / "a.npy") as temporary:
        assert temporary.suffix == ".npy" and temporary.parent == tmp_path / "sub"
        temporary.write_bytes(b"new")
        assert not (tmp_path / "sub/a.npy").exists()
    assert (tmp_path / "sub/a.npy").read_bytes() == b"new"
    with pytest.raises(RuntimeError), atomic_path(tmp_path / "sub/a.npy"):
        raise RuntimeError("killed")
    assert os.listdir(tmp_path / "sub") == ["a.npy"]


def test_a_full_disk_is_reported_with_the_file(tmp_path):
    path = tmp_path / "poses.json"
    with pytest.raises(OSError, match="No space left on device: .*poses.json"), atomic_write(path):
        raise OSError(28, "No space left on device")
    assert not list(tmp_path.iterdir())


def test_permissions_are_those_of_a_plain_file_or_of_the_replaced_one(tmp_path):
    plain, path = tmp_path / "plain", tmp_path / "a.json"
    plain.touch()
    write_json(path, [])
    assert path.stat().st_mode == plain.stat().st_mode
    path.chmod(0o640)
    write_json(path, [1])
    assert path.stat().st_mode & 0o777 == 0o640


def test_refuses_other_modes_and_folders(tmp_path):
    with pytest.raises(ValueError, match="mode is 'a'"), atomic_write(tmp_path / "x", "a"):
        pass
    with pytest.raises(IsADirectoryError, match="is a folder"), atomic_write(tmp_path):
        pass


def test_the_first_of_several_processes_writes(tmp_path):
    path = tmp_path / "new" / "a.json"
    assert write_first(path, {"a": 1}) and not write_first(path, {"a": 2})
    assert json.loads(path.read_text()) == {"a": 1} and [p.name for p in path.parent.iterdir()] == ["a.json"]
