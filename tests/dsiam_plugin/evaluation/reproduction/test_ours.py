"""Which trackers are run with which network, and the names of their results."""

from dataclasses import replace

import pytest
from seeded_network import write_weights

from dsiam_plugin.config.variants import find_variant
from dsiam_plugin.errors import CheckpointError
from dsiam_plugin.evaluation.reproduction.ours import ABLATIONS, Network, load_networks, own_runs


@pytest.fixture
def networks(tmp_path):
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
    files = [write_weights(tmp_path / folder / "net.npz") for folder in ("one", "two")]
    return load_networks(files)


def test_files_of_one_name_are_told_apart(networks):
    assert [network.label for network in networks] == ["embedded", "net", "net-2"]


def test_all_ablations_and_sets_of_constants_are_run(networks):
    runs = own_runs(networks[:1])
    names = [run.name for run in runs]
    assert len(set(names)) == len(names)
    wanted = ["SiamFC", "DSiam", "DSiamM", *ABLATIONS["left"], *ABLATIONS["right"]]
    assert {f"{name}_embedded" for name in wanted} <= set(names)
    settings = {run.name: run.settings for run in runs}
    assert settings["DSiamM_embedded"] is None
    assert settings["DSiamM-release_embedded"] == {"transform": "release"}
    assert settings["DSiamM-paper_embedded"] == {"transform": "paper"}


def test_a_network_runs_the_trackers_of_its_backbone(networks):
    other = Network("vgg", replace(networks[0].weights, backbone="vgg19"))
    runs = own_runs([other])
    assert "DSiamM_Vgg19_vgg" in [run.name for run in runs]
    backbones = {find_variant(run.variant).config("steady").model.backbone for run in runs}
    assert backbones == {"vgg19"}


def test_a_missing_file_is_an_error(tmp_path):
    with pytest.raises(CheckpointError, match="no such weights file"):
        load_networks([tmp_path / "no.npz"])
