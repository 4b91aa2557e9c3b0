"""Group norms with a pair a domain: parts of a batch, weights of one pair, contexts."""

import copy

import pytest

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402

from orplugins.adaptor.split_norm import (  # noqa: E402
    SplitGroupNorm2d,
    batch_of,
    convert_split_norm,
    copy_main_pair,
    split_norms,
)


def network(infer_branch: str = "aux") -> nn.Module:
    torch.manual_seed(0)
    net = nn.Sequential(nn.Conv2d(3, 8, 1), nn.GroupNorm(2, 8), nn.ReLU(), nn.Conv2d(8, 8, 1), nn.GroupNorm(2, 8))
    convert_split_norm(net, 2, infer_branch)
    for norm in split_norms(net):
        norm.aux_bn[0].weight.data += 1
        norm.aux_bn[0].bias.data -= 1
    return net


def test_one_branch_is_the_ordinary_norm():
    torch.manual_seed(0)
    plain, given = nn.GroupNorm(4, 16), torch.randn(3, 16, 5, 4)
    plain.weight.data.normal_()
    split = SplitGroupNorm2d(4, 16)
    split.load_state_dict(plain.state_dict())
    torch.testing.assert_close(split.eval()(given), plain(given))
    split.infer_branch = "aux"
    torch.testing.assert_close(split(given), plain(given))  # its further pair began with the one that was loaded


def test_a_given_pair_is_kept():
    one, two = SplitGroupNorm2d(2, 4), SplitGroupNorm2d(2, 4)
    one.aux_bn[0].weight.data.fill_(3)
    two.load_state_dict(one.state_dict())
    assert torch.equal(two.aux_bn[0].weight, one.aux_bn[0].weight)


def test_parts_of_any_size():
    """A batch's rows do not see each other, so that each part equals the branch alone."""
    net, given = network().train(), torch.randn(5, 3, 4, 6)
    with batch_of(net, sizes=(4, 1)):
        found = net(given)
    with batch_of(net, branch=0):
        source = net(given)
    with batch_of(net, branch=1):
        target = net(given)
    torch.testing.assert_close(found, torch.cat([source[:4], target[4:]]))
    assert not torch.allclose(source, target)
    torch.testing.assert_close(net.eval()(given), target)
    torch.testing.assert_close(network("main").eval()(given), source)


def test_no_row_for_a_branch():
    net, given = network().train(), torch.randn(2, 3, 4, 6)
    with batch_of(net, sizes=(2, 0)):
        found = net(given)
    with batch_of(net, branch=0):
        torch.testing.assert_close(found, net(given))


def test_a_context_ends():
    net = network().train()
    with pytest.raises(ValueError, match="3.*expected 2 parts of"), batch_of(net, sizes=(1, 1)):
        net(torch.randn(3, 3, 4, 6))
    net(torch.randn(2, 3, 4, 6))
    with pytest.raises(ValueError, match="found a batch of 3, expected a multiple of 2"):
        net(torch.randn(3, 3, 4, 6))


def test_a_copied_network_has_its_own_context():
    net = network().train()
    teacher = copy.deepcopy(net)
    with batch_of(net, branch=0):
        assert {norm.domains.branch for norm in split_norms(net)} == {0}
        assert {norm.domains.branch for norm in split_norms(teacher)} == {None}
    assert len({id(norm.domains) for norm in split_norms(teacher)}) == 1


def test_copying_the_first_pair():
    net, given = network().eval(), torch.randn(2, 3, 4, 6)
    before = net(given)
    copy_main_pair(net)
    assert not torch.allclose(net(given), before)
    torch.testing.assert_close(net(given), network("main").eval()(given))


def test_converting_twice_changes_nothing():
    net = network()
    names = list(net.state_dict())
    convert_split_norm(net)
    assert list(net.state_dict()) == names


@pytest.mark.parametrize(("branches", "kind"), [(1, "main"), (2, "published")])
def test_options_that_there_are_not(branches, kind):
    with pytest.raises(ValueError, match="expected 2 or more, by 'main' or 'aux'"):
        SplitGroupNorm2d(2, 4, branches, kind)


def test_without_affine_values():
    split = convert_split_norm(nn.GroupNorm(2, 4, affine=False))
    assert not split.state_dict()
    given = torch.randn(2, 4, 3, 3)
    torch.testing.assert_close(split.train()(given), nn.functional.group_norm(given, 2))
    copy_main_pair(split)
