import json
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from onnx_tracker import OnnxTracker, run
from seeded_network import moving_patch, write_weights

from dsiam_plugin.commands import main as cli
from dsiam_plugin.models.backbones import VGG19
from dsiam_plugin.models.weights import load_weights
from dsiam_plugin.trackers.builders import build_tracker

onnx = pytest.importorskip("onnx")
onnxruntime = pytest.importorskip("onnxruntime")

from dsiam_plugin.export import export_onnx  # noqa: E402
from dsiam_plugin.export.fourier import Dft  # noqa: E402
from dsiam_plugin.models.onnx_embedding import embedding_graph  # noqa: E402
from dsiam_plugin.models.onnx_graph import Graph  # noqa: E402

TRACKERS = [
    ("SiamFC", {}),
    ("DSiam", {}),
    ("DSiamM", {}),
    ("DSiamM", {"transform": "release"}),
    ("DSiamM-VT", {"transform": "paper"}),
    ("DSiamM_withFrame_t-1", {"transform": {"gate": True}, "tracking": {"lost_height": 0.5}}),
]


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    return write_weights(tmp_path_factory.mktemp("weights") / "net.npz")


def session(model):
    """ONNX Runtime with one thread on a file, or on a model."""
    source = str(model) if isinstance(model, Path) else model.SerializeToString()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(source, options, providers=["CPUExecutionProvider"])


def exported(folder, name, **options):
    path = folder / "graph.onnx"
    export_onnx(path, name, **options)
    return path


def random_crops(count, size):
    return np.random.default_rng(size).integers(0, 256, (count, size, size, 3), np.uint8)


def assert_parity(found, expected):
    """Within 1e-3 of the largest value of each level."""
    assert found.keys() == expected.keys()
    for level, item in expected.items():
        assert np.abs(found[level] - item.numpy()).max() < 1e-3 * float(item.abs().max())


@pytest.mark.parametrize(("count", "size"), [(1, 127), (3, 255)])
def test_embedding_is_pytorchs(weights, tmp_path, count, size):
    embed = session(exported(tmp_path, "DSiamM", part="embed", weights=weights))
    network = build_tracker("DSiamM", weights=weights, device="cpu", precision="float32").network
    crops = random_crops(count, size)
    assert_parity(run(embed, {"crops": crops}), network.embed(crops))


def test_embedding_of_vgg19_is_pytorchs():
    torch.manual_seed(0)
    backbone, levels = VGG19().requires_grad_(False), ("conv5_4", "conv4_4")
    crops = random_crops(1, 64)
    found = run(session(embedding_graph(backbone, levels, "float32").model({})), {"crops": crops})
    assert_parity(found, backbone(torch.from_numpy(crops).permute(0, 3, 1, 2).float()))


@pytest.mark.parametrize(("height", "width"), [(6, 6), (7, 7), (15, 8), (22, 24)])
def test_matrix_products_are_the_fourier_transform(height, width):
    rng = np.random.default_rng(width)
    x, y = rng.standard_normal((2, 1, 3, height, width)).astype(np.float32)
    graph = Graph()
    dft = Dft(graph, height, width)
    names = [graph.input(name, (1, 3, height, width)) for name in ("x", "y")]
    spectra = [dft.forward(name) for name in names]
    graph.output("spectrum", spectra[0], (1, 3, *dft.shape))
    graph.output("back", dft.inverse(spectra[0]), (1, 3, height, width))
    graph.output("product", dft.product(*spectra), (1, 3, *dft.shape))
    graph.output("solution", dft.solve(*spectra, 2.0), (1, 3, *dft.shape))
    found = run(session(graph.model({})), {"x": x, "y": y})
    x_hat, y_hat = np.fft.rfft2(x), np.fft.rfft2(y)
    expected = {
        "spectrum": x_hat,
        "product": x_hat * y_hat,
        "solution": x_hat.conj() * y_hat / (np.abs(x_hat) ** 2 + 2),
    }
    for name, item in expected.items():
        stacked = np.concatenate([item.real, item.imag], axis=-2)
        assert np.abs(found[name] - stacked).max() < 1e-5 * np.abs(stacked).max()
    assert np.abs(found["back"] - x).max() < 1e-5


@pytest.mark.parametrize(("name", "config"), TRACKERS)
def test_step_finds_the_boxes_of_the_tracker(weights, name, config):
    from dsiam_plugin.export.first_frame import first_frame_graph
    from dsiam_plugin.export.step import StepGraph

    tracker = build_tracker(name, weights=weights, config=config, device="cpu", precision="float32")
    graphs = [
        first_frame_graph(tracker.network, tracker.config),
        StepGraph(tracker.network, tracker.config).build(),
    ]
    ours = OnnxTracker(*(session(graph.model({})) for graph in graphs), tracker.config)
    images, boxes = moving_patch(7)
    images[3:5] = np.random.default_rng(0).integers(0, 256, (2, *images[0].shape), np.uint8)
    ours.init(images[0], boxes[0])
    tracker.init(images[0], boxes[0])
    losses = []
    for image in images[1:]:
        expected = tracker.track(image)
        box, score, lost = ours.track(image)
        assert box == pytest.approx(expected.box, abs=1e-3)
        assert score == pytest.approx(expected.score, rel=1e-3)
        assert lost == expected.lost
        losses.append(lost)
    if "tracking" in config:
        assert set(losses) == {True, False}, "the target is lost and found again"


@pytest.mark.data
@pytest.mark.integration
@pytest.mark.parametrize("name", ["DSiam", "DSiamM"])
def test_step_with_real_weights(shared, tmp_path, name):
    import cv2

    weights = shared / "weights" / "siamfc_3s_color.npz"
    folder = shared / "data" / "otb2013" / "sequences" / "David"
    frames = [
        cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB)
        for path in sorted((folder / "img").glob("*.jpg"))[:5]
    ]
    first = (folder / "groundtruth_rect.txt").read_text().split("\n")[0]
    box = tuple(float(number) for number in first.replace(",", " ").split())
    sessions = []
    for part in ("init", "step"):
        path = tmp_path / f"{part}.onnx"
        export_onnx(path, name, part=part, weights=weights)
        sessions.append(session(path))
    tracker = build_tracker(name, weights=weights, device="cpu", precision="float32")
    ours = OnnxTracker(*sessions, tracker.config)
    ours.init(frames[0], box)
    tracker.init(frames[0], box)
    for image in frames[1:]:
        expected = tracker.track(image)
        found, score, _ = ours.track(image)
        assert found == pytest.approx(expected.box, abs=1e-3)
        assert score == pytest.approx(expected.score, rel=1e-3)


def test_command_writes_a_file_that_says_what_it_is(weights, tmp_path, capsys):
    path = tmp_path / "step.onnx"
    arguments = ["--variant", "DSiam", "--weights", str(weights), "--out", str(path)]
    assert cli.main(["export", "--format", "onnx", *arguments]) == 0
    assert str(path) in capsys.readouterr().out
    model = onnx.load(path)
    onnx.checker.check_model(model, full_check=True)
    texts = {item.key: item.value for item in model.metadata_props}
    assert texts["weights_sha256"] == load_weights(weights).sha256
    assert (texts["tracker"], texts["part"], texts["precision"]) == ("DSiam", "step", "float32")
    assert json.loads(texts["config"])["model"]["layers"] == ["conv5"]
    assert [(item.domain, item.version) for item in model.opset_import] == [("", 17)]
    assert not {"DFT", "STFT"} & {node.op_type for node in model.graph.node}
    assert list(tmp_path.iterdir()) == [path]


def test_the_same_file_every_time(weights, tmp_path):
    first = exported(tmp_path, "DSiam", weights=weights).read_bytes()
    assert exported(tmp_path, "DSiam", weights=weights).read_bytes() == first


def test_int8_convolutions_are_marked_for_runtimes(weights, tmp_path):
    path = exported(tmp_path, "DSiam", part="embed", weights=weights, precision="int8")
    kinds = [node.op_type for node in onnx.load(path).graph.node]
    assert kinds.count("Conv") == kinds.count("QuantizeLinear") == 5


def test_bad_input_is_one_line(weights, tmp_path, capsys):
    target = tmp_path / "net.pt"
    arguments = ["export", "--weights", str(weights), "--out", str(target)]
    assert cli.main(arguments) == 2
    assert capsys.readouterr().err == (
        f"dsiam: error: {target}: expected a name that ends in .onnx\n"
    )
    assert not target.exists()


def test_without_onnx_the_extra_is_named(weights, tmp_path, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnx", None)
    arguments = ["export", "--weights", str(weights), "--out", str(tmp_path / "net.onnx")]
    assert cli.main(arguments) == 2
    assert "pip install 'dsiam-plugin[onnx]'" in capsys.readouterr().err
