"""Moving average, schedule and weights of losses."""

import pytest

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402

from orplugins.adaptor.ema import TeacherSchedule, average_into  # noqa: E402
from orplugins.adaptor.losses import UnlabelledWeights, focal_loss, no_unlabelled  # noqa: E402


def pair() -> tuple[nn.Module, nn.Module]:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2)), nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2))


@pytest.mark.parametrize("decay", [0.0, 0.3, 1.0])
def test_average(decay):
    teacher, student = pair()
    before = {name: value.clone() for name, value in teacher.state_dict().items()}
    student[1].num_batches_tracked += 5
    average_into(teacher, student, decay)
    for name, value in student.state_dict().items():
        expected = decay * before[name] + (1 - decay) * value
        torch.testing.assert_close(teacher.state_dict()[name], expected.to(value.dtype))
    assert int(teacher[1].num_batches_tracked) == int(5 * (1 - decay))


def test_networks_of_two_kinds():
    teacher, _ = pair()
    with pytest.raises(ValueError, match="in one of them only"):
        average_into(teacher, nn.Linear(3, 2), 0.5)


def test_schedule():
    schedule = TeacherSchedule(burn_in=2, steps=9, decay_in_burn_in=0.0, decay=0.9, period=3)
    assert [schedule.of(step) for step in range(9)] == [0.0, 0.0, 0.9, None, None, 0.9, None, None, 0.9]
    schedule = TeacherSchedule(burn_in=0, steps=9, decay_in_burn_in=0.0, decay=0.9, period=5)
    assert [step for step in range(9) if schedule.of(step)] == [0, 5, 8]


def test_weights_by_name():
    losses = {name: torch.ones(()) for name in ("loss_cls", "loss_mask", "loss_keypoint", "loss_rpn_loc")}
    found = UnlabelledWeights(keypoint=3.0, mask=5.0, other=2.0).weigh(losses)
    weights = {"loss_cls": 2, "loss_mask": 5, "loss_keypoint": 3, "loss_rpn_loc": 2}
    assert {name: float(value) for name, value in found.items()} == {f"{n}_unlabel": w for n, w in weights.items()}
    assert no_unlabelled(losses).keys() == found.keys() and not sum(no_unlabelled(losses).values())


def test_focal_loss_forgives_the_sure():
    logits = torch.tensor([[4.0, 0.0], [0.1, 0.0]], requires_grad=True)
    classes = torch.tensor([0, 0])
    assert focal_loss(logits, classes) < nn.functional.cross_entropy(logits, classes)
    torch.testing.assert_close(focal_loss(logits, classes, 0.0), nn.functional.cross_entropy(logits, classes))
    nothing = focal_loss(logits[:0], classes[:0])
    nothing.backward()
    assert float(nothing) == 0 and not logits.grad.any()
