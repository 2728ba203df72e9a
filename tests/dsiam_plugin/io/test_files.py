import os
import stat

import pytest

from dsiam_plugin.io.files import atomic_folder, atomic_path, write_text


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


def test_written_file_has_ordinary_permissions(tmp_path):
    plain = tmp_path / "plain.txt"
    plain.write_text("")
    write_text(tmp_path / "ours.txt", "")
    assert stat.S_IMODE((tmp_path / "ours.txt").stat().st_mode) == stat.S_IMODE(
        plain.stat().st_mode
    )


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
