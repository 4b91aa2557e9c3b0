"""Only regular files are opened; text in the usual encodings."""

import os

import pytest

from orplugins.io.files import read_bytes, read_text
from orplugins.io.json_fields import load_json


def test_pipes_devices_folders_and_link_loops_are_refused(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    (tmp_path / "zero").symlink_to("/dev/zero")
    with pytest.raises(ValueError, match="pipe: is a pipe, socket or device, expected a JSON file"):
        load_json(tmp_path / "pipe")
    with pytest.raises(ValueError, match="zero: is a pipe"):
        load_json(tmp_path / "zero")
    with pytest.raises(FileNotFoundError, match="loop: no such file, expected a JSON file"):
        load_json(tmp_path / "loop")
    with pytest.raises(ValueError, match="is a folder, expected text"):
        read_text(tmp_path, "text")


def test_size_limit(tmp_path):
    (tmp_path / "big").write_bytes(b"123456")
    with pytest.raises(ValueError, match="big: has 6 bytes, expected text of at most 5"):
        read_bytes(tmp_path / "big", "text", most_bytes=5)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_encodings(tmp_path, encoding):
    (tmp_path / "a").write_bytes('{"ä": 1}'.encode(encoding))
    assert load_json(tmp_path / "a") == {"ä": 1}


def test_other_encodings_and_nul_are_refused(tmp_path):
    (tmp_path / "a").write_bytes("ä".encode("latin-1"))
    with pytest.raises(ValueError, match=r"a: not UTF-8 text \(byte 0\)"):
        read_text(tmp_path / "a", "text")
    (tmp_path / "b").write_bytes("ab".encode("utf-16-le"))
    with pytest.raises(ValueError, match="b: has a NUL character at position 1"):
        read_text(tmp_path / "b", "text")


@pytest.mark.parametrize("digits", [41, 400, 5000])
def test_whole_numbers_of_many_digits(tmp_path, digits):
    (tmp_path / "a.json").write_text("[" + "7" * digits + "]")
    with pytest.raises(ValueError, match=f"a.json: holds a whole number of {digits} digits"):
        load_json(tmp_path / "a.json")
