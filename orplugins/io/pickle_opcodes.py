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
    read, operations = file.read, _OPERATIONS
    while (code := read(1)) != b".":
        operation = operations.get(code)
        if operation is None:
            raise ValueError(f"not a pickle: byte 0x{code.hex()} is no opcode" if code else "it ends early")
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


_OPERATIONS: dict[bytes, Callable[[Machine], Any]] = {
    b"(": lambda m: m.mark(),
    b"0": lambda m: m.pop(),
    b"1": lambda m: m.pop_to_mark(),
    b"2": lambda m: m.stack.append(m.top()),
    # numbers
    b"N": lambda m: m.stack.append(None),
    b"\x88": lambda m: m.stack.append(True),
    b"\x89": lambda m: m.stack.append(False),
    b"I": lambda m: m.push(_integer(m.line(_LONGEST_NUMBER))),
    b"L": lambda m: m.push(_integer(m.line(_LONGEST_NUMBER))),
    b"J": lambda m: m.push_number("<i"),
    b"K": lambda m: m.push_number("<B"),
    b"M": lambda m: m.push_number("<H"),
    b"\x8a": lambda m: m.push(_long(m, "<B")),
    b"\x8b": lambda m: m.push(_long(m, "<i")),
    b"F": lambda m: m.push(_text_number(m.line(_LONGEST_NUMBER), float)),
    b"G": lambda m: m.push_number(">d"),
    # text and bytes
    b"S": lambda m: m.push(_quoted(m.line())),
    b"T": lambda m: m.push(_latin(m, "<i")),
    b"U": lambda m: m.push(_latin(m, "<B")),
    b"V": lambda m: m.push(m.line().decode("raw-unicode-escape")),
    b"X": lambda m: m.push(_unicode(m, "<I")),
    b"\x8c": lambda m: m.push(_unicode(m, "<B")),
    b"\x8d": lambda m: m.push(_unicode(m, "<Q")),
    b"B": lambda m: m.push(m.take(m.number("<I"))),
    b"C": lambda m: m.push(m.take(m.number("<B"))),
    b"\x8e": lambda m: m.push(m.take(m.number("<Q"))),
    b"\x96": lambda m: m.push(bytearray(m.take(m.number("<Q")))),
    b"\x97": _refuse_buffer,
    b"\x98": _refuse_buffer,
    # containers
    b"]": lambda m: m.push([]),
    b"}": lambda m: m.push({}),
    b")": lambda m: m.stack.append(()),
    b"\x8f": lambda m: m.push(set()),
    b"l": lambda m: m.push(m.pop_to_mark()),
    b"d": lambda m: m.make_dict(),
    b"t": lambda m: m.push(tuple(m.pop_to_mark())),
    b"\x85": lambda m: m.make_tuple(1),
    b"\x86": lambda m: m.make_tuple(2),
    b"\x87": lambda m: m.make_tuple(3),
    b"\x91": lambda m: m.push(frozenset(as_key(value) for value in m.pop_to_mark())),
    b"a": lambda m: m.extend([m.pop_value()]),
    b"e": lambda m: m.extend(m.pop_to_mark()),
    b"\x90": lambda m: m.add_items(m.pop_to_mark()),
    b"s": lambda m: m.set_item(),
    b"u": lambda m: m.set_items(m.pop_to_mark()),
    # the memo
    b"p": lambda m: m.remember(_integer(m.line(_LONGEST_NUMBER))),
    b"q": lambda m: m.remember(m.number("<B")),
    b"r": lambda m: m.remember(m.number("<I")),
    b"\x94": lambda m: m.remember(len(m.memo)),
    b"g": lambda m: m.recall(_integer(m.line(_LONGEST_NUMBER))),
    b"h": lambda m: m.recall(m.number("<B")),
    b"j": lambda m: m.recall(m.number("<I")),
    # names, calls, states
    b"c": _two_names,
    b"\x93": _stack_name,
    b"R": lambda m: m.new(),
    b"\x81": lambda m: m.new(),
    b"\x92": lambda m: m.new_with_keywords(),
    b"i": lambda m: m.make_instance(),
    b"o": lambda m: m.make_object(),
    b"b": lambda m: m.build(),
    b"P": lambda m: m.refer(m.line().decode("ascii")),
    b"Q": lambda m: m.refer(m.pop_value()),
    b"\x82": lambda m: m.extension("<B"),
    b"\x83": lambda m: m.extension("<H"),
    b"\x84": lambda m: m.extension("<i"),
    # the file's form
    b"\x80": _protocol,
    b"\x95": lambda m: m.number("<Q"),  # a frame's length: nothing is read ahead
}
