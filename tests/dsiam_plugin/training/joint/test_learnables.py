from dataclasses import replace

import pytest
import torch
from clip_data import tracker_config

from dsiam_plugin.config import of_layer
from dsiam_plugin.errors import ConfigError
from dsiam_plugin.training.joint.learnables import FusionMaps, Learnables, LearntShare


def test_shares_stay_between_zero_and_one():
    share = LearntShare(0.49)
    assert share().item() == pytest.approx(0.49)
    share().backward()
    with torch.no_grad():
        share.logit += 1e3 * share.logit.grad
    assert 0.49 < share().item() <= 1


@pytest.mark.parametrize("start", [0.0, 1.0])
def test_a_share_at_its_bound_is_constant(start):
    share = LearntShare(start)
    assert share().item() == start
    assert list(share.parameters()) == []
    with pytest.raises(ConfigError, match=r"expected a number in \[0, 1\]"):
        LearntShare(1.5)


def test_maps_sum_to_one_and_mirror():
    start = torch.rand(5, 5)
    maps = FusionMaps(("a", "b", "c"), start, symmetric=True)()
    torch.testing.assert_close(sum(maps.values()), torch.ones(5, 5))
    torch.testing.assert_close(maps["b"], maps["c"])
    torch.testing.assert_close(maps["a"], maps["a"].flip(1))
    assert not torch.equal(maps["a"], maps["a"].flip(0))
    free = FusionMaps(("a", "b"), start, symmetric=False)()
    torch.testing.assert_close(free["a"], start)


def test_one_layer_has_nothing_to_fuse():
    config = tracker_config("DSiam")
    learnables = Learnables(config, torch.ones(17, 17), (1.0, 0.0), True)
    assert "fusion" not in learnables.parameter_groups()
    assert learnables.fusion()["conv5"].eq(1).all()


def test_numbers_start_where_the_configuration_says():
    config = tracker_config()
    own = {"conv5": 0.5, "conv4": 2.0}
    config = replace(config, transform=replace(config.transform, lambda_v=own, rate_w=0.1))
    learnables = Learnables(config, torch.ones(17, 17), (3.0, -1.0), True)
    numbers = learnables.scalars()
    assert numbers["lambda_v.conv4"] == pytest.approx(2.0)
    assert numbers["lambda_w.conv4"] == pytest.approx(0.05)
    assert (numbers["head_scale"], numbers["head_bias"]) == pytest.approx((3.0, -1.0))
    assert learnables.overrides()["lambda_v"] == own
    assert learnables.overrides()["rate_w"] == {"conv5": 0.1, "conv4": 0.1}
    assert learnables.overrides()["memory"] == 0.9


def test_transforms_that_do_not_exist_have_no_numbers():
    learnables = Learnables(tracker_config("DSiamM-VT"), torch.ones(17, 17), (1.0, 0.0), True)
    assert set(learnables.overrides()) == {"lambda_w", "rate_w"}


def test_a_layer_without_a_number():
    assert of_layer(0.5, "conv4") == 0.5
    with pytest.raises(ConfigError, match="no number for layer conv4; given: conv5"):
        of_layer({"conv5": 1.0}, "conv4")
