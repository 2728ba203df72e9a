import json

import numpy as np
import pytest
import torch
from packaging.version import Version
from safetensors.torch import save_file
from seeded_network import CHANNELS, write_weights
from torch import nn

from dsiam_plugin.errors import CheckpointError
from dsiam_plugin.models import matconvnet, weight_files
from dsiam_plugin.models import weights as weights_module
from dsiam_plugin.models.backbones import BACKBONES, SiamFCAlexNet
from dsiam_plugin.models.torch_files import SAFE_TORCH
from dsiam_plugin.models.weight_files import fold_batch_norm
from dsiam_plugin.models.weights import (
    Weights,
    find_weights,
    load_weights,
    save_weights,
)


@pytest.fixture
def npz(tmp_path):
    return write_weights(tmp_path / "net.npz")


@pytest.fixture
def no_weights(monkeypatch, tmp_path):
    monkeypatch.delenv("DSIAM_WEIGHTS", raising=False)
    monkeypatch.setattr(weights_module, "EMBEDDED", tmp_path / "none.safetensors")


def test_npz(npz):
    loaded = load_weights(npz)
    assert loaded.backbone == "siamfc_alexnet"
    assert loaded.format == "npz"
    assert loaded.head == (0.001, -2.14836)
    assert loaded.tensors["conv2.weight"].shape == (CHANNELS[1], CHANNELS[0] // 2, 5, 5)
    assert len(loaded.sha256) == 64


def test_explicit_wins_over_environment_wins_over_embedded(npz, no_weights, monkeypatch, tmp_path):
    embedded = write_weights(tmp_path / "embedded.npz")
    monkeypatch.setattr(weights_module, "EMBEDDED", embedded)
    assert find_weights() == embedded
    monkeypatch.setenv("DSIAM_WEIGHTS", str(npz))
    assert find_weights() == npz
    assert find_weights(embedded) == embedded


def test_no_weights_at_all_says_how_to_name_them(no_weights):
    with pytest.raises(CheckpointError, match=r"--weights FILE.*\$DSIAM_WEIGHTS"):
        find_weights()


def test_missing_file_names_where_the_path_came_from(no_weights, monkeypatch):
    with pytest.raises(CheckpointError, match="^gone.npz: no such"):
        load_weights("gone.npz")
    monkeypatch.setenv("DSIAM_WEIGHTS", "gone.npz")
    with pytest.raises(CheckpointError, match=r"from \$DSIAM_WEIGHTS"):
        load_weights()


needs_safe_torch = pytest.mark.skipif(
    Version(torch.__version__).release < SAFE_TORCH.release, reason="PyTorch reads no .pth safely"
)
BROKEN_ZIP = b"PK\x05\x06" + b"\0" * 4 + b"\1\0\1\0" + b"\xff" * 8 + b"\0\0"


@pytest.mark.parametrize("content", [b"not weights at all" * 10, BROKEN_ZIP])
@pytest.mark.parametrize(
    "suffix", [".npz", pytest.param(".pth", marks=needs_safe_torch), ".safetensors", ".mat"]
)
def test_corrupt_file(tmp_path, suffix, content):
    if suffix == ".mat":
        pytest.importorskip("scipy")
    path = tmp_path / f"broken{suffix}"
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match=f"{path.name}: not a readable {suffix}"):
        load_weights(path)


def test_unknown_suffix(tmp_path):
    path = tmp_path / "net.onnx"
    path.write_bytes(b"")
    with pytest.raises(CheckpointError, match=r"unknown suffix, expected one of \.safetensors"):
        load_weights(path)


def test_values_that_are_not_finite(tmp_path, npz):
    arrays = dict(np.load(npz))
    arrays["conv3.bias"][0] = np.nan
    np.savez(tmp_path / "nan.npz", **arrays)
    with pytest.raises(CheckpointError, match=r"not finite or beyond 1e\+06 in conv3\.bias"):
        load_weights(tmp_path / "nan.npz")


def test_safetensors_round_trip_keeps_header_and_values(tmp_path, npz):
    loaded = load_weights(npz)
    described = Weights(**{**vars(loaded), "config": {"origin": "test"}})
    path = tmp_path / "net.safetensors"
    save_weights(described, path)
    again = load_weights(path)
    assert again.config == {"origin": "test"}
    assert again.head == loaded.head
    assert again.backbone == loaded.backbone
    assert all(again.tensors[name].equal(loaded.tensors[name]) for name in loaded.tensors)
    half = tmp_path / "half.safetensors"
    save_weights(described, half, torch.float16)
    assert half.stat().st_size < 0.6 * path.stat().st_size
    assert load_weights(half).tensors["conv1.weight"].dtype == torch.float32


def test_foreign_safetensors(tmp_path):
    path = tmp_path / "other.safetensors"
    save_file({"a": torch.zeros(1)}, path)
    with pytest.raises(CheckpointError, match="header is not this plugin's"):
        load_weights(path)


def test_weights_are_written_as_safetensors_only(tmp_path, npz):
    with pytest.raises(CheckpointError, match="as .safetensors only"):
        save_weights(load_weights(npz), tmp_path / "out.npz")


def test_folding_equals_convolution_then_batch_norm():
    torch.manual_seed(0)
    convolution, norm = nn.Conv2d(4, 6, 3), nn.BatchNorm2d(6).eval()
    nn.init.normal_(norm.weight)
    nn.init.normal_(norm.bias)
    norm.running_mean.normal_()
    norm.running_var.uniform_(0.5, 2)
    x = torch.randn(2, 4, 9, 9)
    deviation = (norm.running_var + norm.eps).sqrt()
    weight, bias = fold_batch_norm(
        convolution.weight, convolution.bias, norm.weight, norm.bias, norm.running_mean, deviation
    )
    torch.testing.assert_close(
        nn.functional.conv2d(x, weight, bias), norm(convolution(x)), atol=1e-5, rtol=1e-5
    )


def siamfc_pytorch_module():
    """A network shaped as siamfc-pytorch's state dict says, narrower."""
    c1, c2, c3, c4, c5 = CHANNELS

    def block(inputs, outputs, size, stride=1, groups=1):
        return nn.Sequential(
            nn.Conv2d(inputs, outputs, size, stride, groups=groups),
            nn.BatchNorm2d(outputs, eps=1e-6),
            nn.ReLU(),
        )

    layers = [
        block(3, c1, 11, 2),
        nn.MaxPool2d(3, 2),
        block(c1, c2, 5, groups=2),
        nn.MaxPool2d(3, 2),
        block(c2, c3, 3),
        block(c3, c4, 3, groups=2),
        nn.Sequential(nn.Conv2d(c4, c5, 3, groups=2)),
    ]
    names = {0: "conv1", 2: "conv2", 4: "conv3", 5: "conv4", 6: "conv5"}
    module = nn.Sequential(*layers)
    for norm in module.modules():
        if isinstance(norm, nn.BatchNorm2d):
            norm.running_mean.normal_(0, 0.1)
            norm.running_var.uniform_(0.5, 2)
    state = {
        f"backbone.{names[index]}.{key}": value
        for index in names
        for key, value in layers[index].state_dict().items()
    }
    return module.eval(), state


@needs_safe_torch
@pytest.mark.parametrize(
    ("name", "wrapper", "prefix"),
    [
        ("siamfc.pth", "", ""),
        ("siamfc.pth.tar", "state_dict", "module."),
        ("siamfc.pt", "model", "_orig_mod."),
        ("siamfc.ckpt", "state_dict", "net."),
        ("siamfc.pth", "model_state_dict", "module._orig_mod."),
        ("siamfc.pth", "net", ""),
    ],
)
def test_siamfc_pytorch_checkpoint_gives_that_networks_features(tmp_path, name, wrapper, prefix):
    torch.manual_seed(1)
    module, state = siamfc_pytorch_module()
    content = {f"{prefix}{key}": value for key, value in state.items()}
    if wrapper:
        content = {wrapper: content, "epoch": 3}
    torch.save(content, tmp_path / name)
    loaded = load_weights(tmp_path / name)
    assert loaded.format == "siamfc-pytorch"
    assert loaded.head == (0.001, 0.0)
    network = SiamFCAlexNet(CHANNELS)
    network.load_state_dict(loaded.tensors)
    crops = torch.rand(1, 3, 127, 127)
    torch.testing.assert_close(network(crops)["conv5"], module(crops), atol=1e-5, rtol=1e-4)


@needs_safe_torch
@pytest.mark.parametrize("name", ["vgg16", "vgg19"])
def test_torchvision_state_dict(tmp_path, name):
    with torch.device("meta"):
        shapes = {key: value.shape for key, value in BACKBONES[name]().state_dict().items()}
    state = {key: torch.zeros(1).expand(shape) for key, shape in shapes.items()}
    torch.save({**state, "classifier.0.weight": torch.zeros(2, 2)}, tmp_path / "net.pth")
    loaded = load_weights(tmp_path / "net.pth")
    assert loaded.backbone == name
    assert loaded.tensors.keys() == state.keys()


@needs_safe_torch
def test_state_dict_of_neither(tmp_path):
    path = tmp_path / "resnet.pth"
    torch.save({"layer1.weight": torch.zeros(1)}, path)
    with pytest.raises(CheckpointError, match=r"neither siamfc-pytorch.*found 'layer1\.weight'"):
        load_weights(path)


def test_equal_weights_are_equal_bytes(tmp_path, npz, monkeypatch):
    loaded = load_weights(npz)
    described = Weights(**{**vars(loaded), "config": {"origin": "test", "a": 1}})
    written = []
    for name in ("1.safetensors", "2.safetensors"):
        save_weights(described, tmp_path / name)
        written.append((tmp_path / name).read_bytes())
    size = int.from_bytes(written[0][:8], "little")
    header = json.loads(written[0][8 : 8 + size])
    assert size % 8 == 0
    names = [name for name in header if name != "__metadata__"]
    assert names == sorted(names) and list(header["__metadata__"]) == sorted(header["__metadata__"])
    assert written[0] == written[1]


def with_header(path, **changes):
    """The embedded layout of a file with other entries in its header; None removes one."""
    given = {"format": "dsiam", "backbone": "siamfc_alexnet", "head": "[1, 0]", "config": "{}"}
    header = {key: value for key, value in (given | changes).items() if value is not None}
    save_file(SiamFCAlexNet(CHANNELS).state_dict(), path, metadata=header)
    return path


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"head": "[1]"}, "'head' in the header: .*expected a finite scale and bias"),
        ({"head": "null"}, "'head' in the header as a scale and a bias"),
        ({"head": '["1", 0]'}, "expected a number"),
        ({"head": "[NaN, 0]"}, "a finite scale and bias"),
        ({"head": None}, "'head' in the header"),
        ({"config": "[" * 100_000}, "nested too deeply"),
        ({"config": "null"}, "'config' in the header as an object"),
        ({"backbone": "resnet"}, "weights of 'resnet'; expected those of siamfc_alexnet, vgg16"),
        ({"backbone": "vgg16"}, "not the weights of vgg16"),
    ],
)
def test_headers_of_others(tmp_path, changes, message):
    with pytest.raises(CheckpointError, match=message) as caught:
        load_weights(with_header(tmp_path / "w.safetensors", **changes))
    assert len(str(caught.value)) < 500
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda arrays: arrays.pop("conv3.bias"), "not the weights of siamfc_alexnet"),
        (lambda arrays: arrays.update({"conv2.weight": np.zeros((16, 9, 5, 5))}), "size mismatch"),
        (lambda arrays: arrays.update({"conv1.weight": np.float32(1)}), "not the weights"),
        (
            lambda arrays: arrays.update({"conv2.weight": arrays["conv2.weight"] * 1e9}),
            "beyond 1e.06 in conv2.weight",
        ),
        (
            lambda arrays: arrays.update(
                {f"conv{n}.weight": arrays[f"conv{n}.weight"] * 1e5 for n in (1, 2, 3)}
            ),
            "features of conv4 reach .*; expected below 1e.09",
        ),
    ],
)
def test_tensors_that_do_not_fit(tmp_path, npz, change, message):
    arrays = dict(np.load(npz))
    change(arrays)
    np.savez(tmp_path / "other.npz", **arrays)
    with pytest.raises(CheckpointError, match=message):
        load_weights(tmp_path / "other.npz")


def test_archive_that_grows_when_unpacked(tmp_path, monkeypatch):
    monkeypatch.setattr(weight_files, "MAX_BYTES", 2**20)
    np.savez_compressed(tmp_path / "bomb.npz", x=np.zeros(2**21, np.uint8))
    with pytest.raises(CheckpointError, match="2 MiB once unpacked, expected at most 1 MiB"):
        load_weights(tmp_path / "bomb.npz")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0", "git lfs pull"),
        (b"\n<!DOCTYPE html><html>", "a web page, not weights"),
        (b"", "an empty file"),
    ],
)
@pytest.mark.parametrize("name", ["w.pth", "w.npz"])
def test_downloads_that_are_something_else(tmp_path, name, content, message):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(CheckpointError, match=f"{name}: .*{message}"):
        load_weights(tmp_path / name)


def write_mat(path, prefix="br_"):
    """A dagnn network with five convolutions and batch norm after the first four."""
    scipy_io = pytest.importorskip("scipy.io")
    rng = np.random.default_rng(0)
    c1, c2, c3, c4, c5 = CHANNELS
    shapes = [
        (11, 11, 3, c1),
        (5, 5, c1 // 2, c2),
        (3, 3, c2, c3),
        (3, 3, c3 // 2, c4),
        (3, 3, c4 // 2, c5),
    ]
    parameters = []
    for index, shape in enumerate(shapes, start=1):
        out = shape[-1]
        parameters += [
            (f"{prefix}conv{index}f", rng.normal(size=shape)),
            (f"{prefix}conv{index}b", rng.normal(size=(out, 1))),
        ]
        if index < 5:
            moments = np.stack([rng.normal(size=out), rng.uniform(0.5, 2, out)], axis=1)
            parameters += [
                (f"{prefix}bn{index}m", rng.normal(size=(out, 1))),
                (f"{prefix}bn{index}b", rng.normal(size=(out, 1))),
                (f"{prefix}bn{index}x", moments),
            ]
    parameters += [("fin_adjustf", np.full((1, 1), 0.002)), ("fin_adjustb", np.full((1, 1), -3.0))]
    array = np.empty((1, len(parameters)), dtype=[("name", "O"), ("value", "O")])
    for column, (name, value) in enumerate(parameters):
        array[0, column] = (name, value.astype(np.float32))
    scipy_io.savemat(path, {"net": {"params": array}})
    return dict(parameters)


@pytest.mark.parametrize("prefix", ["br_", ""])
def test_matconvnet_by_its_definition(tmp_path, prefix):
    path = tmp_path / "net.mat"
    given = write_mat(path, prefix)
    loaded = load_weights(path)
    assert loaded.format == "matconvnet"
    assert loaded.head == pytest.approx((0.002, -3.0))
    moments = given[f"{prefix}bn2x"]
    gain = given[f"{prefix}bn2m"].ravel()
    # filter 5 of conv2, input 3, row 1, column 4
    expected = given[f"{prefix}conv2f"][1, 4, 3, 5] * gain[5] / moments[5, 1]
    assert loaded.tensors["conv2.weight"][5, 3, 1, 4].item() == pytest.approx(expected, rel=1e-5)
    bias = (given[f"{prefix}conv2b"].ravel()[5] - moments[5, 0]) * gain[5] / moments[5, 1]
    bias += given[f"{prefix}bn2b"].ravel()[5]
    assert loaded.tensors["conv2.bias"][5].item() == pytest.approx(bias, rel=1e-4)


@pytest.mark.data
def test_real_matconvnet_file_of_a_smaller_network(shared):
    pytest.importorskip("scipy")
    with pytest.raises(CheckpointError, match=r"matconvnet_example\.mat: no parameter conv4f"):
        load_weights(shared / "weights" / "matconvnet_example.mat")
    parameters = matconvnet.read_parameters(shared / "weights" / "matconvnet_example.mat")
    weight, bias = parameters.convolution(2)
    assert weight.shape == (256, 48, 5, 5)
    assert bias.shape == (256,)
    assert parameters.batch_norm(2)[3].min() > 0


@pytest.mark.data
def test_official_network_scores_a_match_above_zero(shared):
    loaded = load_weights(shared / "weights" / "siamfc_3s_color.npz")
    network = SiamFCAlexNet()
    network.load_state_dict(loaded.tensors)
    rng = np.random.default_rng(0)
    image = torch.from_numpy(rng.integers(0, 255, (1, 3, 16, 16)).astype(np.float32))
    image = nn.functional.interpolate(image, size=(255, 255), mode="bicubic").clamp(0, 255)
    with torch.inference_mode():
        z = network(image[..., 64:191, 64:191])["conv5"]
        x = network(image)["conv5"]
        response = loaded.head[0] * nn.functional.conv2d(x, z)[0, 0] + loaded.head[1]
    assert divmod(int(response.argmax()), 17) == (8, 8)
    assert response[8, 8] > 0
