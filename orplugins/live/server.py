"""The viewer: a page on localhost, and the records as a WebSocket, through aiohttp.

Records hold poses, no images. They are for this machine unless the user names another address: a request that came by
another name than the server's, or from a page of somebody else, is refused (a browser opens pages of others, and those
could read what the room is doing).
"""

from __future__ import annotations

import asyncio
import threading
from importlib.resources import files
from typing import Any
from urllib.parse import urlsplit

from orplugins.live.outputs import Output

LOCAL = frozenset({"localhost", "127.0.0.1", "::1"})
_WAITING = 4  # records that wait for a browser at most; older ones are left out
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'self' 'unsafe-inline'; connect-src 'self' ws:; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
}


class ViewerOutput(Output):
    """Serves the page at ``/`` and the records at ``/stream``.

    Args:
        host: Address; by default nobody else can reach it.
        port: 0 lets the system choose, see `port`.

    Raises:
        ImportError: aiohttp is not installed.
        ValueError: A port that is none.
    """

    def __init__(self, host: str = "127.0.0.1", port: int = 8765):
        try:
            import aiohttp.web
        except ImportError as error:
            raise ImportError(f"aiohttp is not installed: pip install orplugins[live] ({error})") from None
        if not 0 <= port < 65536:
            raise ValueError(f"--serve: found port {port}, expected 0 to 65535")
        self._web, self.host, self.port = aiohttp.web, host, port
        self.name = f"http://{host}:{port}"
        self._loop = asyncio.new_event_loop()
        self._clients: set[asyncio.Queue[str | None]] = set()
        self._first: str | None = None
        self._runner: Any = None
        self._thread: threading.Thread | None = None

    def open(self) -> None:
        """Listen; the port is known from then on."""
        self._thread = threading.Thread(target=self._loop.run_forever, name="live-viewer", daemon=True)
        self._thread.start()
        try:
            asyncio.run_coroutine_threadsafe(self._start(), self._loop).result(10)
        except OSError as error:
            self.close()
            reason = " ".join((error.strerror or str(error)).split())
            raise OSError(f"{self.host}:{self.port} cannot be listened on: {reason}; choose another --serve") from None

    async def _start(self) -> None:
        async def check(request: Any, handler: Any) -> Any:
            self._check(request)
            return await handler(request)

        app = self._web.Application(middlewares=[self._web.middleware(check)])
        app.router.add_get("/", self._page)
        app.router.add_get("/stream", self._stream)
        self._runner = self._web.AppRunner(app, access_log=None)
        await self._runner.setup()
        site = self._web.TCPSite(self._runner, self.host, self.port, shutdown_timeout=1.0)
        await site.start()
        self.port = self._runner.addresses[0][1]
        self.name = f"http://{self.host}:{self.port}"

    def _check(self, request: Any) -> None:
        """Refuse what did not come from here."""
        asked = urlsplit(f"//{request.host}").hostname or ""
        origin = request.headers.get("Origin")
        from_here = origin is None or urlsplit(origin).netloc == request.host
        # By an address that was given for everybody, any name may be right.
        known = asked in LOCAL or asked == self.host or self.host in ("0.0.0.0", "::")
        if not (known and from_here):
            raise self._web.HTTPForbidden(text="another name or page than this server's\n")

    async def _page(self, request: Any) -> Any:
        text = (files("orplugins.live") / "page" / "index.html").read_text(encoding="utf-8")
        return self._web.Response(text=text, content_type="text/html", headers=_HEADERS)

    async def _stream(self, request: Any) -> Any:
        socket = self._web.WebSocketResponse(heartbeat=10.0)
        await socket.prepare(request)
        queue: asyncio.Queue[str | None] = asyncio.Queue(_WAITING)
        self._clients.add(queue)
        if self._first is not None:
            queue.put_nowait(self._first)
        reader = asyncio.ensure_future(self._drain(socket, queue))
        try:
            while (line := await queue.get()) is not None:
                await socket.send_str(line)
        except ConnectionError:
            pass  # the browser has gone, as browsers do
        finally:
            self._clients.discard(queue)
            reader.cancel()
        await socket.close()
        return socket

    @staticmethod
    async def _drain(socket: Any, queue: asyncio.Queue[str | None]) -> None:
        """Answer the browser's own messages, and end when it goes."""
        async for _ in socket:
            pass
        _offer(queue, None)

    def write(self, record: dict[str, Any], line: str) -> None:
        """Hand a record to all browsers."""
        self._loop.call_soon_threadsafe(self._send, record["type"], line)

    def _send(self, kind: str, line: str) -> None:
        if kind == "start":
            self._first = line
        for queue in self._clients:
            _offer(queue, line)

    def close(self) -> None:
        """Say goodbye to browsers and stop listening."""
        if self._thread is None:
            return
        if self._runner is not None:
            asyncio.run_coroutine_threadsafe(self._stop(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
        self._thread = None
        self._loop.close()

    async def _stop(self) -> None:
        for queue in self._clients:
            _offer(queue, None)
        await asyncio.sleep(0.05)  # what was sent last is on its way
        await self._runner.cleanup()


def _offer(queue: asyncio.Queue[str | None], line: str | None) -> None:
    """The newest wins: a browser that cannot keep up sees fewer moments, not older ones."""
    if queue.full():
        queue.get_nowait()
    queue.put_nowait(line)
