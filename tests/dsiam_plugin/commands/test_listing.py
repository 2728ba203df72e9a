import yaml
from seeded_network import write_box_weights

from dsiam_plugin import tracker_names
from dsiam_plugin.commands import main as cli


def test_table_has_every_tracker_with_its_features(capsys):
    assert cli.main(["list"]) == 0
    heading, *rows = capsys.readouterr().out.splitlines()
    assert heading.split() == ["name", "features", "what", "it", "is"]
    assert [row.split()[0] for row in rows] == list(tracker_names())
    assert "conv4+conv5" in rows[2]
    assert all(len(row.split()) > 3 for row in rows)


def test_yaml_is_the_resolved_configuration(capsys, tmp_path):
    override = tmp_path / "c.yaml"
    override.write_text("tracking: {scale_step: 1.1}\n")
    assert cli.main(["list", "--yaml", "SiamFC", "--config", str(override)]) == 0
    config = yaml.safe_load(capsys.readouterr().out)
    assert config["tracking"]["scale_step"] == 1.1
    assert config["tracking"]["scales"] == 3
    assert config["transform"]["variation"] is False


def test_yaml_reads_back_as_itself(capsys, tmp_path):
    cli.main(["list", "--yaml", "DSiamM"])
    first = capsys.readouterr().out
    (tmp_path / "c.yaml").write_text(first)
    cli.main(["list", "--yaml", "DSiamM", "--config", str(tmp_path / "c.yaml")])
    assert capsys.readouterr().out == first


def test_bad_configuration_names_the_file_and_all_keys(capsys, tmp_path):
    bad = tmp_path / "c.yaml"
    bad.write_text("tracking: {scale_stepp: 1.1}\nfoo: 1\n")
    assert cli.main(["list", "--yaml", "DSiamM", "--config", str(bad)]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert all(word in captured.err for word in ("c.yaml", "scale_stepp", "scale_step", "foo"))


def test_configuration_without_a_name(capsys):
    assert cli.main(["list", "--config", "c.yaml"]) == 2
    assert "expected --yaml NAME" in capsys.readouterr().err


def test_a_box_head_s_tracker_with_weights_of_either_kind(capsys, tmp_path):
    box = write_box_weights(tmp_path / "box.safetensors")
    assert cli.main(["list", "--yaml", "DSiamBox", "--weights", str(box)]) == 0
    assert yaml.safe_load(capsys.readouterr().out)["model"]["box_head"] is True
    options = ["--variant", "DSiamBox", "--weights", str(box.with_suffix(".npz"))]
    assert cli.main(["export", *options, "--out", str(tmp_path / "net.onnx")]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "box.npz: weights without a box head, expected a file of weights with one" in line
