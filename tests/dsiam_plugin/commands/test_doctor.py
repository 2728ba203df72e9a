import argparse
import sys

import pytest

from dsiam_plugin.commands import doctor
from dsiam_plugin.commands import main as cli
from dsiam_plugin.commands.doctor import FAIL, NOTE, OK, Check, format_check
from dsiam_plugin.errors import MissingDependencyError, VOTError
from dsiam_plugin.io.versions import REQUIRED
from dsiam_plugin.vot import handshake
from dsiam_plugin.vot.handshake import Session

GOOD = {name: "2.5" for name in REQUIRED} | {
    "PyYAML": "6.0", "tqdm": "4.70", "colorama": "0.4.6"
}  # fmt: skip


def statuses(checks):
    return {check.subject: check.status for check in checks}


def test_required_versions():
    assert set(statuses(doctor.required_versions(GOOD)).values()) == {OK}
    old = statuses(doctor.required_versions({**GOOD, "torch": "2.1"}))
    assert [name for name, status in old.items() if status == FAIL] == ["torch"]
    missing = list(doctor.required_versions({"numpy": "2.0"}))
    assert missing[0] == Check(FAIL, "torch", "not installed; expected >=2.2,<3")


@pytest.mark.parametrize(
    ("versions", "status", "finding"),
    [
        ({}, FAIL, "not installed; expected one of opencv-python"),
        ({"opencv-python": "4.7.0"}, FAIL, "4.7.0; expected >=4.8"),
        ({"opencv-python": "5.0.0"}, OK, "5.0.0"),
        ({"opencv-python-headless": "4.9"}, OK, "headless 4.9"),
        ({"opencv-python": "5.0", "opencv-python-headless": "5.0"}, NOTE, "expected one"),
    ],
)
def test_opencv_of_any_flavour(versions, status, finding):
    (check,) = doctor.opencv_versions(versions)
    assert check.status == status
    assert finding in check.finding


def test_missing_extras_are_notes_that_name_the_extra():
    checks = {check.subject: check for check in doctor.optional_versions({})}
    assert {check.status for check in checks.values()} == {NOTE}
    assert "dsiam-plugin[got10k]" in checks["got10k"].finding


@pytest.mark.parametrize(
    ("version", "status", "finding"),
    [("0.7.4", OK, "0.7.4"), ("0.9.0", NOTE, "supervised"), ("0.6.4", NOTE, ">=0.7.3,<0.8")],
)
def test_vot_toolkit_lines(version, status, finding):
    checks = doctor.optional_versions({"vot-toolkit": version})
    check = next(check for check in checks if check.subject == "vot-toolkit")
    assert check.status == status
    assert finding in check.finding


def test_importable():
    assert doctor.importable("json", "x").status == OK
    check = doctor.importable("no_such_module_at_all", "vot-toolkit")
    assert check.status == FAIL
    assert "ModuleNotFoundError" in check.finding
    assert "attributee<0.1.10" in check.finding


def test_marks_are_coloured_only_on_a_terminal():
    check = Check(FAIL, "weights", "none\nsecond line")
    assert format_check(check, colored=False) == "FAIL  weights: none\n      second line"
    assert format_check(check, colored=True).startswith("\x1b[31mFAIL\x1b[39m  weights: none\n")


def test_cpu_is_a_note_without_a_gpu(monkeypatch):
    torch = pytest.importorskip("torch")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    check = doctor._device("auto", "float32")
    assert check == (NOTE, "device", f"CPU, {torch.get_num_threads()} threads, float32; no GPU")


def test_gpu_is_named(monkeypatch):
    torch = pytest.importorskip("torch")
    card = argparse.Namespace(name="Some GPU", total_memory=24 * 2**30)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda device: card)
    monkeypatch.setattr(torch.version, "cuda", "12.8")
    check = doctor._device("auto", "float16")
    assert check == (OK, "device", "Some GPU, 24 GiB, CUDA 12.8, float16")


@pytest.fixture
def session(monkeypatch, tmp_path):
    """Replaces the TraX session and the slow import check; keeps what was asked for."""
    asked = []

    def shake_hands(settings):
        asked.append(settings)
        return Session(1.0, 0.05, 0.9)

    monkeypatch.setattr(handshake, "shake_hands", shake_hands)
    monkeypatch.setattr(doctor, "importable", lambda module, subject: Check(OK, subject, ""))
    monkeypatch.delenv("DSIAM_WEIGHTS", raising=False)
    return asked


def test_broken_weights_fail_the_command_and_are_named(session, tmp_path, capsys):
    (tmp_path / "w.npz").write_bytes(b"broken")
    assert cli.main(["doctor", "--weights", str(tmp_path / "w.npz"), "--tracker", "DSiam"]) == 1
    out = capsys.readouterr().out
    (line,) = [line for line in out.splitlines() if line.startswith(FAIL)]
    assert line.startswith(f"FAIL  weights: {tmp_path / 'w.npz'}")
    assert "ok    TraX session: DSiam followed 3 frames (overlap 0.90)" in out
    assert session == [
        {
            "DSIAM_TRACKER": "DSiam",
            "DSIAM_WEIGHTS": str(tmp_path / "w.npz"),
            "DSIAM_DEVICE": "auto",
            "DSIAM_PRECISION": "auto",
            "DSIAM_BACKEND": "torch",
        }
    ]


def test_impossible_device_fails(session, capsys):
    assert cli.main(["doctor", "--device", "cuda:77"]) == 1
    assert "FAIL  device: device 'cuda:77'" in capsys.readouterr().out


def test_failed_session_shows_its_traceback(session, monkeypatch, capsys):
    def shake_hands(settings):
        raise VOTError("Unable to connect\nTraceback (most recent call last):\nOops: no")

    monkeypatch.setattr(handshake, "shake_hands", shake_hands)
    assert cli.main(["doctor"]) == 1
    out = capsys.readouterr().out
    assert "FAIL  TraX session: Unable to connect\n      Traceback (most recent" in out
    assert "      Oops: no" in out


def test_absent_trax_is_no_failure(session, monkeypatch):
    def shake_hands(settings):
        raise MissingDependencyError("vot-trax cannot be imported")

    monkeypatch.setattr(handshake, "shake_hands", shake_hands)
    monkeypatch.setattr(doctor, "_weights", lambda path: Check(OK, "weights", "w.npz"))
    arguments = argparse.Namespace(
        weights=None,
        config=None,
        device="auto",
        precision="auto",
        backend="torch",
        tracker="DSiam",
    )
    assert {check.subject: check.status for check in doctor.checks(arguments)}[
        "TraX session"
    ] == NOTE


@pytest.mark.integration
@pytest.mark.data
def test_doctor_for_real(shared, capfd):
    pytest.importorskip("trax")
    weights = shared / "weights/siamfc_3s_color.npz"
    assert cli.main(["doctor", "--weights", str(weights), "--tracker", "DSiam"]) == 0
    out = capfd.readouterr().out
    assert "ok    TraX session: DSiam followed 3 frames" in out
    assert f"ok    Python: {sys.version.split()[0]}" in out


@pytest.mark.integration
def test_doctor_without_weights_for_real(capfd, monkeypatch):
    pytest.importorskip("trax")
    monkeypatch.setenv("DSIAM_WEIGHTS", "/absent/weights.npz")
    assert cli.main(["doctor", "--tracker", "DSiam"]) == 1
    out = capfd.readouterr().out
    assert "FAIL  weights: /absent/weights.npz" in out
    assert "FAIL  TraX session" in out
