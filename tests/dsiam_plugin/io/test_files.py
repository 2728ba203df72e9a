import errno
import os
import signal
import stat
import subprocess
import sys

import pytest

from dsiam_plugin.errors import DatasetError
from dsiam_plugin.io import files
from dsiam_plugin.io.files import (
    atomic_folder,
    atomic_path,
    atomic_write,
    check_destination,
    write_text,
)


def test_file_appears_only_when_complete(tmp_path):
    final = tmp_path / "deep" / "out.mp4"
    with atomic_path(final) as temporary:
        temporary.write_bytes(b"half")
        assert temporary.suffix == ".mp4"
        assert temporary.parent == final.parent
        assert not final.exists()
    assert final.read_bytes() == b"half"
    assert os.listdir(final.parent) == ["out.mp4"]


@pytest.mark.parametrize("failure", [RuntimeError, KeyboardInterrupt])
def test_failure_keeps_the_old_file_and_leaves_nothing(tmp_path, failure):
    final = tmp_path / "boxes.txt"
    final.write_text("old")
    with pytest.raises(failure), atomic_path(final) as temporary:
        temporary.write_text("new")
        raise failure
    assert final.read_text() == "old"
    assert os.listdir(tmp_path) == ["boxes.txt"]


@pytest.mark.parametrize("mode", ["w", "wb"])
def test_open_file_appears_only_when_complete(tmp_path, mode):
    final = tmp_path / "results" / "David.txt"
    with atomic_write(final, mode) as file:
        file.write("1,2\n" if mode == "w" else b"1,2\n")
        assert not final.exists()
    assert final.read_bytes() == b"1,2\n"
    assert os.listdir(final.parent) == ["David.txt"]


@pytest.mark.parametrize("mask", [0o022, 0o077])
def test_permissions_are_those_of_the_mask_which_stays_as_it_is(tmp_path, monkeypatch, mask):
    before = os.umask(mask)
    try:
        with monkeypatch.context() as patch:
            patch.setattr(os, "umask", None)  # setting it would concern all threads
            write_text(tmp_path / "ours.txt", "")
            with atomic_folder(tmp_path / "folder"):
                pass
    finally:
        os.umask(before)
    modes = [stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("ours.txt", "folder")]
    assert modes == [0o666 & ~mask, 0o777 & ~mask]


def test_permissions_of_a_replaced_file_stay(tmp_path):
    final = tmp_path / "shared"
    final.write_text("")
    final.chmod(0o640)
    write_text(final, "x")
    assert stat.S_IMODE(final.stat().st_mode) == 0o640


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes with a name are Unix's")
def test_a_pipe_is_not_replaced_by_a_file(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError, match="is a pipe or device"), atomic_path(tmp_path / "pipe"):
        pytest.fail("must not get here")
    assert stat.S_ISFIFO((tmp_path / "pipe").stat().st_mode)


def test_write_text_is_utf8_with_unix_line_ends(tmp_path):
    write_text(tmp_path / "a.txt", "ü\n1,2\n")
    assert (tmp_path / "a.txt").read_bytes() == "ü\n1,2\n".encode()


@pytest.mark.parametrize("exists", [True, False])
def test_folder_appears_only_when_complete(tmp_path, exists):
    final = tmp_path / "frames"
    if exists:
        final.mkdir()
    with atomic_folder(final) as temporary:
        (temporary / "1.jpg").write_bytes(b"1")
        assert not (final / "1.jpg").exists()
    assert os.listdir(tmp_path) == ["frames"]
    assert os.listdir(final) == ["1.jpg"]


def test_failed_folder_leaves_nothing(tmp_path):
    with pytest.raises(RuntimeError), atomic_folder(tmp_path / "frames") as temporary:
        (temporary / "1.jpg").write_bytes(b"1")
        raise RuntimeError
    assert os.listdir(tmp_path) == []


def test_folder_with_content_is_refused_untouched(tmp_path):
    (tmp_path / "holiday.jpg").write_bytes(b"1")
    with pytest.raises(FileExistsError, match="expected a new name or an empty folder"):
        with atomic_folder(tmp_path):
            pass
    assert os.listdir(tmp_path) == ["holiday.jpg"]


def test_folder_in_place_of_a_file_fails_at_once(tmp_path):
    with pytest.raises(IsADirectoryError, match="expected a file's name") as caught:
        with atomic_path(tmp_path):
            pytest.fail("must not get here")
    assert caught.value.filename == str(tmp_path)


@pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="needs a folder nobody can write to")
def test_unwritable_place_names_the_final_file():
    with pytest.raises(OSError, match="/proc/self/b.txt"), atomic_path("/proc/self/b.txt"):
        pytest.fail("must not get here")


def old_set(folder):
    folder.mkdir()
    (folder / "marker").write_text("old")
    return folder


def content(folder):
    return (folder / "marker").read_text()


@pytest.mark.parametrize("at_once", [True, False])
def test_a_folder_is_replaced(tmp_path, monkeypatch, at_once):
    out = old_set(tmp_path / "set")
    if not at_once:
        monkeypatch.setattr(files, "_exchange", lambda first, second: False)
    with atomic_folder(out, replace=True) as fresh:
        (fresh / "marker").write_text("new")
        assert content(out) == "old"
    assert content(out) == "new"
    assert os.listdir(tmp_path) == ["set"]


def test_a_folder_whose_replacement_fails_stays(tmp_path):
    out = old_set(tmp_path / "set")
    with pytest.raises(RuntimeError), atomic_folder(out, replace=True) as fresh:
        (fresh / "marker").write_text("new")
        raise RuntimeError
    assert content(out) == "old"
    assert os.listdir(tmp_path) == ["set"]


KILLED = """
import os, signal, sys
from pathlib import Path
from dsiam_plugin.io import files

def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)

out, step = Path(sys.argv[1]), sys.argv[2]
rename, calls = os.rename, []
if step == "moved away":
    files._exchange = lambda first, second: False
    os.rename = lambda *names: die() if calls else calls.append(rename(*names))
if step == "exchanged":
    files._remove = die
with files.atomic_folder(out, replace=True) as fresh:
    (fresh / "marker").write_text("new")
    if step == "written":
        die()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="exchanges names and sweeps on Linux")
@pytest.mark.parametrize(
    ("step", "at_once", "later"),
    [("written", "old", "old"), ("exchanged", "new", "new"), ("moved away", None, "old")],
)
def test_a_killed_run_leaves_old_or_new_and_the_next_start_clears_up(
    tmp_path, step, at_once, later
):
    out = old_set(tmp_path / "set")
    done = subprocess.run([sys.executable, "-c", KILLED, str(out), step])
    assert done.returncode == -signal.SIGKILL
    assert len(os.listdir(tmp_path)) == 2
    assert (content(out) if out.exists() else None) == at_once
    check_destination(out, "marker", "a set", force=True)
    assert os.listdir(tmp_path) == ["set"]
    assert content(out) == later


@pytest.mark.skipif(files.fcntl is None, reason="needs locks")
def test_what_a_killed_run_left_is_removed_and_what_a_running_one_writes_stays(tmp_path):
    left = tmp_path / ".boxes.partial-00c0ffee.txt"
    left.write_text("half")
    strangers = [tmp_path / name for name in (".boxes.settings.txt", ".b.partial-00c0ffee.txt")]
    for stranger in strangers:
        stranger.write_text("")
    with atomic_path(tmp_path / "boxes.txt") as running:
        assert not left.exists()
        write_text(tmp_path / "boxes.txt", "second")
        assert running.exists()
    assert all(stranger.exists() for stranger in strangers)


def test_a_disk_that_is_full_keeps_the_old_file(tmp_path, monkeypatch):
    (tmp_path / "a.txt").write_text("old")

    def full(handle):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        write_text(tmp_path / "a.txt", "new")
    assert (tmp_path / "a.txt").read_text() == "old"
    assert os.listdir(tmp_path) == ["a.txt"]


def test_the_working_directory_may_be_named_by_a_dot(tmp_path, monkeypatch):
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path / "empty")
    with atomic_folder(".") as fresh:
        (fresh / "1.jpg").write_bytes(b"")
    assert os.listdir(tmp_path / "empty") == ["1.jpg"]


@pytest.mark.parametrize(
    ("names", "force", "message"),
    [
        (["marker"], False, "already holds a set; --force replaces it"),
        (["holiday.jpg"], True, "holds other files"),
    ],
)
def test_folders_in_use_are_refused(tmp_path, names, force, message):
    for name in names:
        (tmp_path / name).write_text("")
    with pytest.raises(DatasetError, match=message):
        check_destination(tmp_path, "marker", "a set", force=force)
    assert sorted(os.listdir(tmp_path)) == names


def test_free_places_are_accepted(tmp_path):
    check_destination(tmp_path, "marker", "a set", force=False)
    check_destination(tmp_path / "absent", "marker", "a set", force=False)


def test_a_full_disk_names_the_file_that_was_asked_for(tmp_path):
    with pytest.raises(OSError) as caught, files.atomic_path(tmp_path / "a.txt"):
        raise OSError(errno.ENOSPC, "No space left on device")
    assert caught.value.filename == str(tmp_path / "a.txt") and not list(tmp_path.iterdir())
