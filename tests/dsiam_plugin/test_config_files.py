import pytest

from dsiam_plugin.config_files import dump_config, load_config
from dsiam_plugin.errors import ConfigError
from dsiam_plugin.variants import find_variant

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
        "tracking.scales: 2, expected odd and positive",
        "transform.rate_v: 2.0, expected [0, 1]",
        "transform.gate: 'maybe', expected bool",
        "model.layers: 'conv5', expected a list",
    ):
        assert said in message
    assert "\n" not in message


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("transform: best", "expected one of steady, release, paper"),
        ("- 1\n- 2", "expected sections"),
        ("tracking: [1]", "tracking: expected a mapping"),
        ("tracking: {scale_step: .nan}", "scale_step: nan, expected float"),
        ("a: b: c", "not valid YAML"),
        ("transform: {lambda_v: 0}", "transform.lambda_v: 0.0, expected > 0"),
        ("crop: {exemplar_size: 60}", "crop.exemplar_size: 60, expected >= 87"),
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
    with pytest.raises(ConfigError, match="not valid YAML"):
        load_config(write(tmp_path, "model: !!python/object/apply:os.getcwd []"), BASE)
