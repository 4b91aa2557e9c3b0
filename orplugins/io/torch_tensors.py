"""What the names in torch's pickles build: tensors, data types, containers, and the hosts' few records."""

from __future__ import annotations

import math
from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from orplugins.io.pickle_values import NOT_READ, Constant, Name, Unfinished, UnsafePickleError, as_key
from orplugins.io.safe_pickle import array_builders

ITEM_BYTES = {
    **dict.fromkeys(("bool", "uint8", "int8", "float8_e4m3fn", "float8_e5m2"), 1),
    **dict.fromkeys(("int16", "uint16", "float16", "bfloat16"), 2),
    **dict.fromkeys(("int32", "uint32", "float32"), 4),
    **dict.fromkeys(("int64", "uint64", "float64", "complex64"), 8),
    "complex128": 16,
}
_STORAGES = {
    "Double": "float64",
    "Float": "float32",
    "Half": "float16",
    "BFloat16": "bfloat16",
    "Long": "int64",
    "Int": "int32",
    "Short": "int16",
    "Char": "int8",
    "Byte": "uint8",
    "Bool": "bool",
    "ComplexFloat": "complex64",
    "ComplexDouble": "complex128",
    "Untyped": "uint8",
}
_DTYPE_ALIASES = {"float": "float32", "double": "float64", "half": "float16", "long": "int64", "int": "int32"}
# A tensor that shows one number many times (torch's `expand`) is larger than what the file holds of it.
_MOST_EXPANDED = 1 << 24
_MOST_DIMENSIONS = 64
_ARRAY_KINDS = "biufcSUO"
# Classes whose objects are kept as their state, for a host's function to build: module, name.
_RECORDS = (("mmengine.logging.history_buffer", "HistoryBuffer"),)
_METHODS = ("min", "max", "current", "mean")


@dataclass(frozen=True)
class StorageType:
    """Stands for a class such as torch.FloatStorage; `dtype` is that of its numbers."""

    dtype: str


@dataclass(frozen=True)
class Storage:
    """Numbers that tensors are views of.

    Attributes:
        key: Its name in the file.
        dtype: The type of its numbers, torch's name without ``torch.``.
        count: How many there are.
        first: Which of the file's is the first.
    """

    key: str
    dtype: str
    count: int
    first: int = 0


@dataclass(frozen=True)
class View:
    """A tensor: which numbers of a storage it shows, and how; (offset, size, stride) count in its dtype."""

    storage: Storage
    dtype: str
    offset: int
    size: tuple[int, ...]
    stride: tuple[int, ...]
    requires_grad: bool


def torch_builders(
    tensor: Callable[[View], Any] | None, records: Mapping[tuple[str, str], Callable[[dict], Any]]
) -> dict[tuple[str, str], Any]:
    """Builders for `orplugins.io.pickle_opcodes.read_pickle`.

    Args:
        tensor: Makes the tensor of a view; None makes nothing of torch's, and torch is not imported.
        records: Make the hosts' own objects from their state; objects without a function here are `NOT_READ`.

    Returns:
        What each (module, name) stands for.
    """
    out = array_builders(_ARRAY_KINDS, scalars=True) | _containers() | _views(tensor) | _values(tensor is not None)
    for name in _RECORDS:
        out[name] = _record(records.get(name))
    for module in ("builtins", "__builtin__"):
        out[module, "getattr"] = _method
    for method in _METHODS:
        out["mmengine.logging.history_buffer", f"HistoryBuffer.{method}"] = Constant(NOT_READ)
    return out


def _containers() -> dict[tuple[str, str], Any]:
    out: dict[tuple[str, str], Any] = {
        ("collections", "OrderedDict"): lambda *a: _filled(OrderedDict(), *a),
        ("collections", "Counter"): lambda *a: _filled(Counter(), *a),
        ("collections", "defaultdict"): _defaultdict,
        ("collections", "deque"): lambda values=(), most=None: deque(_several(values), most),
    }
    for module in ("builtins", "__builtin__"):
        out |= {
            (module, "dict"): lambda *a: _filled({}, *a),
            (module, "list"): lambda values=(): list(_several(values)),
            (module, "tuple"): lambda values=(): tuple(_several(values)),
            (module, "set"): lambda values=(): {as_key(value) for value in _several(values)},
            (module, "frozenset"): lambda values=(): frozenset(as_key(value) for value in _several(values)),
            (module, "bytearray"): _bytearray,
            (module, "complex"): lambda real, imaginary: complex(_real(real), _real(imaginary)),
            (module, "slice"): lambda *a: slice(*map(_integer_or_none, a)),
            (module, "range"): lambda *a: range(*_numbers(a)),
            (module, "xrange"): lambda *a: range(*_numbers(a)),
        }
        out |= {(module, name): _no_call for name in ("int", "float", "str", "bool", "long", "unicode")}
    # Of these the keys are what matters: dicts of mmengine's, and the options of scripts such as MAE's.
    out["mmengine.config.config", "ConfigDict"] = lambda *a: _filled({}, *a)
    out["argparse", "Namespace"] = lambda: Unfinished(lambda state: _filled({}, state))
    return out


def _several(values: Any) -> Any:
    if not isinstance(values, (list, tuple, set, frozenset, deque)):
        raise UnsafePickleError(f"a container made of a value of type {type(values).__name__}")
    return values


def _filled(out: Any, *arguments: Any) -> Any:
    for argument in arguments[:1]:
        for key, value in argument.items() if isinstance(argument, dict) else map(tuple, _several(argument)):
            out[as_key(key)] = value
    return out


def _defaultdict(factory: Any = None, *arguments: Any) -> defaultdict:
    name = factory.name.partition(".")[2] if isinstance(factory, Name) else None
    kinds: dict[str | None, Any] = {None: None, "dict": dict, "list": list, "set": set, "int": int, "float": float}
    return _filled(defaultdict(kinds[name]), *arguments)


def _bytearray(data: Any = b"", encoding: Any = "latin-1") -> bytearray:
    if isinstance(data, str):
        data = data.encode("latin1")
    if not isinstance(data, (bytes, bytearray)):
        raise UnsafePickleError("a bytearray made of something else than bytes")
    return bytearray(data)


def _real(value: Any) -> float:
    if type(value) not in (int, float):
        raise UnsafePickleError("a complex number of something else than numbers")
    return float(value)


def _integer_or_none(value: Any) -> int | None:
    if value is not None and (type(value) is not int or abs(value) >> 63):
        raise UnsafePickleError("a slice of other values than integers")
    return value


def _no_call(*_: Any) -> Any:
    raise UnsafePickleError("it calls a class that only stands as a name")


def _record(build: Callable[[dict], Any] | None) -> Callable[..., Unfinished]:
    def finish(state: Any) -> Any:
        if not isinstance(state, dict):
            raise UnsafePickleError(f"an object whose state is of type {type(state).__name__}, expected its attributes")
        return NOT_READ if build is None else build(state)

    return lambda *_: Unfinished(finish)


def _method(owner: Any, name: Any) -> Any:
    """How protocols 0 to 3 name HistoryBuffer's methods; any other getattr is refused."""
    if not (isinstance(owner, Name) and owner.name.endswith(".HistoryBuffer") and name in _METHODS):
        raise UnsafePickleError("it takes an attribute of something", "getattr")
    return NOT_READ


def _values(real: bool) -> dict[tuple[str, str], Any]:
    """Data types, devices, sizes and layouts."""
    if real:
        import torch

        types = {name: getattr(torch, name) for name in ITEM_BYTES if hasattr(torch, name)}
        strided: Any = torch.strided
    else:
        types, strided = {name: f"torch.{name}" for name in ITEM_BYTES}, "torch.strided"
    types |= {alias: types[name] for alias, name in _DTYPE_ALIASES.items()}

    def size(values: Any = ()) -> Any:
        values = _numbers(values)
        return torch.Size(values) if real else values

    def device(kind: Any, index: Any = None) -> Any:
        if not isinstance(kind, str) or not (index is None or type(index) is int):
            raise UnsafePickleError("a device without a name")
        return NOT_READ if not real else torch.device(kind) if index is None else torch.device(kind, index)

    def layout(name: Any) -> Any:
        if name != "torch.strided":
            raise UnsafePickleError("a tensor of another layout than strided")
        return strided

    out: dict[tuple[str, str], Any] = {("torch", name): Constant(value) for name, value in types.items()}
    out |= {("torch", "Size"): size, ("torch", "device"): device, ("torch", "strided"): Constant(strided)}
    out |= {("torch.serialization", "_get_layout"): layout, ("torch", "Tensor"): _no_call, ("torch", "dtype"): _no_call}
    return out


def _numbers(values: Any) -> tuple[int, ...]:
    values = tuple(values)
    if len(values) > _MOST_DIMENSIONS or not all(type(value) is int and 0 <= value < 1 << 48 for value in values):
        raise UnsafePickleError("a tensor whose size is not of numbers")
    return values


def _views(tensor: Callable[[View], Any] | None) -> dict[tuple[str, str], Any]:
    """Storages' classes, and the functions that torch's pickles call for tensors and parameters."""

    def build(storage: Any, offset: Any, size: Any, stride: Any, requires_grad: Any = False, dtype: str = "") -> Any:
        if not isinstance(storage, Storage) or type(offset) is not int or offset < 0:
            raise UnsafePickleError("a tensor of something else than a storage")
        view = View(storage, dtype or storage.dtype, offset, _numbers(size), _numbers(stride), requires_grad is True)
        _check_view(view)
        return NOT_READ if tensor is None else tensor(view)

    def version2(storage, offset, size, stride, requires_grad=False, hooks=None, metadata=None) -> Any:
        if hooks or metadata:
            raise UnsafePickleError("a tensor with hooks or other extras")
        return build(storage, offset, size, stride, requires_grad)

    def version3(storage, offset, size, stride, requires_grad, hooks, dtype, metadata=None) -> Any:
        if hooks or metadata or (name := str(dtype).removeprefix("torch.")) not in ITEM_BYTES:
            raise UnsafePickleError("a tensor with hooks, other extras or another data type")
        return build(storage, offset, size, stride, requires_grad, name)

    def parameter(data: Any, requires_grad: Any = True, hooks: Any = None, state: Any = None) -> Any:
        import torch

        if hooks or not isinstance(data, torch.Tensor):
            raise UnsafePickleError("a parameter with hooks, or of no tensor")
        return torch.nn.Parameter(data, requires_grad is True)

    out: dict[tuple[str, str], Any] = {}
    for name, dtype in _STORAGES.items():
        for module in ("torch", "torch.cuda", "torch.storage"):
            out[module, f"{name}Storage"] = Constant(StorageType(dtype))
    out["torch._utils", "_rebuild_tensor"] = out["torch._utils", "_rebuild_tensor_v2"] = version2
    out["torch._utils", "_rebuild_tensor_v3"] = version3
    out["torch._utils", "_rebuild_parameter"] = out["torch._utils", "_rebuild_parameter_with_state"] = parameter
    out["torch.nn.parameter", "Parameter"] = _no_call
    return out


def _check_view(view: View) -> None:
    """Refuse a tensor that reaches beyond its storage, or that is far larger than it."""
    item, held = ITEM_BYTES[view.dtype], view.storage.count * ITEM_BYTES[view.storage.dtype]
    if len(view.size) != len(view.stride):
        raise UnsafePickleError("a tensor whose sizes and strides do not fit")
    if 0 in view.size:
        return
    last = view.offset + sum((n - 1) * step for n, step in zip(view.size, view.stride, strict=True))
    if (last + 1) * item > held or math.prod(view.size) * item > max(held, _MOST_EXPANDED):
        shape = "x".join(map(str, view.size))
        raise ValueError(f"a tensor of {shape} {view.dtype} in a storage of {held} bytes")
