import argparse
import sys

import pytest
from seeded_network import write_box_weights, write_weights

from dsiam_plugin.commands import doctor
from dsiam_plugin.commands import main as cli
from dsiam_plugin.commands.doctor import FAIL, NOTE, OK, Check, format_check
from dsiam_plugin.errors import MissingDependencyError, VOTError
from dsiam_plugin.io.versions import Need
from dsiam_plugin.models import precision, weights
from dsiam_plugin.vot import handshake
from dsiam_plugin.vot.handshake import Session

NEEDS = [
    Need("torch", ">=2.2,<3", ""),
    Need("opencv-python", ">=4.8", ""),
    Need("got10k", ">=0.1.3", "got10k"),
    Need("vot-toolkit", ">=0.7.3,<0.8", "vot"),
]
GOOD = {"torch": "2.5", "opencv-python": "5.0.0", "got10k": "0.1.3", "vot-toolkit": "0.7.4"}


def package_checks(**versions):
    found = {name.replace("_", "-"): version for name, version in versions.items()}
    checks = doctor.package_versions(NEEDS, (GOOD | found).get)
    return {check.subject: check for check in checks}


def test_required_versions():
    assert {check.status for check in package_checks().values()} == {OK}
    assert package_checks(torch="2.1")["torch"] == (FAIL, "torch", "2.1; expected >=2.2,<3")
    missing = package_checks(torch=None)["torch"]
    assert missing == Check(FAIL, "torch", "not installed; expected >=2.2,<3")


@pytest.mark.parametrize(
    ("found", "status", "finding"),
    [
        ({"opencv_python": None}, FAIL, "not installed; expected one of opencv-python"),
        ({"opencv_python": "4.7.0"}, FAIL, "4.7.0; expected >=4.8"),
        ({"opencv_python": None, "opencv_python_headless": "4.9"}, OK, "headless 4.9"),
        ({"opencv_python_headless": "5.0"}, NOTE, "expected one"),
    ],
)
def test_opencv_of_any_flavour(found, status, finding):
    check = package_checks(**found)["OpenCV"]
    assert check.status == status
    assert finding in check.finding


def test_missing_extras_are_notes_that_name_the_extra():
    check = package_checks(got10k=None)["got10k"]
    assert check.status == NOTE
    assert "dsiam-plugin[got10k]" in check.finding


@pytest.mark.parametrize(
    ("version", "status", "finding"),
    [
        ("0.9.0", NOTE, "unsupervised experiments; expected >=0.7.3,<0.8 for supervised"),
        ("0.9.0", NOTE, "0.7.4 for multistart"),
        ("0.6.4", NOTE, "0.6.4; expected >=0.7.3,<0.8"),
    ],
)
def test_vot_toolkit_lines(version, status, finding):
    check = package_checks(vot_toolkit=version)["vot-toolkit"]
    assert check.status == status
    assert finding in check.finding


def test_trial_of_modules():
    assert doctor.trial("x", "import json; json.dumps(1)", "fine", "") == (OK, "x", "fine")
    check = doctor.trial("vot", "import no_such_module", "fine", doctor.VOT_REMEDY)
    assert check.status == FAIL
    assert "`import no_such_module` fails: ModuleNotFoundError" in check.finding
    assert "attributee<0.1.10" in check.finding
    crash = doctor.trial("x", "import os; os.abort()", "fine", "another one")
    assert (crash.status, "status -6; expected another one" in crash.finding) == (FAIL, True)


def test_marks_are_coloured_only_on_a_terminal():
    check = Check(FAIL, "weights", "none\nsecond line")
    assert format_check(check, colored=False) == "FAIL  weights: none\n      second line"
    assert format_check(check, colored=True).startswith("\x1b[31mFAIL\x1b[39m  weights: none\n")


def test_cpu_is_a_note_without_a_gpu(monkeypatch):
    torch = pytest.importorskip("torch")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert doctor._device("auto") == (
        NOTE, "device", f"CPU, {torch.get_num_threads()} threads; no GPU"
    )  # fmt: skip


def test_gpu_is_named(monkeypatch):
    torch = pytest.importorskip("torch")
    card = argparse.Namespace(name="Some GPU", total_memory=24 * 2**30)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda device: card)
    monkeypatch.setattr(torch.version, "cuda", "12.8")
    assert doctor._device("auto") == (OK, "device", "Some GPU, 24 GiB, CUDA 12.8")


def test_precision_says_what_was_measured(tmp_path):
    names = {"weights": write_weights(tmp_path / "w.npz"), "config": None, "tracker": "DSiam"}
    options = argparse.Namespace(**names, device="cpu", backend="torch", precision="auto")
    check = doctor._precision(options)
    choice = next(reversed(precision._CHOICES.values()))
    assert check == (OK, "precision", str(choice))
    options.precision = "float32"
    assert doctor._precision(options) == (OK, "precision", "float32")


@pytest.fixture
def session(monkeypatch, tmp_path):
    """Replaces the TraX session and the slow import check; keeps what was asked for."""
    asked = []

    def shake_hands(settings):
        asked.append(settings)
        return Session(1.0, 0.05, 0.9)

    monkeypatch.setattr(handshake, "shake_hands", shake_hands)
    monkeypatch.setattr(doctor, "trial", lambda subject, *texts: Check(OK, subject, ""))
    monkeypatch.delenv("DSIAM_WEIGHTS", raising=False)
    return asked


def test_broken_weights_fail_the_command_and_are_named(session, tmp_path, capsys):
    (tmp_path / "w.npz").write_bytes(b"broken")
    assert cli.main(["doctor", "--weights", str(tmp_path / "w.npz"), "--tracker", "DSiam"]) == 1
    out = capsys.readouterr().out
    lines = [line for line in out.splitlines() if line.startswith(FAIL)]
    assert lines[0].startswith(f"FAIL  weights: {tmp_path / 'w.npz'}")
    assert lines[1].startswith(f"FAIL  precision: {tmp_path / 'w.npz'}")
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


def test_weights_are_those_of_the_tracker_s_kind(monkeypatch, tmp_path):
    """A box head's are another file of the package; a named one is taken as it is."""
    box = write_box_weights(tmp_path / "dsiam_box.safetensors")
    monkeypatch.delenv("DSIAM_WEIGHTS", raising=False)
    monkeypatch.setattr(weights, "EMBEDDED_BOX", box)
    monkeypatch.setattr(weights, "EMBEDDED", tmp_path / "dsiam.safetensors")
    options = argparse.Namespace(weights=None, config=None, tracker="DSiamBox")
    finding = doctor._weights(options).finding
    assert finding.startswith(f"{box} (from the package), siamfc_alexnet, sha256 ")
    options.weights = str(box)
    assert doctor._weights(options).finding.startswith(f"{box} (from --weights)")


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
