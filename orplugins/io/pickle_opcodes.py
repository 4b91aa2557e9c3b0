"""Which byte of a pickle does what: the one place where pickles are read, by `orplugins.io.pickle_machine`."""

from __future__ import annotations

import codecs
from collections.abc import Callable, Mapping
from typing import IO, Any

from orplugins.io.pickle_machine import Machine
from orplugins.io.pickle_values import UnsafePickleError, as_key

_LONGEST_NUMBER = 256  # characters or bytes


def read_pickle(
    file: IO[bytes],
    builders: Mapping[tuple[str, str], Any],
    persistent: Callable[[Any], Any] | None = None,
    ignore_unknown: bool = False,
    types: tuple[type, ...] | None = None,
) -> Any:
    """Read one pickle; nothing that it names is looked up.

    Args:
        file: A binary file that can be sought; it is left behind the pickle.
        builders: What (module, name) stands for: a function of the call's arguments, or a `Constant`. A function may
            give an `Unfinished`.
        persistent: Gives the objects that the pickle keeps outside itself; None refuses them.
        ignore_unknown: Put `NOT_READ` in place of names that are not listed, instead of refusing them.
        types: The types that the value may hold; None takes whatever was built.

    Returns:
        Its value.

    Raises:
        UnsafePickleError: A name that is not listed.
        ValueError: No pickle, cut off, or one that no pickler writes.
    """
    machine = Machine(file, builders, persistent, ignore_unknown, types)
    while (code := machine.take(1)[0]) != _STOP:
        operation = _OPERATIONS.get(code)
        if operation is None:
            raise ValueError(f"not a pickle: byte 0x{code:02x} is no opcode")
        operation(machine)
    return machine.result()


def _text_number(line: bytes, kind: Callable[[str], Any]) -> Any:
    try:
        return kind(line.decode("ascii"))
    except ValueError:
        raise ValueError(f"{line[:40]!r} is no number") from None


def _integer(line: bytes) -> int | bool:
    if line in (b"00", b"01"):  # how protocol 0 writes False and True
        return line == b"01"
    return _text_number(line.removesuffix(b"L"), int)


def _quoted(line: bytes) -> str:
    if len(line) < 2 or line[:1] != line[-1:] or line[:1] not in (b"'", b'"'):
        raise ValueError("text without quotes")
    return codecs.escape_decode(line[1:-1])[0].decode("latin1")


def _long(m: Machine, code: str) -> int:
    count = m.number(code)
    if not 0 <= count <= _LONGEST_NUMBER:
        raise ValueError(f"a number of {count} bytes")
    return int.from_bytes(m.take(count), "little", signed=True)


def _unicode(m: Machine, code: str) -> str:
    return m.take(m.number(code)).decode("utf-8", "surrogatepass")


def _latin(m: Machine, code: str) -> str:
    # Text of Python 2, in which numpy's raw data come too.
    return m.take(m.number(code)).decode("latin1")


def _protocol(m: Machine) -> None:
    number = m.number("<B")
    if number > 5:
        raise ValueError(f"protocol {number}, expected 0 to 5")


def _two_names(m: Machine) -> None:
    m.push_name(m.line().decode(), m.line().decode())


def _stack_name(m: Machine) -> None:
    name = m.pop_value()
    m.push_name(m.pop_value(), name)


def _refuse_buffer(m: Machine) -> None:
    raise UnsafePickleError("it refers to buffers outside the file", "<outside>")


_STOP = ord(".")
_OPERATIONS: dict[int, Callable[[Machine], Any]] = {
    ord("("): lambda m: m.marks.append(len(m.stack)),
    ord("0"): lambda m: m.pop(),
    ord("1"): lambda m: m.pop_to_mark(),
    ord("2"): lambda m: m.push(m.top()),
    # numbers
    ord("N"): lambda m: m.push(None),
    0x88: lambda m: m.push(True),
    0x89: lambda m: m.push(False),
    ord("I"): lambda m: m.push(_integer(m.line(_LONGEST_NUMBER))),
    ord("L"): lambda m: m.push(_integer(m.line(_LONGEST_NUMBER))),
    ord("J"): lambda m: m.push(m.number("<i")),
    ord("K"): lambda m: m.push(m.number("<B")),
    ord("M"): lambda m: m.push(m.number("<H")),
    0x8A: lambda m: m.push(_long(m, "<B")),
    0x8B: lambda m: m.push(_long(m, "<i")),
    ord("F"): lambda m: m.push(_text_number(m.line(_LONGEST_NUMBER), float)),
    ord("G"): lambda m: m.push(m.number(">d")),
    # text and bytes
    ord("S"): lambda m: m.push(_quoted(m.line())),
    ord("T"): lambda m: m.push(_latin(m, "<i")),
    ord("U"): lambda m: m.push(_latin(m, "<B")),
    ord("V"): lambda m: m.push(m.line().decode("raw-unicode-escape")),
    ord("X"): lambda m: m.push(_unicode(m, "<I")),
    0x8C: lambda m: m.push(_unicode(m, "<B")),
    0x8D: lambda m: m.push(_unicode(m, "<Q")),
    ord("B"): lambda m: m.push(m.take(m.number("<I"))),
    ord("C"): lambda m: m.push(m.take(m.number("<B"))),
    0x8E: lambda m: m.push(m.take(m.number("<Q"))),
    0x96: lambda m: m.push(bytearray(m.take(m.number("<Q")))),
    0x97: _refuse_buffer,
    0x98: _refuse_buffer,
    # containers
    ord("]"): lambda m: m.push([]),
    ord("}"): lambda m: m.push({}),
    ord(")"): lambda m: m.push(()),
    0x8F: lambda m: m.push(set()),
    ord("l"): lambda m: m.push(m.pop_to_mark()),
    ord("d"): lambda m: m.make_dict(),
    ord("t"): lambda m: m.push(tuple(m.pop_to_mark())),
    0x85: lambda m: m.make_tuple(1),
    0x86: lambda m: m.make_tuple(2),
    0x87: lambda m: m.make_tuple(3),
    0x91: lambda m: m.push(frozenset(as_key(value) for value in m.pop_to_mark())),
    ord("a"): lambda m: m.extend([m.pop_value()]),
    ord("e"): lambda m: m.extend(m.pop_to_mark()),
    0x90: lambda m: m.add_items(m.pop_to_mark()),
    ord("s"): lambda m: m.set_item(),
    ord("u"): lambda m: m.set_items(m.pop_to_mark()),
    # the memo
    ord("p"): lambda m: m.remember(_integer(m.line(_LONGEST_NUMBER))),
    ord("q"): lambda m: m.remember(m.number("<B")),
    ord("r"): lambda m: m.remember(m.number("<I")),
    0x94: lambda m: m.remember(len(m.memo)),
    ord("g"): lambda m: m.recall(_integer(m.line(_LONGEST_NUMBER))),
    ord("h"): lambda m: m.recall(m.number("<B")),
    ord("j"): lambda m: m.recall(m.number("<I")),
    # names, calls, states
    ord("c"): _two_names,
    0x93: _stack_name,
    ord("R"): lambda m: m.new(),
    0x81: lambda m: m.new(),
    0x92: lambda m: m.new_with_keywords(),
    ord("i"): lambda m: m.make_instance(),
    ord("o"): lambda m: m.make_object(),
    ord("b"): lambda m: m.build(),
    ord("P"): lambda m: m.refer(m.line().decode("ascii")),
    ord("Q"): lambda m: m.refer(m.pop_value()),
    0x82: lambda m: m.extension("<B"),
    0x83: lambda m: m.extension("<H"),
    0x84: lambda m: m.extension("<i"),
    # the file's form
    0x80: _protocol,
    0x95: lambda m: m.number("<Q"),  # a frame's length: nothing is read ahead
}
