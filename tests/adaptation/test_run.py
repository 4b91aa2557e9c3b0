"""The whole adaptation with a method that needs no network: a square walks by, a thing stands there all the time."""

import json
from dataclasses import replace

import numpy as np
import pytest

from orplugins.adaptation.agreement import RULES
from orplugins.adaptation.frames import choose_frames, held_out_frames, kind_of_frames
from orplugins.adaptation.method import AdaptSettings
from orplugins.adaptation.run import adapt
from orplugins.depth.png import save_depth
from orplugins.io.images import read_image, write_image

from .scenes import people, recording

THING = [39, 9, 51, 31]
SETTINGS = AdaptSettings(room_tests=1)


class Squares:
    """Its networks are text files: "teacher" finds the thing too, "good" does not, "bad" finds nothing else."""

    name, holes, rules = "squares", False, RULES

    def __init__(self, folder, student="good"):
        self.weights, self.student, self.asked = str(folder / "teacher.txt"), student, 0
        if not (folder / "teacher.txt").is_file():
            (folder / "teacher.txt").write_text("teacher")

    def read(self, path):
        return read_image(path)

    def grey(self, picture):
        return picture

    show = grey

    def begin(self, size):
        return {"size": list(size)}

    def views(self):
        return 2

    def finder(self, weights):
        kind = open(weights).read()

        def find(picture, count):
            self.asked += 1
            rows = [] if kind == "good" else [[*THING, 0.7]]
            x = np.flatnonzero(picture[20, :38, 0] < 60)
            if len(x) and kind != "bad":
                rows.append([x[0], 10, x[-1] + 1, 30, 0.66 if kind == "teacher" else 0.9])
            return [people(*rows)] * count

        return find

    def rooms(self, count, seed):
        return [(recording()[3], np.array([[3, 10, 11, 30]]))]

    def train(self, lesson):
        done = lesson.out / "student.safetensors"
        lesson.out.mkdir(parents=True, exist_ok=True)
        if not done.is_file():
            done.write_text(self.student)
        self.lesson = lesson
        return done

    def usage(self, weights):
        return f"use {weights}"


@pytest.fixture()
def frames(tmp_path):
    for k, picture in enumerate(recording()):
        write_image(tmp_path / f"frames/{k:03d}.png", picture)
    return tmp_path / "frames"


def test_a_better_student_is_recommended(frames, tmp_path):
    method = Squares(tmp_path)
    done = adapt([frames], tmp_path / "out", method, SETTINGS)
    assert done.better and done.weights.name == "adapted.safetensors" and done.weights.read_text() == "good"
    assert done.people == 20  # the walker's frames; never the thing
    facts = json.loads((tmp_path / "out/adaptation.json").read_text())
    assert facts["recommended"] and facts["rounds"][0]["after"]["consensus"] == pytest.approx(1)
    assert len(method.lesson.frames) == 40 - len(held_out_frames(40, 0.15))
    page = done.report.read_text()
    assert "are recommended" in page and page.count("<img") == 3 * 5 and "use " in page
    assert "recommended" in (tmp_path / "out/adapted.md").read_text()


def test_a_worse_student_is_rejected_in_words(frames, tmp_path):
    done = adapt([frames], tmp_path / "out", Squares(tmp_path, "bad"), SETTINGS)
    assert not done.better and done.weights.name == "not_recommended.safetensors"
    assert any("NO: finds alone" in reason for reason in done.reasons) and "Keep the weights" in done.report.read_text()
    again = adapt([frames], tmp_path / "out2", Squares(tmp_path, "good"), SETTINGS)
    assert again.better


def test_the_same_call_goes_on_and_asks_the_teacher_no_more(frames, tmp_path):
    adapt([frames], tmp_path / "out", Squares(tmp_path), SETTINGS)
    method = Squares(tmp_path)
    adapt([frames], tmp_path / "out", method, SETTINGS)
    assert method.asked < 20


def test_a_folder_begun_with_something_else_is_refused(frames, tmp_path):
    adapt([frames], tmp_path / "out", Squares(tmp_path), SETTINGS)
    with pytest.raises(ValueError, match="begun with other rooms, seed"):
        adapt([frames], tmp_path / "out", Squares(tmp_path), replace(SETTINGS, rooms=3, seed=1))


def test_a_second_round_has_the_student_as_teacher(frames, tmp_path):
    method = Squares(tmp_path)
    adapt([frames], tmp_path / "out", method, AdaptSettings(rounds=2, room_tests=1))
    assert method.lesson.weights == str(tmp_path / "out/round1/student/student.safetensors")


def test_a_teacher_who_is_sure_of_nobody_is_refused(frames, tmp_path):
    method = Squares(tmp_path)
    (tmp_path / "teacher.txt").write_text("bad")
    with pytest.raises(ValueError, match="no teacher for this recording"):
        adapt([frames], tmp_path / "out", method, SETTINGS)


def test_frames_that_are_none_are_refused(frames, tmp_path):
    with pytest.raises(ValueError, match="3 frames, expected at least 20"):
        choose_frames(sorted(frames.iterdir())[:3], 600)
    with pytest.raises(ValueError, match="given twice"):
        choose_frames([frames, frames / "000.png"], 600)
    assert len(choose_frames([frames], 30)) == 30
    save_depth(tmp_path / "depth.png", np.full((4, 4), 1000, np.uint16))
    with pytest.raises(ValueError, match="frames of one kind"):
        kind_of_frames([frames, tmp_path / "depth.png"])
    assert kind_of_frames([tmp_path / "depth.png"]) == "depth" and kind_of_frames([frames]) == "color"
    write_image(frames / "999.png", np.zeros((8, 8, 3), np.uint8))
    with pytest.raises(ValueError, match="those of one camera"):
        adapt([frames], tmp_path / "out", Squares(tmp_path), SETTINGS)
