import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from onnx_tracker import OnnxTracker, run
from seeded_network import moving_patch, weights_for, write_weights

from dsiam_plugin.commands import main as cli
from dsiam_plugin.config.variants import tracker_names
from dsiam_plugin.models.backbones import VGG19
from dsiam_plugin.models.weights import load_weights
from dsiam_plugin.trackers.builders import build_tracker

onnx = pytest.importorskip("onnx")
onnxruntime = pytest.importorskip("onnxruntime")

from dsiam_plugin.export import export_onnx  # noqa: E402
from dsiam_plugin.models.onnx_embedding import Embedder, embedding_graph  # noqa: E402

GATED = {"transform": {"gate": True}, "tracking": {"lost_height": 0.5}}


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


def built(name, weights, config=None):
    return build_tracker(name, weights=weights, config=config, device="cpu", precision="float32")


def random_crops(count, size):
    return np.random.default_rng(size).integers(0, 256, (count, size, size, 3), np.uint8)


def assert_parity(found, expected):
    """Within 1e-3 of the largest value of each level."""
    assert found.keys() == expected.keys()
    for level, item in expected.items():
        assert np.abs(found[level] - item.numpy()).max() < 1e-3 * float(item.abs().max())


@pytest.mark.parametrize("name", ["DSiamM", "DSiamBox"])
@pytest.mark.parametrize(("count", "size"), [(1, 127), (3, 255)])
def test_embedding_is_pytorchs(weights, tmp_path, name, count, size):
    weights = weights_for(name, weights)
    embed = session(exported(tmp_path, name, part="embed", weights=weights))
    network = built(name, weights).network
    crops = random_crops(count, size)
    assert_parity(run(embed, {"crops": crops}), network.embed(crops))


def test_embedding_of_vgg19_is_pytorchs():
    torch.manual_seed(0)
    backbone, levels = VGG19().requires_grad_(False), ("conv5_4", "conv4_4")
    crops = random_crops(1, 64)
    graph = embedding_graph(Embedder(backbone, levels))
    found = run(session(graph.model({})), {"crops": crops})
    assert_parity(found, backbone(torch.from_numpy(crops).permute(0, 3, 1, 2).float()))


def loaded(folder, name, **options):
    """Sessions of a tracker's two parts."""
    sessions = []
    for part in ("init", "step"):
        path = folder / f"{part}.onnx"
        export_onnx(path, name, part=part, **options)
        sessions.append(session(path))
    return sessions


def assert_same_run(sessions, tracker, images, box, accuracy=1e-4):
    """The files find the boxes of the tracker; returns on which frames both lost the target."""
    ours, losses = OnnxTracker(*sessions, tracker.config), []
    ours.stride = tracker.network.stride
    ours.init(images[0], box)
    tracker.init(images[0], box)
    for image in images[1:]:
        expected = tracker.track(image)
        found, score, lost = ours.track(image)
        assert found == pytest.approx(expected.box, abs=1e-3)
        assert score == pytest.approx(expected.score, rel=accuracy)
        assert lost == expected.lost
        losses.append(lost)
    return losses


@pytest.fixture(scope="module")
def files(weights, tmp_path_factory):
    """What the command writes of a tracker that acts on losses, and the folder."""
    folder = tmp_path_factory.mktemp("files")
    config = folder / "config.yaml"
    config.write_text(json.dumps(GATED))
    for part in ("init", "step"):
        arguments = ["--variant", "DSiam", "--weights", str(weights), "--config", str(config)]
        arguments += ["--part", part, "--out", str(folder / f"{part}.onnx")]
        assert cli.main(["export", "--format", "onnx", *arguments]) == 0
    return folder


def test_step_finds_the_boxes_of_the_tracker(weights, files):
    images, boxes = moving_patch(7)
    images[3:5] = np.random.default_rng(0).integers(0, 256, (2, *images[0].shape), np.uint8)
    sessions = [session(files / f"{part}.onnx") for part in ("init", "step")]
    losses = assert_same_run(sessions, built("DSiam", weights, GATED), images, boxes[0])
    assert set(losses) == {True, False}, "the target is lost and found again"


def test_command_writes_a_file_that_says_what_it_is(weights, files):
    model = onnx.load(files / "step.onnx")
    onnx.checker.check_model(model, full_check=True)
    texts = {item.key: item.value for item in model.metadata_props}
    assert texts["weights_sha256"] == load_weights(weights).sha256
    assert (texts["tracker"], texts["part"], texts["precision"]) == ("DSiam", "step", "float32")
    assert json.loads(texts["config"])["model"]["layers"] == ["conv5"]
    assert [(item.domain, item.version) for item in model.opset_import] == [("", 18)]
    assert not {"DFT", "STFT"} & {node.op_type for node in model.graph.node}
    assert {path.name for path in files.iterdir()} == {"config.yaml", "init.onnx", "step.onnx"}


def test_names_are_those_of_the_documentation(files):
    model = onnx.load(files / "step.onnx")
    state = ["exemplar.conv5", "template.conv5", "mean.conv5", "suppression.conv5", "suppressing"]
    names = ["search", *state, "first_height", "trusted", "target"]
    assert [item.name for item in model.graph.input] == names
    learnt = ["suppression.conv5", "template.conv5", "mean.conv5", "suppressing", "trusted"]
    names = ["peak", "responses", "lost", *(f"next.{name}" for name in learnt)]
    assert [item.name for item in model.graph.output] == names


def test_boxes_of_a_head_are_those_of_the_tracker(weights, tmp_path):
    """Widths and heights of their own, and their names."""
    weights = weights_for("DSiamBox", weights)
    images, boxes = moving_patch(6)
    sessions = loaded(tmp_path, "DSiamBox", weights=weights)
    assert_same_run(sessions, built("DSiamBox", weights), images, boxes[0], accuracy=1e-5)
    names = [item.name for item in sessions[1].get_inputs()]
    assert {"bank.conv5", "bank.conv4", "shape", "last"} < set(names)
    assert sessions[0].get_inputs()[0].shape == [7, 127, 127, 3]
    assert sessions[1].get_outputs()[0].shape == [8]


def write_vgg19(path):
    """Random filters that keep the size of what they answer to, and none of the mean."""
    torch.manual_seed(0)
    state = VGG19().state_dict()
    for item in state.values():
        if item.ndim == 4:
            torch.nn.init.kaiming_normal_(item)
            item -= item.mean(dim=(1, 2, 3), keepdim=True)
        else:
            item.zero_()
    torch.save(state, path)
    return path


@pytest.mark.integration
@pytest.mark.parametrize(
    ("name", "preset"),
    [*((name, "steady") for name in tracker_names()), ("DSiamM", "release"), ("DSiam", "paper")],
)
def test_every_tracker_exports(weights, tmp_path, name, preset):
    config = tmp_path / "config.yaml"
    config.write_text(f"transform: {preset}")
    if name == "DSiamM_Vgg19":
        weights = write_vgg19(tmp_path / "vgg19.pth")
    weights = weights_for(name, weights)
    tracker = built(name, weights, {"transform": preset})
    images, boxes = moving_patch(5)
    sessions = loaded(tmp_path, name, weights=weights, config=config)
    assert_same_run(sessions, tracker, images, boxes[0])


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
    sessions = loaded(tmp_path, name, weights=weights)
    assert_same_run(sessions, built(name, weights), frames, box)


@pytest.mark.integration
def test_the_same_file_every_time(weights, tmp_path):
    """In processes of their own, which differ in the order of sets."""
    code = "import sys; from dsiam_plugin.export import export_onnx; export_onnx(*sys.argv[1:])"
    files = [tmp_path / "1.onnx", tmp_path / "2.onnx"]
    for path in files:
        settings = {**os.environ, "PYTHONHASHSEED": path.stem, "DSIAM_WEIGHTS": str(weights)}
        subprocess.run([sys.executable, "-c", code, path, "DSiamM"], env=settings, check=True)
    assert files[0].read_bytes() == files[1].read_bytes()
    assert str(Path.cwd()).encode() not in files[0].read_bytes()


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


def test_without_onnxscript_the_extra_is_named(weights, tmp_path, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnxscript", None)
    arguments = ["export", "--weights", str(weights), "--out", str(tmp_path / "net.onnx")]
    assert cli.main(arguments) == 2
    assert "pip install 'dsiam-plugin[onnx]'" in capsys.readouterr().err
    assert cli.main([*arguments, "--part", "embed"]) == 0, "the network alone does not need it"
