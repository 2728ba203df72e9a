from dataclasses import replace

import pytest

from dsiam_plugin.config import of_layer
from dsiam_plugin.config.files import PRESETS, dump_config, load_config
from dsiam_plugin.config.variants import find_variant
from dsiam_plugin.errors import ConfigError

BASE = find_variant("DSiamM").config


def write(tmp_path, text):
    path = tmp_path / "config.yaml"
    path.write_text(text)
    return path


def test_overrides_what_is_given_and_keeps_the_rest(tmp_path):
    path = write(tmp_path, "tracking:\n  scale_step: 1.05\n")
    config = load_config(path, BASE)
    assert config.tracking.scale_step == 1.05
    assert config.transform == BASE("steady").transform


@pytest.mark.parametrize("text", ["transform: release", "transform: {preset: release}"])
def test_preset_by_name(tmp_path, text):
    assert load_config(write(tmp_path, text), BASE) == BASE("release")


def test_keys_beside_a_preset_override_it():
    config = load_config({"transform": {"preset": "paper", "rate_v": 0.5}}, BASE)
    assert config.transform.rate_v == 0.5
    assert config.transform.lambda_w == BASE("paper").transform.lambda_w


def test_preset_keeps_what_the_variant_switches_off():
    config = load_config({"transform": "release"}, find_variant("DSiamM-VT").config)
    assert not config.transform.variation
    assert config.transform.suppression


@pytest.mark.parametrize("preset", ["steady", "release", "paper"])
def test_dump_is_read_back_unchanged(tmp_path, preset):
    config = BASE(preset)
    assert load_config(write(tmp_path, dump_config(config)), BASE) == config


def test_all_problems_are_listed_at_once(tmp_path):
    path = write(
        tmp_path,
        "trackign: {}\n"
        "tracking: {scale_stepp: 1.1, scales: 2}\n"
        "transform: {rate_v: 2.0, gate: maybe}\n"
        "model: {layers: conv5}\n",
    )
    with pytest.raises(ConfigError) as caught:
        load_config(path, BASE)
    message = str(caught.value)
    for said in (
        str(path),
        "trackign: unknown key, did you mean 'tracking'?",
        "tracking.scale_stepp: unknown key, did you mean 'scale_step'?",
        "tracking.scales: 2, expected an odd number in [1, 33]",
        "transform.rate_v: 2.0, expected a number in [0, 1]",
        "transform.gate: 'maybe', expected bool",
        "model.layers: 'conv5', expected a list",
    ):
        assert said in message
    assert "\n" not in message


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("transform: best", "transform.preset: 'best', expected steady, release or paper"),
        ("- 1\n- 2", "expected sections"),
        ("tracking: [1]", "tracking: list of 1, expected a mapping"),
        ("tracking: {scale_step: .nan}", "scale_step: nan, expected float"),
        ("a: b: c", "not YAML"),
        ("transform: {lambda_v: 0}", "transform.lambda_v: 0.0, expected a number in (0, 1e9]"),
        ("crop: {context: 1.0e+300}", "crop.context: 1e+300, expected a number in [0, 10]"),
        (
            "crop: {search_size: 100000}",
            "crop.search_size: 100000, expected a number in [88, 1023]",
        ),
        ("crop: {search_size: 120}", "crop.search_size: 120, expected > exemplar_size (127)"),
        ("tracking: {upsample: 1000000000}", "tracking.upsample: 1000000000, expected a number"),
        ("tracking: {upsample: 1.0e+9}", "tracking.upsample: 1000000000.0, expected int"),
        (
            "{crop: {search_size: 1023}, tracking: {upsample: 32}}",
            "tracking.upsample: 32, expected at most 18 with these crops",
        ),
        ("tracking: {scales: 1001}", "tracking.scales: 1001, expected an odd number in [1, 33]"),
        (
            f"tracking: {{scale_step: {'9' * 400}}}",
            "tracking.scale_step: a huge number, expected float",
        ),
        ("fusion: 5", "fusion: 5, expected a mapping"),
        ("transform: {preset: [1]}", "transform.preset: list of 1, expected str"),
        ("transform: {saliency: release}", "transform.saliency: 'release', expected gaussian"),
        ("model: {layers: [conv5, conv5]}", "model.layers: conv5, conv5, expected no repeats"),
        ("crop: {exemplar_size: 60}", "crop.exemplar_size: 60, expected a number in [87, 1022]"),
    ],
)
def test_bad_files_are_named(tmp_path, text, said):
    path = write(tmp_path, text)
    with pytest.raises(ConfigError) as caught:
        load_config(path, BASE)
    assert str(path) in str(caught.value)
    assert said in str(caught.value)


def test_missing_file(tmp_path):
    with pytest.raises(ConfigError, match="nowhere.yaml: cannot be read"):
        load_config(tmp_path / "nowhere.yaml", BASE)


def test_yaml_cannot_name_python_objects(tmp_path):
    with pytest.raises(ConfigError, match="not YAML"):
        load_config(write(tmp_path, "model: !!python/object/apply:os.getcwd []"), BASE)


TRAINED = {
    "model": {"layers": ["conv5", "conv4"]},
    "fusion": {"learnt": True, "balance": True},
    "transform": {"preset": "steady", "rate_v": {"conv5": 0.2, "conv4": 0.6}, "memory": 0.7},
}


def test_numbers_by_layer(tmp_path):
    path = write(tmp_path, "transform: {lambda_v: {conv5: 1.0e-3, conv4: 2}, rate_w: 0.1}")
    transform = load_config(path, BASE).transform
    assert (of_layer(transform.lambda_v, "conv5"), of_layer(transform.lambda_v, "conv4")) == (
        1e-3,
        2.0,
    )
    assert of_layer(transform.rate_w, "conv5") == 0.1
    with pytest.raises(ConfigError, match="no number for layer conv3; given: conv5, conv4"):
        of_layer(transform.lambda_v, "conv3")
    for text in ("rate_v: {conv5: 1.5}", "lambda_w: {conv5: 0.0}", "lambda_w: {}"):
        with pytest.raises(ConfigError, match=text.partition(":")[0]):
            load_config(write(tmp_path, f"transform: {{{text}}}"), BASE)


def test_trained_numbers_replace_the_default_constants_only():
    dsiamm = find_variant("DSiamM").config
    trained = load_config(None, dsiamm, TRAINED)
    assert trained.transform.memory == 0.7
    assert trained.transform.rate_v == {"conv5": 0.2, "conv4": 0.6}
    assert trained.fusion.learnt
    own = load_config({"transform": {"memory": 0.5}}, dsiamm, TRAINED)
    assert (own.transform.memory, own.transform.rate_v["conv5"]) == (0.5, 0.2)
    for preset in PRESETS:  # a set that is named is that set
        assert load_config({"transform": preset}, dsiamm, TRAINED) == dsiamm(preset)
    assert not load_config({"fusion": {"primary_weight": 0.4}}, dsiamm, TRAINED).fusion.learnt


def test_trained_numbers_bring_the_rules_of_the_preset_they_were_trained_in():
    dsiamm = find_variant("DSiamM").config
    trained = {"transform": {"preset": "release", "rate_w": 0.1}}
    config = load_config(None, dsiamm, trained)
    assert config.tracking == dsiamm("release").tracking
    assert config.transform == replace(dsiamm("release").transform, rate_w=0.1)


def test_trained_numbers_go_to_trackers_that_use_them():
    siamfc, dsiam = (find_variant(name).config for name in ("SiamFC", "DSiam"))
    assert load_config(None, siamfc, TRAINED) == siamfc("steady")
    config = load_config(None, dsiam, TRAINED)
    assert config.transform.memory == 0.7
    assert (config.fusion, config.model) == (dsiam("steady").fusion, dsiam("steady").model)
