"""A headless Chromium that a test looks at a page with, through its own debugging protocol: nothing to install."""

from __future__ import annotations

import asyncio
import base64
import json
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")


def find_browser() -> str | None:
    """The browser's program, or None."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


def look(url: str, expression: str, timeout: float = 30.0, picture: Path | None = None, settle: float = 0.0):
    """Open a page, wait until an expression of JavaScript is true, and return its value.

    Args:
        url: The page.
        expression: Whose value is returned once it is not false.
        timeout: Seconds for all.
        picture: Where a picture of the page goes.
        settle: Seconds to wait before the picture.
    """
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        options = ("headless", "no-sandbox", "disable-gpu", "no-first-run", "remote-debugging-port=0")
        command = [find_browser(), *(f"--{option}" for option in options), "--window-size=1280,1090"]
        command += [f"--user-data-dir={profile}", "about:blank"]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            port_file, end = Path(profile) / "DevToolsActivePort", time.monotonic() + timeout
            while not port_file.exists() or len(port_file.read_text().split()) < 2:
                if time.monotonic() > end or process.poll() is not None:
                    raise TimeoutError("the browser did not start")
                time.sleep(0.05)
            port = int(port_file.read_text().split()[0])
            return asyncio.run(_look(port, url, expression, end, picture, settle))
        finally:
            process.terminate()
            process.wait(10)


async def _look(port: int, url: str, expression: str, end: float, picture: Path | None, settle: float):
    import aiohttp

    async with aiohttp.ClientSession() as session:
        async with session.get(f"http://127.0.0.1:{port}/json") as answer:
            page = next(one for one in await answer.json() if one["type"] == "page")
        async with session.ws_connect(page["webSocketDebuggerUrl"], max_msg_size=0) as socket:
            count = 0

            async def call(method: str, **params):
                nonlocal count
                count += 1
                await socket.send_str(json.dumps({"id": count, "method": method, "params": params}))
                while True:
                    answer = json.loads((await socket.receive(timeout=max(end - time.monotonic(), 0.1))).data)
                    if answer.get("id") == count:
                        return answer.get("result", {})

            await call("Page.navigate", url=url)
            value = None
            while not value:
                if time.monotonic() > end:
                    raise TimeoutError(f"{expression} did not become true")
                await asyncio.sleep(0.2)
                found = await call("Runtime.evaluate", expression=expression, returnByValue=True)
                value = found.get("result", {}).get("value")
            if picture is not None:
                await asyncio.sleep(settle)
                shot = await call("Page.captureScreenshot", format="png")
                picture.write_bytes(base64.b64decode(shot["data"]))
                found = await call("Runtime.evaluate", expression=expression, returnByValue=True)
                value = found.get("result", {}).get("value")
            return value
