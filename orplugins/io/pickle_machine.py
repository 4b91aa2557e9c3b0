"""A reader of pickles that can build nothing but what its caller lists.

Python's own readers look a name up and call it. This one carries out the opcodes itself on plain values: a name is a
token that stands for one of the caller's builders, any other name is refused, and nothing in a file can set an
attribute, copy a value without end, ask for memory that the file does not fill, or nest without end.
"""

from __future__ import annotations

import struct
from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Callable, Mapping
from sys import getsizeof
from typing import IO, Any

from orplugins.io.pickle_values import (
    CONTAINERS,
    NOT_READ,
    Constant,
    Name,
    Unfinished,
    UnsafePickleError,
    as_key,
    check_value,
)

_LISTS, _DICTS = (list, deque), (dict, OrderedDict, defaultdict, Counter)
_SMALL = 1 << 16
_FORMS = {code: struct.Struct(code) for code in ("<B", "<H", "<I", "<i", "<Q", ">d")}
_FREE, _ENTRY = 1 << 27, 100  # bytes: of values whatever the file's size, of a place in a dict
_SIZED = (*CONTAINERS, str, bytes, bytearray)


class Machine:
    """Reads one pickle.

    Args:
        file: A binary file that can be sought; it is left behind the pickle.
        builders: What (module, name) stands for: a function of the call's arguments, or a `Constant`. A function may
            give an `Unfinished`.
        persistent: Gives the objects that the pickle keeps outside itself; None refuses them.
        ignore_unknown: Put `NOT_READ` in place of names that are not listed, instead of refusing them.
        types: The types that the value may hold; None takes whatever was built.
    """

    def __init__(
        self,
        file: IO[bytes],
        builders: Mapping[tuple[str, str], Any],
        persistent: Callable[[Any], Any] | None = None,
        ignore_unknown: bool = False,
        types: tuple[type, ...] | None = None,
    ):
        self._file, self._builders, self._persistent = file, builders, persistent
        self._ignore_unknown, self._types = ignore_unknown, types
        start = file.tell()
        self._end = file.seek(0, 2)
        file.seek(start)
        self._budget = 12 * (self._end - start) + _FREE
        self.stack: list = []
        self.marks: list[int] = []
        self.memo: dict[int, Any] = {}

    def result(self) -> Any:
        """The value that is left when the pickle has been carried out.

        Raises:
            ValueError: There is none, more than one, one that contains itself or nests too deeply, or one of a type
                that was not asked for.
        """
        value = self.pop()
        if self.stack:
            raise ValueError("more than one value is left at its end")
        check_value(value, self._types)
        return value

    def _charge(self, cost: int) -> None:
        # A byte of a file can make an object of hundreds, and what builders copy can be named again and again.
        self._budget -= cost
        if self._budget < 0:
            raise ValueError("its values would take far more memory than the file")

    def _charge_for(self, arguments: tuple) -> None:
        self._charge(
            sum(
                _ENTRY * len(value) if isinstance(value, CONTAINERS) else len(value)
                for value in arguments
                if isinstance(value, _SIZED)
            )
        )

    # Reading

    def take(self, count: int) -> bytes:
        """The next bytes."""
        if count < 0 or count > _SMALL and count > self._end - self._file.tell():  # before memory is asked for
            raise ValueError("it ends early")
        data = self._file.read(count)
        if len(data) != count:
            raise ValueError("it ends early")
        return data

    def number(self, code: str) -> Any:
        """The next bytes as a number; for the code see `struct`."""
        form = _FORMS[code]
        data = self._file.read(form.size)
        if len(data) != form.size:
            raise ValueError("it ends early")
        return form.unpack(data)[0]

    def push_number(self, code: str) -> None:
        """Put the next bytes on the stack as a number."""
        self.stack.append(self.number(code))

    def line(self, most: int | None = None) -> bytes:
        """The next bytes up to the end of a line."""
        line = self._file.readline(-1 if most is None else most)
        if not line.endswith(b"\n"):
            raise ValueError("it ends early, or a line of it is too long")
        return line[:-1]

    # The stack

    def push(self, value: Any) -> None:
        """Put a new value on the stack, one that may be much larger than its place in the file."""
        self._charge(getsizeof(value, _ENTRY) + 8)
        self.stack.append(value)

    def mark(self) -> None:
        """MARK."""
        self._charge(40)
        self.marks.append(len(self.stack))

    def pop(self) -> Any:
        """Take the last value."""
        if len(self.stack) <= (self.marks[-1] if self.marks else 0):
            raise ValueError("it takes more values than it made")
        return self.stack.pop()

    def top(self) -> Any:
        """The last value, which stays."""
        if len(self.stack) <= (self.marks[-1] if self.marks else 0):
            raise ValueError("it takes more values than it made")
        return self.stack[-1]

    def pop_to_mark(self) -> list:
        """Take the values since the last mark, and the mark."""
        if not self.marks:
            raise ValueError("it takes more values than it made")
        start = self.marks.pop()
        values = self.stack[start:]
        del self.stack[start:]
        if any(isinstance(value, Unfinished) for value in values):
            raise ValueError("it uses an object before its state")
        return values

    def pop_value(self) -> Any:
        """Take the last value, to be used."""
        value = self.pop()
        if isinstance(value, Unfinished):
            raise ValueError("it uses an object before its state")
        return value

    def remember(self, key: int) -> None:
        """Put the last value into the memo."""
        value = self.top()
        if isinstance(value, Unfinished):
            value.places.append(key)
        self._charge(_ENTRY)
        self.memo[key] = value

    def recall(self, key: int) -> None:
        """Put a value of the memo on the stack."""
        if key not in self.memo:
            raise ValueError(f"it refers to value {key}, which it has not made")
        self.stack.append(self.memo[key])

    # Names, calls and states

    def push_name(self, module: Any, name: Any) -> None:
        """Put what a name stands for on the stack."""
        if not (isinstance(module, str) and isinstance(name, str)):
            raise UnsafePickleError("it names something by other values than text", "<computed>")
        full = f"{module}.{name}"[:200].encode("unicode_escape").decode()
        known = self._builders.get((module, name))
        if known is None and not self._ignore_unknown:
            raise UnsafePickleError(f"it names {full}", full)
        if known is None:
            self.push(NOT_READ)
        elif isinstance(known, Constant):
            self.push(known.value)
        else:
            self.push(Name(full, known))

    def call(self, name: Any, arguments: Any) -> None:
        """Have a name's builder called, and its value put on the stack."""
        if name is NOT_READ:
            self.push(NOT_READ)
            return
        if not isinstance(name, Name) or type(arguments) is not tuple:
            raise UnsafePickleError("it calls what is no name, or with no arguments", "<computed>")
        if any(argument is NOT_READ for argument in arguments):
            self.push(NOT_READ)
            return
        self._charge_for(arguments)
        try:
            self.push(name.build(*arguments))
        except (TypeError, OverflowError, LookupError, AttributeError, MemoryError) as error:
            raise ValueError(f"{name.name} with arguments that it never has ({type(error).__name__})") from None

    def new(self) -> None:
        """REDUCE and NEWOBJ."""
        arguments = self.pop_value()
        self.call(self.pop_value(), arguments)

    def new_with_keywords(self) -> None:
        """NEWOBJ_EX."""
        if self.pop_value() != {}:
            raise UnsafePickleError("it calls a class with keywords", "<computed>")
        self.new()

    def make_instance(self) -> None:
        """INST."""
        arguments = tuple(self.pop_to_mark())
        self.push_name(self.line().decode(), self.line().decode())
        self.call(self.pop(), arguments)

    def make_object(self) -> None:
        """OBJ."""
        values = self.pop_to_mark()
        self.call(values[0] if values else None, tuple(values[1:]))

    def build(self) -> None:
        """BUILD: give an object its state."""
        state, target = self.pop_value(), self.top()
        if isinstance(target, Unfinished):
            self.stack.pop()
            try:
                self._charge_for(state if isinstance(state, tuple) else ())
                value = NOT_READ if state is NOT_READ else target.finish(state)
            except (TypeError, OverflowError, LookupError, AttributeError, MemoryError) as error:
                raise ValueError(f"an object with a state that it never has ({type(error).__name__})") from None
            for key in target.places:
                self.memo[key] = value
            self.push(value)
        elif type(target) is OrderedDict and isinstance(state, dict):
            # What torch keeps beside a state dict: the versions of its modules.
            if "_metadata" in state:
                target._metadata = state["_metadata"]  # type: ignore[attr-defined]
        elif target is not NOT_READ:
            raise UnsafePickleError(f"it sets the state of a value of type {type(target).__name__}", "<computed>")

    def refer(self, pid: Any) -> None:
        """Put an object outside the pickle on the stack."""
        if self._persistent is None:
            raise UnsafePickleError("it refers to objects outside the file", "<outside>")
        self.push(self._persistent(pid))

    def extension(self, code: str) -> None:
        """EXT1, EXT2, EXT4."""
        raise UnsafePickleError(f"it names number {self.number(code)} of copyreg's registry", "<extension registry>")

    # Containers

    def extend(self, values: list) -> None:
        """APPEND and APPENDS."""
        self._charge(8 * len(values))
        target = self.top()
        if type(target) in _LISTS:
            target.extend(values)
        elif target is not NOT_READ:
            raise ValueError(f"it appends to a value of type {type(target).__name__}")

    def add_items(self, values: list) -> None:
        """ADDITEMS."""
        self._charge(_ENTRY * len(values))
        target = self.top()
        if type(target) is set:
            target.update(as_key(value) for value in values)
        elif target is not NOT_READ:
            raise ValueError(f"it adds to a value of type {type(target).__name__}")

    def set_items(self, values: list) -> None:
        """SETITEMS."""
        self._charge(_ENTRY * len(values))
        target = self.top()
        if len(values) % 2:
            raise ValueError("it sets a key without a value")
        if type(target) in _DICTS:
            for key, value in zip(values[::2], values[1::2], strict=True):
                target[as_key(key)] = value
        elif target is not NOT_READ:
            raise ValueError(f"it sets keys of a value of type {type(target).__name__}")

    def make_dict(self) -> None:
        """DICT."""
        values = self.pop_to_mark()
        self.push({})
        self.set_items(values)

    def make_tuple(self, count: int) -> None:
        """TUPLE1 to TUPLE3."""
        self.push(tuple([self.pop_value() for _ in range(count)][::-1]))

    def set_item(self) -> None:
        """SETITEM."""
        value = self.pop_value()
        self.set_items([self.pop_value(), value])
