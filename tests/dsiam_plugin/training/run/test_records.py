import torch
from tiny_training import CONFIG, TinyModel

from dsiam_plugin.training.joint.learner import Machine, Update
from dsiam_plugin.training.run.distributed import Group
from dsiam_plugin.training.run.records import Files, Records

CPU = torch.device("cpu")


def records(folder, group=None):
    machine = Machine(CPU, group=group or Group())
    return Records(CONFIG, TinyModel(), Files(folder), machine, "pair")


def test_rows_are_means_with_the_models_own_numbers(tmp_path):
    with records(tmp_path).open(0, 0) as shown:
        shown.start_pass(0, 0, 10)
        for step, loss in enumerate([1.0, 3.0, 5.0], start=1):
            shown.add(Update({"loss": loss}, None), step)
    header, row = (line.split(",") for line in (tmp_path / "curve.csv").read_text().split())
    assert header == ["step", "loss", "mix", "pairs_per_s"]
    assert row[:3] == ["2", "2", "1"]
    assert float(row[3]) > 0
    assert shown.averages.count == 1  # the third step waits for its row


def test_memory_is_reported_once(tmp_path, caplog):
    with caplog.at_level("INFO"), records(tmp_path).open(0, 0) as shown:
        shown.start_pass(0, 0, 10)
        for step in range(1, 9):
            shown.add(Update({"loss": 1.0}, None), step)
    assert len([line for line in caplog.messages if "MiB a pair" in line]) == 1


def test_only_the_first_process_writes(tmp_path):
    with records(tmp_path, Group(rank=1)).open(0, 0) as shown:
        shown.start_pass(0, 0, 10)
        for step in range(1, 9):
            shown.add(Update({"loss": 1.0}, None), step)
    assert list(tmp_path.iterdir()) == []
