"""Writes files of weights that would run code, fill the memory or mean two things, to try the readers of weights on.

    python dev/make_crafted_weights.py OUT     # crafted files below OUT, named after what is wrong with them

What a file would run is harmless: it makes the file that the environment variable ORPLUGINS_CANARY names (a TorchScript
archive cannot ask the environment: it writes to the variable's value when the file was made). No reader of this project
may make it, and each must refuse every file in one line that names the file.
"""

import argparse
import io
import json
import os
import struct
import sys
import tarfile
import warnings
import zipfile
import zlib
from pathlib import Path

CANARY = "ORPLUGINS_CANARY"
EXPRESSION = f"open(__import__('os').environ['{CANARY}'], 'a').close()"
SHELL = f'touch "${CANARY}"'
MAGIC = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."
HISTORY = ("mmengine.logging.history_buffer", "HistoryBuffer")


# Pieces of pickles: each function gives the opcodes that leave one value on the stack.


def text(value: str) -> bytes:
    return b"X" + struct.pack("<I", len(value.encode())) + value.encode()


def name(module: str, attribute: str) -> bytes:
    return f"c{module}\n{attribute}\n".encode()


def stack_name(module: str, attribute: str) -> bytes:
    return text(module) + text(attribute) + b"\x93"


def tup(*values: bytes) -> bytes:
    return b"(" + b"".join(values) + b"t"


def call(function: bytes, *arguments: bytes) -> bytes:
    return function + tup(*arguments) + b"R"


def attribute(owner: bytes, *path: str) -> bytes:
    for part in path:
        owner = call(name("builtins", "getattr"), owner, text(part))
    return owner


def items(*pairs: tuple[str, bytes]) -> bytes:
    return b"}(" + b"".join(text(key) + value for key, value in pairs) + b"u"


EVAL = call(name("builtins", "eval"), text(EXPRESSION))
COMMAND = b"](" + text("sh") + text("-c") + text(SHELL) + b"e"
POPEN = name("subprocess", "Popen")


def _getattr_chain() -> bytes:
    """eval, reached from a class that a checkpoint may name."""
    everything = attribute(name(*HISTORY), "__init__", "__globals__")
    builtins = call(attribute(everything, "__getitem__"), text("__builtins__"))
    return call(call(attribute(builtins, "__getitem__"), text("eval")), text(EXPRESSION))


def _getattr_left_below() -> bytes:
    """getattr stays on the stack below a pair that looks like one of HistoryBuffer's methods."""
    below = name("builtins", "getattr") + b"q\x01" + name(*HISTORY) + b"q\x02" + text("min") + b"\x860"
    return (
        below
        + b"h\x01h\x02"
        + text("__init__")
        + b"\x86Rq\x030h\x01h\x03"
        + text("__globals__")
        + b"\x86R"
        + (b"q\x040h\x01h\x04" + text("__getitem__") + b"\x86R" + text("__builtins__") + b"\x85R" + b"q\x050h\x01h\x05")
        + text("__getitem__")
        + b"\x86R"
        + text("eval")
        + b"\x85R"
        + text(EXPRESSION)
        + b"\x85R"
    )


def bodies() -> dict[str, bytes]:
    """Opcodes that run the canary, each in another way, and end with one value."""
    partial = call(name("functools", "partial"), name("builtins", "eval"), text(EXPRESSION))
    lazy = call(name("builtins", "map"), name("builtins", "eval"), b"](" + text(EXPRESSION) + b"e")
    return {
        "reduce": EVAL,
        "reduce_exec": call(name("builtins", "exec"), text(EXPRESSION)),
        "reduce_system": call(name("os", "system"), text(SHELL)),
        "stack_name": call(stack_name("os", "system"), text(SHELL)),
        "stack_name_dotted": call(stack_name("torch", "os.system"), text(SHELL)),
        "stack_name_popped": text("os") + text("system") + text("abc") + b"0\x93" + tup(text(SHELL)) + b"R",
        "stack_name_memo": text("system") + b"q\x070" + text("os") + b"h\x07\x93" + tup(text(SHELL)) + b"R",
        "instance": b"(" + text(EXPRESSION) + b"ibuiltins\neval\n",
        "object": b"(" + name("builtins", "eval") + text(EXPRESSION) + b"o",
        "new": name("builtins", "tuple") + tup(lazy) + b"\x81",
        "new_keywords": name("builtins", "frozenset") + tup(lazy) + b"}\x92",
        "reconstructor": call(name("copyreg", "_reconstructor"), POPEN, POPEN, COMMAND),
        "state": _state(),
        "getattr_chain": _getattr_chain(),
        "getattr_left_below": _getattr_left_below(),
        "dictionary_default": call(name("collections", "defaultdict"), partial) + b"q\x09" + call(
            attribute(b"h\x09", "__getitem__"), text("any")
        ) + b"0",
        "in_ordered_dict": call(name("collections", "OrderedDict"), b"](](" + text("k") + EVAL + b"ee"),
        "in_dict_state": call(name("collections", "OrderedDict")) + items(("_metadata", EVAL)) + b"b",
        "in_object_array": _object_array(EVAL),
        "in_key": b"}(" + EVAL + b"K\x01u",
        "popped": EVAL + b"0N",
        "map": call(name("builtins", "list"), lazy),
        "numpy_gadget": call(name("numpy.testing._private.utils", "runstring"), text(EXPRESSION), b"}"),
        "torch_gadget": call(name("torch.utils.collect_env", "run"), text(SHELL)),
        "pip_gadget": call(name("timeit", "timeit"), text(EXPRESSION), text("pass"), name("time", "time"), b"K\x01"),
    }  # fmt: skip


def _state() -> bytes:
    """An object whose __setstate__ calls what its state names."""
    made = call(name("functools", "partial"), name("builtins", "print"))
    state = tup(name("builtins", "eval"), tup(text(EXPRESSION)), b"}", b"N")
    return made + state + b"bq\x0a" + call(attribute(b"h\x0a", "__call__"))


def _object_array(entry: bytes, size: bytes = b"K\x01") -> bytes:
    made = call(name("numpy.core.multiarray", "_reconstruct"), name("numpy", "ndarray"), tup(b"K\x00"), b"C\x01b")
    dtype = call(name("numpy", "dtype"), text("O8"), b"\x89", b"\x88")
    return made + tup(b"K\x01", tup(size), dtype, b"\x89", b"](" + entry + b"e") + b"b"


def bombs() -> dict[str, bytes]:
    """Whole pickles that would fill the memory, overflow the stack or never end, and some that are damaged."""
    many = 100_000
    return {
        "memo": b"\x80\x02Nr\xff\xff\xff\x0f.",
        "frame": b"\x80\x04\x95" + b"\xff" * 7 + b"\x7fN",
        "bytes": b"\x80\x05\x8e" + struct.pack("<Q", 1 << 46) + b".",
        "bytearray": b"\x80\x05\x96" + struct.pack("<Q", 1 << 46) + b".",
        "text": b"\x80\x04\x8d" + struct.pack("<Q", 1 << 62) + b".",
        "negative_text": b"\x80\x02T" + struct.pack("<i", -5) + b".",
        "number": b"\x80\x02\x8b" + struct.pack("<i", 1 << 20) + b"\x7f" * (1 << 20) + b".",
        "digits": b"\x80\x02L" + b"9" * 100_000 + b"L\n.",
        "deep_tuple_as_key": b"\x80\x02}N" + b"\x85" * many + b"K\x01s.",
        "deep_list": b"\x80\x02" + b"]" * many + b"a" * (many - 1) + b".",
        "itself": b"\x80\x02]q\x00h\x00a.",
        "copies": b"\x80\x02](" + b"N" * many + b"eq\x00](" + call(name("builtins", "list"), b"h\x00") * 20_000 + b"e.",
        "sets": b"\x80\x04](" + b"\x8f" * 2_000_000 + b"e.",
        "queues": b"\x80\x04](" + name("collections", "deque") + b"q\x00" + b"h\x00)R" * 700_000 + b"e.",
        "one_set_again": b"\x80\x04](" + b"N" * many + b"eq\x000](" + call(name("builtins", "set"), b"h\x00") * 20_000
        + b"e.",
        "long_key": b"\x80\x04" + tup(b"K\x01" * many) + b"q\x000}" + b"h\x00Ns" * 20_000 + b".",
        "laughs": b"\x80\x02]q\x00" + b"".join(
            b"0](" + (b"h" + bytes([k])) * 10 + b"eq" + bytes([k + 1]) for k in range(200)
        ) + b".",
        "outside": b"\x80\x02" + text("storage") + b"Q.",
        "outside_text": b"\x80\x02Peval\n.",
        "extension": b"\x80\x02\x82\x01.",
        "buffer": b"\x80\x05\x97.",
        "array_shape": b"\x80\x02" + _object_array(b"N", b"\x8a\x06" + b"\xff" * 5 + b"\x00") + b".",
        "state_of_a_name": b"\x80\x02" + name("collections", "OrderedDict") + items(("x", b"N")) + b"b.",
        "append_to_nothing": b"\x80\x02Na.",
        "nothing": b"\x80\x02.",
        "open_mark": b"\x80\x02(.",
    }  # fmt: skip


# Containers


def archive(
    pickle: bytes,
    extra: tuple[tuple[str, bytes], ...] = (),
    pickle_name: str = "archive/data.pkl",
    compression: int = zipfile.ZIP_STORED,
) -> bytes:
    """What torch.save makes of a pickle."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", compression) as file, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a name twice
        for entry, data in ((pickle_name, pickle), ("archive/version", b"3\n"), *extra):
            file.writestr(entry, data)
    return out.getvalue()


def stream(pickles: list[bytes]) -> bytes:
    """What torch before 1.6 made of five pickles."""
    return b"".join(pickles)


def stream_parts(body: bytes) -> list[bytes]:
    """Number, version, machine, object, storages."""
    machine = b"\x80\x02" + items(("protocol_version", b"M\xe9\x03"), ("little_endian", b"\x88")) + b"."
    return [MAGIC, b"\x80\x02M\xe9\x03.", machine, body, b"\x80\x02]."]


def _two_directories(good: bytes, evil: bytes) -> bytes:
    """A second archive in the first one's comment: readers that look from the end find it."""
    return good[:-2] + struct.pack("<H", len(evil)) + evil


def _other_header(data: bytes, field: int, value: bytes) -> bytes:
    """Change the first entry's own header, not the directory's."""
    return data[:field] + value + data[field + len(value) :]


def _tensor(
    size: bytes, stride: bytes, offset: bytes = b"K\x00", count: bytes = b"K\x04", kind: str = "FloatStorage"
) -> bytes:
    storage = tup(text("storage"), name("torch", kind), text("0"), text("cpu"), count) + b"Q"
    hooks = call(name("collections", "OrderedDict"))
    return call(name("torch._utils", "_rebuild_tensor_v2"), storage, offset, size, stride, b"\x89", hooks)


def _tensors() -> dict[str, bytes]:
    big = b"\x8a\x06" + struct.pack("<Q", 1 << 40)[:6]
    views = {
        "huge": (tup(big, big), tup(b"K\x00", b"K\x00")),
        "beyond": (tup(b"K\x05"), tup(b"K\x01")),
        "strided_beyond": (tup(b"K\x02"), tup(big)),
        "negative": (tup(b"J\xff\xff\xff\xff"), tup(b"K\x01")),
        "not_numbers": (text("x"), text("y")),
        "uneven": (tup(b"K\x02", b"K\x02"), tup(b"K\x01")),
    }
    out = {key: _tensor(*view) for key, view in views.items()}
    out["offset_beyond"] = _tensor(tup(b"K\x01"), tup(b"K\x01"), offset=b"K\x04")
    out["more_than_stored"] = _tensor(tup(b"K\x09"), tup(b"K\x01"), count=b"K\x09")
    out["other_type"] = _tensor(tup(b"K\x04"), tup(b"K\x01"), kind="DoubleStorage")
    out["not_stored"] = _tensor(tup(b"K\x04"), tup(b"K\x01")).replace(text("0"), text("7"))
    return out


def safetensors(header: bytes, numbers: bytes = b"\0" * 16, length: int | None = None) -> bytes:
    """A safetensors file, also with a wrong length of its header."""
    return struct.pack("<Q", len(header) if length is None else length) + header + numbers


def _tar(body: bytes) -> bytes:
    """What torch 0.1 wrote."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as file:
        for entry in ("storages", "tensors", "pickle"):
            info = tarfile.TarInfo(entry)
            info.size = len(body)
            file.addfile(info, io.BytesIO(body))
    return out.getvalue()


def torchscript(path: Path) -> bool:
    """Write an archive of code that writes a file when it is loaded; False where torch has no more TorchScript."""
    try:
        import torch

        class Writes(torch.nn.Module):
            target: str

            def __init__(self, target: str):
                super().__init__()
                self.target = target

            def forward(self, x: torch.Tensor) -> torch.Tensor:
                return x

            @torch.jit.export
            def __getstate__(self) -> tuple[str, bool]:
                return self.target, self.training

            @torch.jit.export
            def __setstate__(self, state: tuple[str, bool]) -> None:
                self.target = state[0]
                self.training = state[1]
                torch.save(torch.zeros(1), state[0])

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            torch.jit.script(Writes(os.environ.get(CANARY, "canary"))).save(str(path))
    except Exception as error:
        print(f"note: no TorchScript archive ({type(error).__name__})", file=sys.stderr)
        return False
    return True


def crafted_files() -> dict[str, bytes]:
    """Every file but the TorchScript archive, by name."""
    whole = {key: b"\x80\x04" + body + b"." for key, body in bodies().items()}
    evil, plain = whole["reduce"], b"\x80\x02" + items(("state_dict", b"}")) + b"."
    inside = b"\x80\x04" + items(("state_dict", b"}"), ("meta", EVAL)) + b"."
    out = {f"archive_{key}.pth": archive(body) for key, body in whole.items()}
    out |= {f"pickle_{key}.pkl": body for key, body in whole.items()}
    out |= {f"stream_{key}.pth": stream(stream_parts(body)) for key, body in whole.items()}
    out |= {f"archive_bomb_{key}.pth": archive(body) for key, body in bombs().items()}
    out |= {f"pickle_bomb_{key}.pkl": body for key, body in bombs().items()}
    # under another suffix, or none
    for suffix in (".safetensors", ".SAFETENSORS", ".bin", ".PTH", ".Pkl", ".pyth", ".pt", ".ckpt", ".onnx", ""):
        out[f"pickle_named{suffix}"] = evil
        out[f"archive_named{suffix}"] = archive(inside)
        out[f"stream_named{suffix}"] = stream(stream_parts(inside))
    for place in range(5):
        parts = stream_parts(plain)
        parts[place] = evil
        out[f"stream_evil_in_{place}.pkl"] = out[f"stream_evil_in_{place}.pth"] = stream(parts)
    parts = stream_parts(plain)
    out["stream_evil_behind.pth"] = stream([*parts, evil])
    out["stream_evil_in_front.pth"] = stream([evil, *parts])
    out["stream_cut.pth"] = stream(parts)[:-5]
    # archives
    good, bad = archive(plain), archive(evil)
    central = struct.unpack("<I", good[-6:-2])[0]
    out |= {
        "zip_evil_in_comment.pth": _two_directories(good, bad),
        "zip_good_in_comment.pth": _two_directories(bad, good),
        "zip_comment.pth": good[:-2] + b"\x05\x00hello",
        "zip_evil_in_front.pth": evil + good,
        "zip_evil_behind.pth": good + evil,
        "zip_two.pth": bad + good,
        "zip_two_turned.pth": good + bad,
        "zip_gap.pth": good[:central] + evil + good[central:-6] + struct.pack("<I", central + len(evil)) + b"\0\0",
        "zip_name_twice.pth": archive(plain, (("archive/data.pkl", evil),)),
        "zip_name_twice_turned.pth": archive(evil, (("archive/data.pkl", plain),)),
        "zip_name_in_capitals.pth": archive(plain, (("archive/DATA.PKL", evil),)),
        "zip_only_capitals.pth": archive(evil, pickle_name="archive/DATA.PKL"),
        "zip_second_folder.pth": archive(plain, (("other/data.pkl", evil),)),
        "zip_first_folder.pth": archive(evil, (("other/data.pkl", plain),)),
        "zip_in_a_folder.pth": archive(plain, (("archive/extra/data.pkl", evil),)),
        "zip_hidden_pickle.pth": archive(plain, (("archive/.data/x.pkl", evil),)),
        "zip_no_pickle.pth": archive(b"", pickle_name="archive/photo.png"),
        "zip_constants.pth": archive(plain, (("archive/constants.pkl", evil),)),
        "zip_code.pth": archive(plain, (("archive/code/__torch__.py", EXPRESSION.encode()),)),
        "zip_compressed.pth": archive(inside, compression=zipfile.ZIP_DEFLATED),
        "zip_bomb.pth": archive(b"\x80\x02U\x01" + b"\0" * (64 << 20) + b".", compression=zipfile.ZIP_DEFLATED),
        "zip_other_name.pth": _other_header(good, 30, b"archive/data.pki"),
        "zip_other_size.pth": _other_header(good, 22, struct.pack("<I", 5)),
        "zip_other_checksum.pth": _other_header(good, 14, struct.pack("<I", zlib.crc32(evil))),
        "zip_other_method.pth": _other_header(good, 8, struct.pack("<H", 8)),
        "zip_encrypted.pth": _other_header(good, 6, struct.pack("<H", 1)),
        "zip_damaged.pth": _other_header(good, 30 + 16 + 3, b"\x7f\x7f"),
        "zip_cut.pth": good[: len(good) // 2],
        "zip_end_alone.pth": good[-22:],
        "zip_wide.pth": _wide(good),
        "tar.pth": _tar(evil),
    }
    four = (("archive/data/0", struct.pack("<4f", 1, 2, 3, 4)),)
    for key, body in _tensors().items():
        out[f"tensor_{key}.pth"] = archive(b"\x80\x02" + items(("state_dict", items(("w", body)))) + b".", four)
    entry = {"dtype": "F32", "shape": [4], "data_offsets": [0, 16]}
    header = json.dumps({"w": entry}).encode()
    out |= {
        "header_long.safetensors": safetensors(header, length=1 << 60),
        "header_beyond.safetensors": safetensors(header, length=1 << 20),
        "header_empty.safetensors": safetensors(header, length=0),
        "header_deep.safetensors": safetensors(b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}"),
        "header_digits.safetensors": safetensors(b'{"w":{"shape":[' + b"9" * 5000 + b"]}}"),
        "header_list.safetensors": safetensors(b"[]" + b" " * 20),
        "notes_deep.safetensors": safetensors(
            json.dumps({"__metadata__": {"orplugins": "[" * 100_000}, "w": entry}).encode()
        ),
        "numbers_missing.safetensors": safetensors(header, b"\0" * 8),
        "numbers_behind.safetensors": safetensors(header, b"\0" * 16 + evil),
        "numbers_huge.safetensors": safetensors(
            json.dumps({"w": {"dtype": "F32", "shape": [1 << 40], "data_offsets": [0, 1 << 42]}}).encode()
        ),
        "pickle_in_archive.safetensors": archive(evil),
    }
    return out


def _wide(good: bytes) -> bytes:
    """A zip64 record that names another directory than the short one."""
    end = len(good) - 22
    count, size, start = struct.unpack("<HII", good[-12:-2])
    record = b"PK\6\6" + struct.pack("<QHHIIQQQQ", 44, 45, 45, 0, 0, count, count, size, start + 1)
    return good[:end] + record + b"PK\6\7" + struct.pack("<IQI", 0, end, 1) + good[end:]


def write_crafted(folder: Path) -> list[Path]:
    """Write every file.

    Args:
        folder: Where to; made if it is missing.

    Returns:
        The files.
    """
    folder.mkdir(parents=True, exist_ok=True)
    files = []
    for key, data in crafted_files().items():
        path = folder / key
        path.write_bytes(data)
        files.append(path)
    if torchscript(folder / "torchscript.pt"):
        for suffix in (".pth", ".bin", ".pkl", ".safetensors"):
            (folder / f"torchscript{suffix}").write_bytes((folder / "torchscript.pt").read_bytes())
            files.append(folder / f"torchscript{suffix}")
        files.append(folder / "torchscript.pt")
    return files


def main(argv: list[str] | None = None) -> int:
    """Write the files and say how many."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path, metavar="OUT", help="folder")
    args = parser.parse_args(argv)
    print(f"{args.out}: {len(write_crafted(args.out))} files; {CANARY} names the file that none of them may make")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
