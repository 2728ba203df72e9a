"""The TraX client, as a process, against libtrax's own client and against broken peers."""

import os
import socket
import sys

import pytest
import trax
import trax_session
from trax_session import image, send_raw, session, target, write_square

from dsiam_plugin.errors import ConfigError, VOTError
from dsiam_plugin.io.boxes import Box
from dsiam_plugin.vot import client as vot_client
from dsiam_plugin.vot.client import ClientSettings, box_from_region

INITIALIZE = '@@TRAX:initialize "40,30,20,20"'
MERGE_STREAMS = f"""
import os, sys
os.dup2(1, 2)
os.execv(sys.executable, {trax_session.SQUARE_CLIENT!r})
"""
FRAME = '@@TRAX:frame "file://{frame}"'


@pytest.fixture
def frames(tmp_path):
    """Five frames: the square moves by (3, 2) px."""
    return [write_square(tmp_path / f"{i}.png", 40 + 3 * i, 30 + 2 * i) for i in range(5)]


@pytest.fixture
def serve_lines(monkeypatch):
    """Serves lines from a pipe in this process; returns (whether it failed, what was sent)."""

    def serve(lines):
        (reading, peer_writing), (peer_reading, writing) = os.pipe(), os.pipe()
        monkeypatch.setenv("TRAX_IN", str(reading))
        monkeypatch.setenv("TRAX_OUT", str(writing))
        with open(peer_writing, "w", errors="surrogateescape") as stream:
            stream.writelines(f"{line}\n" for line in lines)
        failed = False
        try:
            vot_client.serve(trax, trax_session.SquareTracker())
        except vot_client.SessionFailedError:
            failed = True
        os.close(reading)
        os.close(writing)
        with open(peer_reading) as stream:
            return failed, stream.read()

    return serve


def rectangle(x, y):
    return target(trax.Rectangle.create(x, y, 20, 20))


def bounds(reply):
    objects, _ = reply
    return objects[0][0].bounds()


def test_hello_offers_rectangles_and_colour_paths_only():
    with session() as (_, client):
        assert client.tracker_name == "Square"
        assert client.region_formats == ["rectangle"]
        assert client.image_formats == ["path"]
        assert client.channels == ["color"]
        assert client.get("vot") == "python"
        assert client.get("multiobject") is False


def test_session_tracks_reports_confidence_and_starts_anew(frames):
    with session() as (process, client):
        start = client.initialize(image(frames[0]), rectangle(40, 30), {})
        assert bounds(start) == (40, 30, 20, 20)
        second = client.frame(image(frames[1]), {}, [])
        third = client.frame(image(frames[2]), {}, [])
        assert [bounds(second), bounds(third)] == [(43, 32, 20, 20), (46, 34, 20, 20)]
        confidences = [float(reply[0][0][1]["confidence"]) for reply in (second, third)]
        assert confidences == [0.25, 0.5]

        client.initialize(image(frames[3]), rectangle(49, 36), {})
        again = client.frame(image(frames[4]), {}, [])
        assert bounds(again) == (52, 38, 20, 20)
        assert float(again[0][0][1]["confidence"]) == 0.25

        status, err = trax_session.quit_and_wait(process, client)
    assert status == 0
    assert "error" not in err


def test_only_trax_messages_reach_stdout(frames):
    frame = FRAME.format(frame=frames[0])
    status, out, err = send_raw(INITIALIZE, frame, frame, "@@TRAX:quit")
    assert status == 0
    assert [line.split()[0] for line in out.splitlines()] == ["@@TRAX:hello", *["@@TRAX:state"] * 2]
    for channel in ("Python", "a library", "a child process"):
        assert f"noise from {channel}" in err


def test_paths_may_have_any_sign(tmp_path):
    folder = tmp_path / "größe=50% 寸法"
    folder.mkdir()
    frame = write_square(folder / "1.png", 43, 32)
    with session() as (_, client):
        client.initialize(image(frame), rectangle(40, 30), {})
        assert bounds(client.frame(image(frame), {}, [])) == (43, 32, 20, 20)


def test_polygons_become_their_bounding_box(frames):
    corners = [(40.5, 30.0), (60.0, 35.0), (55.0, 52.25), (38.0, 47.0)]
    assert box_from_region(trax.Polygon.create(corners)) == Box(38.0, 30.0, 22.0, 22.25)
    with session() as (_, client):
        start = client.initialize(image(frames[0]), target(trax.Polygon.create(corners)), {})
        assert bounds(start) == (38.0, 30.0, 22.0, 22.25)


def test_masks_and_codes_are_refused():
    with pytest.raises(VOTError, match="'special'; expected a rectangle"):
        box_from_region(trax.Special.create(0))


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ([], "closed the connection"),
        (["complete nonsense"], "closed the connection"),
        (["@@TRAX:jump"], "sent a message that cannot be read"),
        (['@@TRAX:frame "file:///frame.png"'], "a frame before any target"),
        ([INITIALIZE, '@@TRAX:frame "file:///missing.png"'], "/missing.png: No such file"),
        (['@@TRAX:initialize ""', FRAME], "sent the region ''; expected a rectangle"),
        ([INITIALIZE, '@@TRAX:frame "file://{folder}"'], "a folder, pipe or device"),
        ([INITIALIZE, FRAME, INITIALIZE, FRAME], "added a target to a session of one"),
        ([INITIALIZE, INITIALIZE, FRAME], "asked for 2 targets"),
        (['@@TRAX:initialize "nan,1,2,3"', FRAME], "expected a rectangle"),
        ([INITIALIZE, '@@TRAX:frame "file://{text}"'], "bytes that do not decode"),
        ([INITIALIZE, FRAME, '@@TRAX:frame "file://{text}"'], "bytes that do not decode"),
    ],
)
def test_broken_peers_get_one_line_and_a_failure(serve_lines, frames, capsys, lines, message):
    text = frames[0].with_name("text.png")
    text.write_text("no image")
    failed, out = serve_lines(
        line.format(frame=frames[0], text=text, folder=text.parent) for line in lines
    )
    assert failed
    errors = [line for line in capsys.readouterr().err.splitlines() if "noise" not in line]
    assert len(errors) == 1
    assert errors[0].startswith("dsiam_plugin.vot.client: error: ")
    assert message in errors[0]
    reasons = [line for line in out.splitlines() if line.startswith("@@TRAX:quit")]
    assert len(reasons) == 1 and message in reasons[0]


def test_the_reason_of_a_quit_is_ascii(serve_lines, capsys):
    failed, out = serve_lines([INITIALIZE, '@@TRAX:frame "file:///fehlt/größe.png"'])
    assert failed and out.isascii() and "/fehlt/" in out
    assert capsys.readouterr().err.count("\n") == 1


def test_a_session_over_a_socket(frames):
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(trax_session.TIMEOUT_S)
        with trax_session.start(TRAX_SOCKET=str(server.getsockname()[1])) as process:
            peer, _ = server.accept()
            with peer, peer.makefile("rw") as stream:
                assert stream.readline().startswith("@@TRAX:hello")
                frame = FRAME.format(frame=frames[0])
                stream.write(f"{INITIALIZE}\n{frame}\n{frame}\n")
                stream.flush()
                states = [stream.readline() for _ in range(2)]
                assert [state.split()[0] for state in states] == ["@@TRAX:state"] * 2
                stream.write("@@TRAX:quit\n")
                stream.flush()
            assert process.wait(trax_session.TIMEOUT_S) == 0


def test_a_failed_session_is_a_failed_process(frames):
    status, _, err = send_raw(INITIALIZE, '@@TRAX:frame "file:///missing.png"')
    assert status == 1
    assert err.splitlines()[-1].startswith("dsiam_plugin.vot.client: error: /missing.png: No such")


def test_a_peer_that_stops_reading_ends_the_client(frames):
    with trax_session.start() as process:
        assert process.stdout.readline().startswith(b"@@TRAX:hello ")
        process.stdout.close()
        process.stdin.write(f"{INITIALIZE}\n{FRAME.format(frame=frames[0])}\n".encode())
        process.stdin.close()
        err = process.stderr.read().decode()
        assert process.wait(trax_session.TIMEOUT_S) == 1
    assert "closed the connection" in err and "Traceback" not in err


def test_a_defect_of_the_tracker_leaves_its_traceback(frames):
    frame = FRAME.format(frame=frames[0])
    status, out, err = send_raw(INITIALIZE, frame, frame, frame, SQUARE_DIES_AT="2")
    assert status == 1
    assert "Traceback (most recent call last)" in err
    assert "ZeroDivisionError: the tracker is broken" in err
    assert "ZeroDivisionError: the tracker is broken" in out.splitlines()[-1]


def test_the_error_is_written_before_the_quit(frames):
    """The VOT toolkit merges the streams and logs nothing that follows the quit."""
    frame = FRAME.format(frame=frames[0])
    merged = [sys.executable, "-c", MERGE_STREAMS]
    _, out, _ = send_raw(INITIALIZE, *[frame] * 3, command=merged, SQUARE_DIES_AT="2")
    assert out.index("ZeroDivisionError: the tracker is broken\n") < out.index("@@TRAX:quit")


def test_a_stream_that_ends_inside_an_initialisation_ends_the_client():
    status, _, err = send_raw(INITIALIZE)
    assert status == 1
    assert "error: TraX peer closed the connection" in err


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({"DSIAM_TRACKER": ""}, "DSIAM_TRACKER is not set"),
        ({"DSIAM_TRACKER": "SiamFC", "DSIAM_WEIGHTS": "/missing/weights.npz"}, "weights.npz"),
        ({"DSIAM_TRACKER": "DSaimM"}, "DSiamM"),
    ],
)
def test_settings_that_cannot_work_are_one_line(monkeypatch, capsys, variables, message):
    for variable, value in variables.items():
        monkeypatch.setenv(variable, value)
    monkeypatch.setattr(vot_client, "reserve_stdout", lambda: None)
    assert vot_client.main() == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("dsiam_plugin.vot.client: error: ") and message in err
    assert err.count("\n") == 1


def test_the_module_runs_as_vot_starts_it():
    command = [sys.executable, "-m", "dsiam_plugin.vot.client"]
    status, out, err = send_raw(command=command, DSIAM_TRACKER="")
    assert (status, out) == (1, "")
    assert err.startswith("dsiam_plugin.vot.client: error: DSIAM_TRACKER is not set")


def test_settings_come_from_the_environment():
    given = {
        "PWD": "/home/user",
        "DSIAM_TRACKER": "DSiam",
        "DSIAM_WEIGHTS": "weights/net.npz",
        "DSIAM_CONFIG": "/etc/dsiam.yaml",
        "DSIAM_DEVICE": "cpu",
        "DSIAM_PRECISION": "float32",
    }
    settings = ClientSettings.from_environment(given)
    assert settings.tracker == "DSiam"
    assert str(settings.weights) == "/home/user/weights/net.npz"
    assert str(settings.config) == "/etc/dsiam.yaml"
    assert (settings.device, settings.precision) == ("cpu", "float32")


def test_unset_and_empty_variables_leave_the_defaults():
    settings = ClientSettings.from_environment({"DSIAM_TRACKER": "DSiam", "DSIAM_WEIGHTS": ""})
    assert settings == ClientSettings("DSiam", None, None, "auto", "auto")
    with pytest.raises(ConfigError, match="env_DSIAM_TRACKER"):
        ClientSettings.from_environment({})
