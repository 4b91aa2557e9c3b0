"""Where records go: lines on a stream, datagrams; files and the viewer have modules of their own."""

from __future__ import annotations

import socket
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import IO, Any

from orplugins.live.messages import line_of

MOST_BYTES = 65_000  # of a datagram


class Output(ABC):
    """Somewhere that records go.

    Attributes:
        name: For messages.
    """

    name: str

    def open(self) -> None:  # noqa: B027 (most have nothing to open)
        """Get ready before the work starts.

        Raises:
            OSError, ValueError: It cannot be.
        """

    @abstractmethod
    def write(self, record: dict[str, Any], line: str) -> None:
        """Take a record.

        Args:
            record: The record.
            line: The same as JSON.
        """

    def close(self) -> None:  # noqa: B027
        """The run is over; what is still to be written is written now."""


class Outputs:
    """All outputs of a run. One that fails is said and left out, the others go on.

    Args:
        outputs: The outputs.
        failed: Called with the name of one that failed, and why.
    """

    def __init__(self, outputs: list[Output], failed: Callable[[str, Exception], None]):
        self._outputs, self._failed = outputs, failed
        self._lock = threading.RLock()
        self._working: list[Output] = []

    def open(self) -> None:
        """Open all of them; if one cannot be opened, none stays open."""
        try:
            for output in self._outputs:
                output.open()
                self._working.append(output)
        except BaseException:
            for output in self._working:
                output.close()
            self._working = []
            raise

    def write(self, record: dict[str, Any]) -> None:
        """Hand a record to all of them, from any thread."""
        line = line_of(record)
        failed = []
        with self._lock:
            for output in list(self._working):
                try:
                    output.write(record, line)
                except OSError as error:
                    self._working.remove(output)
                    if isinstance(error, BrokenPipeError):
                        raise  # the reader of our lines has gone: that is the end of the run, not a failure of it
                    failed.append((output, error))
        for output, reason in failed:
            self._failed(output.name, reason)

    def close(self, last: dict[str, Any] | None) -> None:
        """Write the last record and close all of them."""
        if last is not None:
            self.write(last)
        with self._lock:
            for output in self._working:
                try:
                    output.close()
                except OSError as error:
                    self._failed(output.name, error)
            self._working = []


class LineOutput(Output):
    """Lines of JSON on a stream.

    Args:
        stream: Such as standard output.
    """

    name = "standard output"

    def __init__(self, stream: IO[str]):
        self._stream = stream

    def write(self, record: dict[str, Any], line: str) -> None:
        """Take a record."""
        self._stream.write(line + "\n")
        self._stream.flush()


class UdpOutput(Output):
    """A datagram a record. Nobody needs to listen.

    Args:
        host: Whom they are sent to.
        port: Where.

    Raises:
        ValueError: A port that is none.
    """

    def __init__(self, host: str, port: int):
        if not 0 < port < 65536:
            raise ValueError(f"--udp: found port {port}, expected 1 to 65535")
        self.name = f"udp {host}:{port}"
        self._to = (host, port)
        self._socket: socket.socket | None = None

    def open(self) -> None:
        """Open the socket."""
        try:
            family, kind, _, _, address = socket.getaddrinfo(*self._to, type=socket.SOCK_DGRAM)[0]
        except socket.gaierror as error:
            raise OSError(f"--udp: host {self._to[0]!r} is not known: {error.strerror}") from None
        self._socket = socket.socket(family, kind)
        self._socket.setblocking(False)
        self._address = address

    def write(self, record: dict[str, Any], line: str) -> None:
        """Take a record."""
        data = line.encode()
        if len(data) > MOST_BYTES:
            raise OSError(f"a record of {len(data)} bytes, a datagram holds {MOST_BYTES}")
        assert self._socket is not None
        try:
            self._socket.sendto(data, self._address)
        except (BlockingIOError, ConnectionRefusedError):
            return  # nobody listens, or not fast enough: the next datagram is newer

    def close(self) -> None:
        """Close the socket."""
        if self._socket is not None:
            self._socket.close()


class CallOutput(Output):
    """A function that is called with every record.

    Args:
        call: The function.
    """

    name = "function"

    def __init__(self, call: Callable[[dict[str, Any]], None]):
        self._call = call

    def write(self, record: dict[str, Any], line: str) -> None:
        """Take a record."""
        self._call(record)
