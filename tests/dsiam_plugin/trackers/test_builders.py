import json
from dataclasses import replace

import pytest
import torch
from seeded_network import write_weights

from dsiam_plugin.config.variants import find_variant
from dsiam_plugin.errors import CheckpointError, ConfigError, DeviceError
from dsiam_plugin.models.weights import load_weights, save_weights
from dsiam_plugin.trackers.builders import build_tracker, resolve, resolve_config

HERE = {"device": "cpu", "precision": "float32"}
TRAINED = {"transform": {"rate_w": 0.125, "memory": 0.75}}


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    return write_weights(tmp_path_factory.mktemp("weights") / "w.npz")


@pytest.fixture(scope="module")
def trained(weights, tmp_path_factory):
    path = tmp_path_factory.mktemp("trained") / "w.safetensors"
    save_weights(replace(load_weights(weights), config={"tracker": TRAINED}), path)
    return path


def test_what_is_planned_is_what_is_built(trained):
    plan = resolve("DSiam", weights=trained, config={"tracking": {"scales": 1}}, **HERE)
    tracker = build_tracker("DSiam", weights=trained, config={"tracking": {"scales": 1}}, **HERE)
    assert tracker.config == plan.config
    assert (plan.config.transform.rate_w, plan.config.transform.memory) == (0.125, 0.75)
    assert plan.identity()["config"]["transform"]["rate_w"] == 0.125
    assert plan.identity()["head"] == [tracker.network.scale, tracker.network.bias]


def test_a_whole_configuration_is_taken_as_it_is(trained):
    config = find_variant("DSiam").config("steady")
    assert resolve("DSiam", weights=trained, config=config, **HERE).config == config
    wrong = replace(config, tracking=replace(config.tracking, scales=1001))
    with pytest.raises(ConfigError, match="scales: 1001"):
        build_tracker("DSiam", weights=trained, config=wrong, **HERE)


def test_numbers_of_another_network_are_left_out(trained):
    config = resolve_config("DSiamM_Vgg19", None, load_weights(trained))
    assert config == find_variant("DSiamM_Vgg19").config("steady")
    for precision in ("auto", "float32"):
        with pytest.raises(CheckpointError, match="weights of siamfc_alexnet, expected vgg19"):
            build_tracker("DSiamM_Vgg19", weights=trained, device="cpu", precision=precision)


def test_identity_is_that_of_the_numbers_and_not_of_the_file(weights, tmp_path):
    first = resolve("SiamFC", weights=weights, **HERE)
    again = tmp_path / "other name.safetensors"
    save_weights(replace(first.weights, config={"origin": "converted again"}), again)
    second = resolve("SiamFC", weights=again, **HERE)
    assert first.weights.sha256 != second.weights.sha256
    assert first.identity() == second.identity()
    changed = {name: tensor.clone() for name, tensor in first.weights.tensors.items()}
    changed["conv1.bias"][0] += 1
    save_weights(replace(first.weights, tensors=changed), again)
    assert resolve("SiamFC", weights=again, **HERE).identity() != first.identity()
    save_weights(replace(first.weights, head=(2.0, 0.0)), again)
    assert resolve("SiamFC", weights=again, **HERE).identity() != first.identity()


def test_identity_survives_json(weights):
    identity = resolve("DSiamM", weights=weights, **HERE).identity()
    once = json.loads(json.dumps(identity))
    assert json.loads(json.dumps(once)) == once
    assert (once["device"], once["precision"]) == ("cpu", "float32")


def test_a_device_of_other_machines(weights):
    name = f"cuda:{torch.cuda.device_count()}"
    with pytest.raises(DeviceError):
        resolve("SiamFC", weights=weights, device=name)
    assert resolve("SiamFC", weights=weights, device=name, elsewhere=True).device == name
