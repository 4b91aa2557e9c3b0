"""detectron2's checkpointer with care: what a killed run leaves behind can be resumed."""

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("detectron2")

from orplugins.hosts.detectron2.checkpoint import CarefulCheckpointer  # noqa: E402


def test_the_note_of_the_newest_checkpoint_is_never_half_written(tmp_path, monkeypatch):
    checkpointer = CarefulCheckpointer(torch.nn.Linear(2, 1), str(tmp_path))
    checkpointer.save("model_0000001")
    assert (tmp_path / "last_checkpoint").read_text() == "model_0000001.pth"

    def killed(*paths):
        raise KeyboardInterrupt

    monkeypatch.setattr("os.replace", killed)
    with pytest.raises(KeyboardInterrupt):
        checkpointer.tag_last_checkpoint("model_0000002.pth")
    assert (tmp_path / "last_checkpoint").read_text() == "model_0000001.pth"
    assert checkpointer.get_checkpoint_file() == str(tmp_path / "model_0000001.pth")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["last_checkpoint", "model_0000001.pth"]
