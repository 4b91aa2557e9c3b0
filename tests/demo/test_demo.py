"""The demo page's frame: sections are found, a failing one does not stop the others; clips are drawn."""

import json
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from orplugins.synthetic.export.mvor_layout import write_dataset

ROOT = Path(__file__).parents[2]


@pytest.fixture
def demo(monkeypatch):
    """demo/run.py, imported as the script that it is: its folder comes first."""
    monkeypatch.syspath_prepend(str(ROOT / "demo"))
    import run

    yield run
    for name in ("run", "page"):
        sys.modules.pop(name, None)


def test_sections_have_their_parts(demo):
    modules = demo.sections()
    assert [module.ORDER for module in modules] == sorted(module.ORDER for module in modules)
    assert len(modules) >= 2 and all(module.TITLE and callable(module.run) for module in modules)


def test_a_failing_section_is_reported_and_the_others_go_on(demo, monkeypatch, tmp_path):
    class Section:
        def __init__(self, title, run):
            self.TITLE, self.ORDER, self.run, self.__name__ = title, 0, run, f"demo_{title}"
            self.__file__ = f"{title}.py"

    def fails(page):
        raise ValueError("no <weights>")

    monkeypatch.setattr(demo, "sections", lambda: [Section("bad", fails), Section("good", lambda page: "<p>fine</p>")])
    monkeypatch.setattr(demo, "make_clip", lambda out, frames: None)
    monkeypatch.setattr(demo.run_sections, "__defaults__", (demo.run_section,))
    assert demo.main(["--out", str(tmp_path)]) == 1
    page = (tmp_path / "index.html").read_text()
    assert "no &lt;weights&gt;" in page and "<p>fine</p>" in page and "$" not in page.partition("</style>")[2]


def test_a_section_waits_for_the_one_that_it_needs(demo, tmp_path):
    class Section:
        TITLE = "x"

        def __init__(self, name, run, needs=()):
            self.__name__, self.run, self.NEEDS = f"demo_{name}", run, needs

    def first(page):
        time.sleep(0.2)
        (tmp_path / "made").touch()
        page.note("first")
        return "1"

    def second(page):
        page.note("second")
        return str((tmp_path / "made").exists())

    results = demo.run_sections(
        demo.Demo(tmp_path), [Section("b", second, ("a",)), Section("a", first)], demo.run_section
    )
    assert [(r.body, r.notes, r.failed) for r in results] == [("True", ["second"], False), ("1", ["first"], False)]


@pytest.mark.slow
def test_a_section_runs_in_a_process_of_its_own(tmp_path):
    """What it prints is in its log, and a process that dies is a failed section."""
    for name, body in {"good": "print('talk')\n    return '<p>fine</p>'", "dies": "import os\n    os._exit(3)"}.items():
        (tmp_path / f"{name}.py").write_text(f"ORDER, TITLE = 1, '{name}'\n\n\ndef run(demo):\n    {body}\n")
    code = f"""
import sys
from pathlib import Path
sys.path.insert(0, {str(ROOT / "demo")!r})
import run
if __name__ == "__main__":
    folder = Path({str(tmp_path)!r})
    modules = [run.load_section(folder / f"{{name}}.py") for name in ("good", "dies")]
    for module, result in zip(modules, run.run_sections(run.Demo(folder), modules), strict=True):
        print(module.TITLE, result.failed, "<p>fine</p>" in result.body)
"""
    (tmp_path / "main.py").write_text(code)
    done = subprocess.run([sys.executable, tmp_path / "main.py"], capture_output=True, text=True, timeout=120)
    assert {"good False True", "dies True False"} <= set(done.stdout.splitlines()), done.stdout + done.stderr
    assert "talk" in (tmp_path / "good.log").read_text() and "dies.log" in done.stderr


def test_a_second_run_starts_its_sections_afresh(demo, tmp_path):
    page = demo.Demo(tmp_path)
    (page.folder("section") / "progress.jsonl").touch()
    assert list(page.folder("section").iterdir()) == []


def test_a_clip_is_drawn(tmp_path, monkeypatch, capsys):
    from PIL import Image

    monkeypatch.syspath_prepend(str(ROOT / "tools"))
    import draw_clip

    write_dataset(tmp_path / "clip", frames=2, seed=1, size=(64, 48), views=2, motion=2, color=True)
    coco = json.loads((tmp_path / "clip/annotations/coco17.json").read_text())
    found = [{"image_id": a["image_id"], "keypoints": a["keypoints"], "score": 1.0} for a in coco["annotations"]]
    detections = tmp_path / "found.json"
    detections.write_text(json.dumps(found))
    arguments = [str(tmp_path / "clip"), str(detections), "--out", str(tmp_path / "out"), "--every", "1"]
    assert draw_clip.main(arguments) == 0
    with Image.open(tmp_path / "out/clip.gif") as clip:
        assert clip.size == (640, 480) and clip.n_frames == 2
    assert np.asarray(Image.open(tmp_path / "out/contact_sheet.png")).std() > 10
    detections.write_text(json.dumps([{"image_id": 1, "keypoints": [0] * 30, "score": 1.0}]))
    assert draw_clip.main(arguments) == 1
    assert "'keypoints' has 30 numbers, expected 51" in capsys.readouterr().err
