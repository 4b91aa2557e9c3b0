"""Damage to files, repeatable by seed: bytes of any file, and the values of those whose structure is known."""

from __future__ import annotations

import copy
import io
import json
import pickle
import random
import re
import struct
import zipfile
from collections.abc import Callable
from typing import Any

import numpy as np

# Texts that stand for numbers which no Python value writes as itself.
_RAW = {
    "@1e400@": "1e400",
    "@nan@": "NaN",
    "@inf@": "-Infinity",
    "@400@": "9" * 400,
    "@5000@": "-" + "9" * 5000,
    "@deep@": "[" * 20000 + "]" * 20000,
}
_VALUES: tuple[Any, ...] = (
    None, True, False, "", "x", "1", "1.5", "nan", "../../x", "a\nb", "\u0000", -1, 0, 1, 2, 3, 0.5, -0.0, 1e308,
    -1e308, 1e15, 2**31, 2**53, 2**63, 10**12, 10**18, 10**30, 500_000_000, [], {}, [[]], [None], ["a"], {"a": 1}, [1],
    [1, [2]], [1, 2, 3], [[1, 2], [3]], [0.0] * 51, [[0.0] * 3] * 3, [1e308, 1e308, 1e308], *_RAW,
)  # fmt: skip
_TOKENS = ("nan", "inf", "-1", "0", "1e400", "9" * 400, "9" * 5000, "1e15", "1e308", "x", "", "[", "]", "{", "}", ":",
           "null", "0x10", "1_0", "&a", "*a", "!!python/object:os.system", "<", ">", "&lt;", "\u0661", "[" * 3000,
           "- " * 3000,
           "2026-11-29", "true", "1;2", "'", '"')  # fmt: skip


def mutate(data: bytes, kind: str, rng: random.Random) -> bytes:
    """Damage a file's content in one to three places.

    Args:
        data: A valid file.
        kind: "json", "jsonl", "npz", "npy", "pickle", "h5", "text" or "binary".
        rng: Source of all choices.

    Returns:
        The damaged content.
    """
    structured = _KINDS.get(kind)
    if structured is None or rng.random() < 0.25:
        return _bytes(data, rng)
    try:
        return structured(data, rng)
    except (ValueError, TypeError):  # the damage cannot be done to this value: text as numbers
        return _bytes(data, rng)


def _bytes(data: bytes, rng: random.Random) -> bytes:
    out = bytearray(data)
    for _ in range(rng.choice((1, 1, 1, 2, 3, 20))):
        if not out:
            break
        # Headers decide most, so half of the places lie in the first bytes.
        at = rng.randrange(min(len(out), 256)) if rng.random() < 0.5 else rng.randrange(len(out))
        what = rng.randrange(9)
        length = rng.choice((1, 2, 4, 8, 16, 100, 1000))
        if what == 0:
            out[at] ^= 1 << rng.randrange(8)
        elif what == 1:
            out[at] = rng.randrange(256)
        elif what == 2:
            del out[at:]
        elif what == 3:
            del out[at : at + length]
        elif what == 4:
            out[at:at] = rng.randbytes(length)
        elif what == 5:
            out[at:at] = out[at : at + length]
        elif what == 6:
            number = rng.choice((0, 1, 0x7F, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF, 0xEA60, 10**6, 2**40, 2**63))
            size = rng.choice((1, 2, 4, 8))
            out[at : at + size] = (number & (256**size - 1)).to_bytes(size, rng.choice(("little", "big")))
        elif what == 7:
            other = rng.randrange(len(out))
            out[at : at + length] = out[other : other + length]
        else:
            out[at : at + length] = bytes(min(length, len(out) - at))
    return bytes(out)


def _places(value: Any, found: list) -> list:
    """All (container, key) pairs of a tree."""
    children: Any = ()
    if isinstance(value, dict):
        children = list(value.items())
    elif isinstance(value, list):
        children = list(enumerate(value))
    elif isinstance(value, np.ndarray) and value.dtype.hasobject:
        children = [((i,), v) if value.ndim == 1 else (i, v) for i, v in zip(np.ndindex(value.shape), value.flat)]  # noqa: B905
    for key, child in children:
        found.append((value, key))
        _places(child, found)
    return found


def tree(value: Any, rng: random.Random, replacement: Callable[[Any, random.Random], Any]) -> Any:
    """Replace, retype, delete or double one to three values of a tree of containers."""
    value = copy.deepcopy(value)
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        places = _places(value, [])
        if not places or rng.random() < 0.02:
            value = replacement(value, rng)
            continue
        # A long list of numbers must not hide the few fields beside it: half of the places lie at the top.
        container, key = rng.choice(places if rng.random() < 0.5 else places[: max(8, len(places) // 10)])
        what = rng.randrange(8)
        if what == 0 and not isinstance(container, np.ndarray):
            del container[key]
        elif what == 1 and isinstance(container, list):
            container.insert(key, copy.deepcopy(container[key]))
        elif what == 2 and isinstance(container, dict):
            container[rng.choice(("x", "", "0", "*"))] = container.pop(key)
        elif what == 3 and isinstance(container, dict):
            container[key] = copy.deepcopy(container[rng.choice(list(container))])
        elif what == 4:
            container[key] = [container[key]]
        elif what == 5 and isinstance(container[key], list):
            container[key] = container[key][: rng.randrange(len(container[key]) + 1)] * rng.choice((1, 2))
        else:
            container[key] = replacement(container[key], rng)
    return value


def _json_value(old: Any, rng: random.Random) -> Any:
    if rng.random() < 0.2:
        if isinstance(old, (int, float)) and not isinstance(old, bool):
            return rng.choice((str(old), -old, old * 1000, old + 0.5, old * 1e30, float(old)))
        if isinstance(old, list):
            return rng.choice(({str(k): v for k, v in enumerate(old)}, old[0] if old else None, str(old)[:100]))
        if isinstance(old, dict):
            return list(old.values())
    return copy.deepcopy(rng.choice(_VALUES))


def _dump(value: Any) -> str:
    text = json.dumps(value)
    for name, raw in _RAW.items():
        text = text.replace(f'"{name}"', raw)
    return text


def _json(data: bytes, rng: random.Random) -> bytes:
    text = _dump(tree(json.loads(data), rng, _json_value))
    if rng.random() < 0.03:
        return text.encode(rng.choice(("utf-8-sig", "utf-16", "utf-16-le", "utf-32", "cp500")))
    return text.encode()


def _jsonl(data: bytes, rng: random.Random) -> bytes:
    lines = data.decode().splitlines()
    k = rng.randrange(len(lines))
    lines[k] = _dump(tree(json.loads(lines[k]), rng, _json_value))
    if rng.random() < 0.1:
        del lines[rng.randrange(len(lines))]
    return ("\n".join(lines) + rng.choice(("\n", "\n", ""))).encode()


def _array(old: Any, rng: random.Random) -> Any:
    """Another value for an entry of an archive or a pickle."""
    if not isinstance(old, (np.ndarray, np.generic)):
        value = _json_value(old, rng)
        return float("nan") if isinstance(value, str) and value in _RAW else value
    old = np.asarray(old)
    what = rng.randrange(14)
    if old.dtype.hasobject and what in (2, 3, 6, 7, 8):
        what = 0
    if what == 0:
        return rng.choice(
            (np.zeros(0), np.zeros((0, 17, 3)), np.zeros((3, 0)), np.array(0.0), np.array("x"), np.zeros((2, 2)))
        )
    if what == 1:
        return rng.choice(
            (np.array(None), np.array([None, "a"], dtype=object), np.array({"a": 1}), np.array(["a", "b"]))
        )
    if what == 2:
        return old.astype(rng.choice(("f2", "f8", "i1", "u8", "c16", "S3", "U5", "?", ">f4")))
    if what == 3 and old.size:
        new = old.astype(np.float64) if old.dtype.kind in "fiub" else np.zeros(old.shape)
        new.flat[rng.randrange(new.size)] = rng.choice((np.nan, np.inf, -np.inf, 1e308, -1.0, 1e15, 5e8))
        return new
    if what == 4:
        return old[..., None]
    if what == 5 and old.ndim:
        return old[0]
    if what == 6 and old.ndim:
        return old[: rng.randrange(len(old) + 1)]
    if what == 7 and old.ndim:
        return np.concatenate([old, old])
    if what == 8 and old.ndim:
        return np.moveaxis(old, 0, -1)
    if what == 9:
        return old.tolist()
    if what == 10:
        return np.full(old.shape, np.nan)
    if what == 11:
        return np.datetime64("2020-01-01")
    if what == 12:
        return np.zeros(2, dtype=[("a", "f4"), ("b", "i2")])
    return np.full(old.shape, rng.choice((-1, 10**15, 500_000_000)))


_DESCRIPTIONS = (
    "<f8",
    "|O",
    "<U100000000",
    "|V8",
    "|S0",
    "<U0",
    "<M8[s]",
    "<c16",
    "[('a','<f4')]",
    "x",
    "<f3",
    "|b1",
    ">i8",
    "",
)
_SHAPES = ("()", "(1000000000000,)", "(0, 1000000000000)", "(-1,)", "(2, 3", "(1.5,)", "('a',)", "5", "None", "(" * 200,
           "(999999999999999999999999,)", "(1,)" * 9, "(2L,)", "(True,)", "(65536, 65536, 17, 3)")  # fmt: skip


def _npy(data: bytes, rng: random.Random) -> bytes:
    what = rng.randrange(6)
    if what < 3 and len(data) > 10 and data[:6] == b"\x93NUMPY":
        length = struct.unpack("<H", data[8:10])[0]
        header, rest = data[10 : 10 + length].decode("latin1"), data[10 + length :]
        pick = rng.randrange(5)
        if pick == 0:
            header = re.sub(r"'descr': [^,]+,", lambda _: f"'descr': {rng.choice(_DESCRIPTIONS)!r},", header)
        elif pick == 1:
            header = re.sub(r"'shape': \([^)]*\)", lambda _: f"'shape': {rng.choice(_SHAPES)}", header)
        elif pick == 2:
            header = header.replace("False", rng.choice(("True", "1", "[]", "None", "'x'")))
        elif pick == 3:
            header = rng.choice(
                ("", "{", "{}", "[" * 500, "-" * 9000 + "1", "'" * 3, "{'descr': '<f8'}", "\x00", "1" * 5000)
            )
        else:
            k = rng.randrange(len(header))
            header = header[:k] + chr(rng.randrange(256)) + header[k + 1 :]
        version = data[6:8] if rng.random() < 0.9 else bytes((rng.randrange(5), rng.randrange(3)))
        return b"\x93NUMPY" + version + struct.pack("<H", len(header)) + header.encode("latin1") + rest
    if what == 3:
        return _bytes(data, rng)
    old = np.load(io.BytesIO(data), allow_pickle=True)
    if old.dtype.hasobject and what == 4:
        new = np.empty((), dtype=object)
        new[()] = tree(old.item() if old.shape == () else list(old), rng, _array)
    else:
        new = _array(old, rng)
    return _saved(new)


def _saved(value: Any) -> bytes:
    buffer = io.BytesIO()
    try:
        array = np.asanyarray(value)
    except ValueError:
        array = np.array(None)
    np.save(buffer, array, allow_pickle=True)
    return buffer.getvalue()


def _npz(data: bytes, rng: random.Random) -> bytes:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = {info.filename: archive.read(info) for info in archive.infolist()}
    whole = dict(members)
    for _ in range(rng.choice((1, 1, 2))):
        if not members:
            break
        name = rng.choice(list(members))
        what = rng.randrange(8)
        if what == 0:
            del members[name]
        elif what == 1:
            members[rng.choice(("x.npy", "../x.npy", name.removesuffix(".npy"), ""))] = members.pop(name)
        elif what == 2:
            members[name] = members[rng.choice(list(members))]
        else:
            # A whole one again: numpy is not to unpickle damaged bytes here.
            members[name] = _npy(whole.get(name) or whole[rng.choice(list(whole))], rng)
    method = rng.choice((0, 0, 8, 8, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA))
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, member in members.items():
            archive.writestr(zipfile.ZipInfo(name), member, method)
    return _bytes(buffer.getvalue(), rng) if rng.random() < 0.25 else buffer.getvalue()


def _pickle(data: bytes, rng: random.Random) -> bytes:
    value = tree(pickle.loads(data), rng, _array)
    if rng.random() < 0.05:
        value = rng.choice((np.float64, len, object(), {1, 2}, 1 + 2j, bytearray(b"x"), range(3)))
    return pickle.dumps(value, protocol=rng.randrange(6))


def _text(data: bytes, rng: random.Random) -> bytes:
    text = data.decode()
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        tokens = list(re.finditer(r"[^\s,<>=:\[\]]+", text))
        lines = text.splitlines(keepends=True)
        what = rng.randrange(8)
        if what < 4 and tokens:
            token = rng.choice(tokens)
            text = text[: token.start()] + rng.choice(_TOKENS) + text[token.end() :]
        elif what == 4 and lines:
            del lines[rng.randrange(len(lines))]
            text = "".join(lines)
        elif what == 5 and lines:
            k = rng.randrange(len(lines))
            text = "".join(lines[:k] + [lines[k]] * rng.choice((2, 5)) + lines[k + 1 :])
        elif what == 6 and lines:
            k = rng.randrange(len(lines))
            lines[k] = lines[k][: rng.randrange(len(lines[k]))] + "\n"
            text = "".join(lines)
        else:
            k = rng.randrange(len(text) + 1)
            text = (
                text[:k]
                + rng.choice((*_TOKENS, "\0", "\n", "\r", "\x85", "\u2028", ",", "\t", "#", "\ufeff"))
                + text[k:]
            )
    encoding = "utf-8" if rng.random() < 0.9 else rng.choice(("utf-16", "utf-8-sig", "utf-32", "utf-16-le", "cp500"))
    return text.encode(encoding, "replace")


def _h5(data: bytes, rng: random.Random) -> bytes:
    import h5py

    if rng.random() < 0.4:
        return _bytes(data, rng)
    buffer = io.BytesIO(data)
    with h5py.File(buffer, "r+") as file:
        name = rng.choice(list(file))
        old = file[name][()]
        del file[name]
        what = rng.randrange(14)
        if what == 0:
            file.create_group(name)
        elif what == 1:
            file[name] = h5py.SoftLink(rng.choice((f"/{name}", "/nowhere", "/")))
        elif what == 2:
            file[name] = h5py.ExternalLink(rng.choice(("/etc/passwd", "nowhere.h5")), "/data")
        elif what == 3:
            file.create_dataset(
                name,
                old.shape,
                "S8" if old.dtype.kind == "S" else old.dtype,
                external=[("/etc/passwd", 0, 8 * max(old.size, 1) * 8)],
            )
        elif what == 4:
            layout = h5py.VirtualLayout(old.shape, "f4")
            layout[...] = h5py.VirtualSource("/etc/passwd", "x", old.shape)
            file.create_virtual_dataset(name, layout)
        elif what == 5:
            shape = rng.choice(((10**12,), (10**6, 10**6), (10**9, *old.shape[1:]), (10**7, 10**5, 3)))
            file.create_dataset(
                name, shape, "f2", chunks=tuple(min(n, 64) for n in shape) if rng.random() < 0.5 else True
            )
        elif what == 6:
            file.create_dataset(name, (10**9, *old.shape[1:]), old.dtype)
        elif what == 7:
            file.create_dataset(name, data=["a", "b"], dtype=h5py.string_dtype())
        elif what == 8:
            file.create_dataset(name, data=np.zeros(old.shape, dtype=[("a", "f4"), ("b", "i2")]))
        elif what == 9:
            file.create_dataset(
                name,
                (2,),
                dtype=rng.choice(
                    (h5py.ref_dtype, h5py.vlen_dtype(np.int32), "c8", "?", "M8[s]".replace("M8[s]", "i8"))
                ),
            )
        elif what == 10:
            file.create_dataset(name, data=h5py.Empty("f4"))
        elif what == 11:
            file.create_dataset(
                name, old.shape, old.dtype, chunks=tuple(max(1, n) for n in old.shape), compression="gzip", data=old
            )
        else:
            new = np.asarray(_array(old, rng))
            if new.dtype.kind in "fiub" or new.dtype.kind == "c":
                file.create_dataset(name, data=new)
    return buffer.getvalue()


_KINDS: dict[str, Callable[[bytes, random.Random], bytes]] = {
    "json": _json,
    "jsonl": _jsonl,
    "npz": _npz,
    "npy": _npy,
    "pickle": _pickle,
    "text": _text,
    "h5": _h5,
}
