from pathlib import Path

import pytest

from dsiam_plugin.config.files import PRESETS, dump_config, load_config, validate
from dsiam_plugin.config.variants import VARIANTS, find_variant, tracker_names
from dsiam_plugin.errors import ConfigError

NAMES = [
    "SiamFC",
    "DSiam",
    "DSiamM",
    "DSiamBox",
    "DSiamM_Vgg19",
    "DSiamM-VT",
    "DSiamM-BS",
    "DSiamM-Multi",
    "DSiamM_withFrame_t-1",
    "DSiamM_fixedFusionWeight",
]


def test_names():
    assert sorted(tracker_names()) == sorted(NAMES)


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("name", NAMES)
def test_every_preset_of_every_variant_is_valid(name, preset):
    config = VARIANTS[name].config(preset)
    assert validate(config) == []
    assert config.transform.preset == preset


@pytest.mark.parametrize(
    ("given", "meant"), [("dsiamm", "DSiamM"), ("DSiam_M", "DSiamM"), ("siamfc3s", "SiamFC")]
)
def test_unknown_name_gets_the_nearest(given, meant):
    with pytest.raises(ConfigError, match=f"did you mean '{meant}'"):
        find_variant(given)


def test_name_far_from_all_lists_them():
    with pytest.raises(ConfigError, match="unknown; known: SiamFC, DSiam"):
        find_variant("qqq")


@pytest.mark.parametrize("preset", PRESETS)
def test_siamfc_learns_nothing_in_any_preset(preset):
    assert not find_variant("SiamFC").config(preset).transform.adaptive


@pytest.mark.parametrize("preset", PRESETS)
def test_siamfc_differs_from_dsiam_in_the_transforms_alone(preset):
    siamfc, dsiam = (find_variant(name).config(preset) for name in ("SiamFC", "DSiam"))
    assert (siamfc.model, siamfc.crop, siamfc.tracking) == (dsiam.model, dsiam.crop, dsiam.tracking)


def test_release_constants():
    """The table of the authors' release, value by value."""
    transform = find_variant("DSiam").config("release").transform
    assert (transform.rate_v, transform.rate_w) == (0.49, 0.29)
    assert (transform.lambda_v, transform.lambda_w) == (1e-5, 10.0)
    assert transform.window
    assert transform.per_element
    assert transform.gate
    assert not transform.keep_norm
    assert transform.memory == 0
    assert find_variant("DSiamM_Vgg19").config("release").transform.lambda_v == 10.0
    fusion = find_variant("DSiamM").config("release").fusion
    assert (fusion.primary_weight, fusion.center_radius) == (0.9922, 2)


@pytest.mark.parametrize("name", NAMES)
def test_shipped_yaml_spells_the_defaults_out(repository: Path, name):
    path = repository / "toolkit_configs" / f"{name}.yaml"
    config = load_config(path, find_variant(name).config)
    assert config == find_variant(name).config(PRESETS[0])
    body = [line for line in path.read_text().splitlines() if not line.startswith("#")]
    assert "\n".join(body).strip() == dump_config(config).strip()
