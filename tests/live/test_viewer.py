"""The page in a real browser, and who may ask the server."""

import asyncio
import json
import os
import socket
import threading
import time
from pathlib import Path

import pytest

pytest.importorskip("aiohttp", reason="pip install orplugins[live]")
pytest.importorskip("filterpy", reason="pip install orplugins[live]")
import aiohttp
from browser import find_browser, look
from fake_devices import FakeCamera, FakeNetwork, Script, walkers

from orplugins.live.pipeline import Live, LiveRules
from orplugins.live.server import ViewerOutput
from orplugins.multiview.online import LiveRoom
from orplugins.tracking.one_euro import OneEuroRules

NAMES = ("cam1", "cam2", "cam3")


@pytest.fixture
def viewer():
    output = ViewerOutput(port=0)
    output.open()
    yield output
    output.close()


def ask(viewer, path="/", **headers):
    async def get():
        async with aiohttp.ClientSession() as session:
            async with session.get(f"http://127.0.0.1:{viewer.port}{path}", headers=headers) as answer:
                return answer.status, await answer.text(), answer.headers

    return asyncio.run(get())


def listen(viewer, count, send, **headers):
    """The first messages of the stream."""

    async def messages():
        async with aiohttp.ClientSession() as session:
            url = f"ws://127.0.0.1:{viewer.port}/stream"
            async with session.ws_connect(url, headers=headers) as stream:
                await asyncio.sleep(0.2)
                send()
                return [json.loads((await stream.receive(timeout=5)).data) for _ in range(count)]

    return asyncio.run(messages())


def write(viewer, *records):
    for record in records:
        viewer.write(record, json.dumps(record))


def test_the_page(viewer):
    status, text, headers = ask(viewer)
    assert status == 200 and "orplugins live" in text and "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert ask(viewer, "/nothing")[0] == 404


def test_the_stream_begins_with_the_start(viewer):
    write(viewer, {"type": "start"}, {"type": "people", "moment": 1})
    found = listen(viewer, 2, lambda: write(viewer, {"type": "people", "moment": 2}))
    assert [record.get("moment") for record in found] == [None, 2]


def test_a_browser_that_cannot_keep_up_sees_the_newest(viewer):
    lines = [json.dumps({"type": "people", "moment": k}) for k in range(200)]

    def hold_back():  # in the server's thread, which sends nothing meanwhile
        for line in lines:
            viewer._send("people", line)

    found = listen(viewer, 4, lambda: viewer._loop.call_soon_threadsafe(hold_back))
    assert [record["moment"] for record in found] == [196, 197, 198, 199]


def test_pages_of_others_are_refused(viewer):
    assert ask(viewer, Origin="http://example.com")[0] == 403
    assert ask(viewer, Host="example.com")[0] == 403  # a name that somebody made to lead here
    assert ask(viewer, Origin=f"http://127.0.0.1:{viewer.port}")[0] == 200
    with pytest.raises(aiohttp.WSServerHandshakeError):
        listen(viewer, 1, lambda: None, Origin="http://example.com")


def test_a_port_in_use():
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(OSError, match=f"127.0.0.1:{port} cannot be listened on: .*; choose another --serve"):
            ViewerOutput(port=port).open()
    with pytest.raises(ValueError, match="found port 99999"):
        ViewerOutput(port=99999)


@pytest.mark.skipif(find_browser() is None, reason="no Chromium here (Debian: apt install chromium)")
def test_in_a_browser():
    """ORPLUGINS_VIEWER_PICTURE=docs/live.png makes the picture of the documentation."""
    picture = os.environ.get("ORPLUGINS_VIEWER_PICTURE")
    cameras, detections, _ = walkers(600, 5)
    scripts = {"cam2": Script(stalls={25: 1.3}), "cam3": Script(broken=frozenset({50}))}
    sources = [FakeCamera(name, k, scripts.get(name), clock="trigger") for k, name in enumerate(NAMES)]
    viewer = ViewerOutput(port=0)
    places = {name: camera.pose[:3, 3] for name, camera in zip(NAMES, cameras, strict=True)}
    room = LiveRoom(dict(zip(NAMES, cameras, strict=True)))
    live = Live(sources, FakeNetwork(detections), room, [viewer], LiveRules(smooth=OneEuroRules()), places)
    thread = threading.Thread(target=live.run)
    thread.start()
    try:
        while not viewer.port:
            time.sleep(0.05)
        expression = """document.body.dataset.moments > 15 && document.body.dataset.people3d > 3 && JSON.stringify({
            cameras: [...document.querySelectorAll("#cameras figure")].map(one => one.innerText),
            painted: [...document.querySelectorAll("canvas")].map(one => [...one.getContext("2d")
                .getImageData(0, 0, one.width, one.height).data].filter(value => value > 100).length),
            stages: document.getElementById("latency").innerText,
            events: document.getElementById("events").innerText,
            state: document.getElementById("state").innerText})"""
        seen = json.loads(
            look(f"http://127.0.0.1:{viewer.port}/", expression, 60, Path(picture or os.devnull), 12 if picture else 2)
        )
    finally:
        live.stop()
        thread.join(20)
    assert [text.split("\n")[0].split()[0] for text in seen["cameras"]] == list(NAMES)
    assert all("5 people" in text for text in seen["cameras"][:1]) and len(seen["painted"]) == 4
    assert min(seen["painted"]) > 2000  # something was drawn: 1 of 4 values of a pixel is enough
    assert "association" in seen["stages"] and "total" in seen["stages"] and seen["state"].endswith(" s")
