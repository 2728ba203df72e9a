import pytest

from dsiam_plugin.errors import ConfigError
from dsiam_plugin.training.run.recipe import (
    BoxTraining,
    DSiamMTraining,
    SiamFCTraining,
    as_mapping,
    differences,
    load_training,
    parse_changes,
)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("train_siamfc", SiamFCTraining),
        ("train_dsiamm", DSiamMTraining),
        ("embedded_box", BoxTraining),
    ],
)
def test_shipped_recipes(repository, name, kind):
    config = load_training(repository / "toolkit_configs" / f"{name}.yaml")
    assert type(config) is kind
    assert load_training(as_mapping(config)) == config


def test_paper_values(repository):
    """Sec. 4.1 of the paper."""
    config = load_training(repository / "toolkit_configs" / "train_dsiamm.yaml")
    optimizer = config.optimizer
    assert (optimizer.name, optimizer.schedule) == ("sgd", "log")
    assert (optimizer.lr, optimizer.lr_end) == (1e-7, 1e-9)
    assert (optimizer.momentum, optimizer.weight_decay) == (0.9, 5e-4)
    assert config.epochs == 50
    assert (config.clips.clips, config.clips.length, config.clips.stride) == (2000, 10, 1)
    assert config.dynamic.frames == "sum"


def test_nested_sections_and_numbers_that_yaml_reads_as_text(tmp_path):
    path = tmp_path / "recipe.yaml"
    path.write_text(
        "stage: siamfc\noptimizer: {lr: 1e-3}\npairs: {augment: {flip: 0}, shares: [1, 2]}\n"
        "model: {layers: {conv4: 0.5, conv5: 1}, channels: [16, 16, 24, 24, 16]}\n"
    )
    config = load_training(path)
    assert config.optimizer.lr == 0.001
    assert config.pairs.augment.flip == 0.0
    assert config.pairs.augment.grey == SiamFCTraining().pairs.augment.grey
    assert config.pairs.shares == (1.0, 2.0)
    assert config.model.layers == {"conv4": 0.5, "conv5": 1.0}
    assert config.model.channels == (16, 16, 24, 24, 16)


def test_all_problems_are_listed_at_once(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "recipe.yaml"
    path.write_text(
        "stage: siamfc\nepoch: 3\nbatch_size: 0\noptimizer: {lr: fast, name: adam}\n"
        "pairs: {augment: {flipp: 1}}\nmodel: {layers: [conv5]}\n"
    )
    with pytest.raises(ConfigError) as caught:
        load_training("recipe.yaml")
    message = str(caught.value)
    for said in (
        "recipe.yaml: ",
        "epoch: unknown key, did you mean 'epochs'?",
        "batch_size: 0, expected a number in [1, 65536]",
        "optimizer.lr: 'fast', expected float",
        "optimizer.name: 'adam', expected sgd or adamw",
        "pairs.augment.flipp: unknown key, did you mean 'flip'?",
        "model.layers: list of 1, expected a mapping",
    ):
        assert said in message


def test_sections_of_another_stage_are_unknown():
    with pytest.raises(ConfigError, match="clips: unknown key, known: stage"):
        load_training({"stage": "siamfc", "clips": {}})


@pytest.mark.parametrize("stage", [{}, {"stage": "siam"}, {"stage": ["siamfc"]}])
def test_a_stage_is_needed(stage):
    with pytest.raises(ConfigError, match="stage: .*expected one of siamfc, dsiamm"):
        load_training(stage)


def test_one_cycle_needs_a_warm_up():
    recipe = {"stage": "siamfc", "optimizer": {"schedule": "one_cycle"}}
    with pytest.raises(ConfigError, match="warm_up: 0.0, expected > 0 for one_cycle"):
        load_training(recipe)


def test_changes_are_merged_into_their_sections():
    changes = parse_changes(["optimizer.lr=1e-4", "optimizer.momentum=0.8", "epochs=2"])
    config = load_training({"stage": "siamfc", "optimizer": {"lr_end": 1e-6}}, changes)
    assert (config.optimizer.lr, config.optimizer.lr_end) == (1e-4, 1e-6)
    assert (config.optimizer.momentum, config.epochs) == (0.8, 2)


@pytest.mark.parametrize(
    ("setting", "said"), [("epochs", "section.key=value"), ("a=[1", "not YAML")]
)
def test_malformed_changes(setting, said):
    with pytest.raises(ConfigError, match=said):
        parse_changes([setting])


def test_differences_name_nested_keys():
    ours, theirs = {"a": 1, "b": {"c": 2, "d": 3}}, {"a": 1, "b": {"c": 4, "d": 3}, "e": 5}
    assert differences(ours, theirs) == ["b.c 2 instead of 4", "e None instead of 5"]
