import cv2
import numpy as np
import pytest

from dsiam_plugin.errors import ImageError
from dsiam_plugin.io.images import as_bgr, as_rgb, read_image

RED_BGR = np.array([0, 0, 255], dtype=np.uint8)


def write(path, image):
    assert cv2.imwrite(str(path), image)
    return path


def test_red_file_is_red_in_rgb(tmp_path):
    path = write(tmp_path / "red.png", np.tile(RED_BGR, (4, 5, 1)))
    image = read_image(path)
    assert image.shape == (4, 5, 3)
    assert image.dtype == np.uint8
    assert image.flags.c_contiguous
    assert (image == [255, 0, 0]).all()


def test_red_file_with_alpha_is_red(tmp_path):
    path = write(tmp_path / "red.png", np.tile(np.uint8([0, 0, 255, 7]), (4, 5, 1)))
    assert (read_image(path) == [255, 0, 0]).all()


def test_grey_file_has_three_equal_channels(tmp_path):
    grey = np.arange(20, dtype=np.uint8).reshape(4, 5)
    assert (read_image(write(tmp_path / "g.png", grey)) == grey[:, :, None]).all()


def test_sixteen_bit_file_keeps_its_full_range(tmp_path):
    deep = np.uint16([[0, 128, 129, 257 * 200, 65535]])
    assert read_image(write(tmp_path / "d.png", deep))[0, :, 0].tolist() == [0, 0, 1, 200, 255]


def test_non_ascii_name(tmp_path):
    (tmp_path / "bild-ü.png").write_bytes(
        write(tmp_path / "a.png", np.zeros((2, 2, 3), np.uint8)).read_bytes()
    )
    assert read_image(tmp_path / "bild-ü.png").shape == (2, 2, 3)


@pytest.mark.parametrize(
    ("content", "found"),
    [(None, "No such file"), (b"", "0 bytes"), (b"not an image", "12 bytes")],
)
def test_undecodable_file_is_named_with_what_was_found(tmp_path, content, found):
    path = tmp_path / "frame7.jpg"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ImageError) as caught:
        read_image(path)
    message = str(caught.value)
    assert "frame7.jpg" in message
    assert found in message
    assert "expected an image file" in message
    assert "\n" not in message


def test_folder_is_no_image(tmp_path):
    with pytest.raises(ImageError, match="expected an image file"):
        read_image(tmp_path)


def test_right_image_is_not_copied():
    image = np.zeros((3, 4, 3), np.uint8)
    assert np.shares_memory(as_rgb(image), image)


@pytest.mark.parametrize(("mode", "pixel"), [("RGB", [1, 2, 3]), ("BGR", [3, 2, 1])])
@pytest.mark.parametrize("alpha", [[], [9]])
def test_colour_order(mode, pixel, alpha):
    image = np.tile(np.uint8([1, 2, 3, *alpha]), (2, 2, 1))
    converted = as_rgb(image, mode)
    assert (converted == pixel).all()
    assert converted.flags.c_contiguous


def test_strided_view_becomes_contiguous_and_input_stays():
    image = np.arange(36, dtype=np.uint8).reshape(3, 4, 3)
    before = image.copy()
    assert as_rgb(image[:, ::2]).flags.c_contiguous
    as_rgb(image, "BGR")
    assert (image == before).all()


@pytest.mark.parametrize("shape", [(3, 4), (3, 4, 1)])
def test_grey_array(shape):
    image = np.arange(12, dtype=np.uint8).reshape(shape)
    assert (as_rgb(image) == image.reshape(3, 4, 1)).all()
    assert as_rgb(image).shape == (3, 4, 3)


@pytest.mark.parametrize(
    ("image", "found"),
    [
        (np.zeros((3, 4, 3), np.float32), "float32"),
        (np.zeros((3, 4, 3), bool), "bool"),
        (np.zeros((3, 4, 3), np.int64), "int64"),
        (np.zeros((3, 4, 2), np.uint8), "(3, 4, 2)"),
        (np.zeros((1, 3, 4, 3), np.uint8), "(1, 3, 4, 3)"),
        (np.zeros((0, 4, 3), np.uint8), "(0, 4, 3)"),
        ([[0]], "list"),
        (None, "NoneType"),
    ],
)
def test_unknown_format_is_refused_with_what_was_found(image, found):
    with pytest.raises(ImageError) as caught:
        as_rgb(image, name="frame 3")
    assert str(caught.value).startswith("frame 3: ")
    assert found in str(caught.value)
    assert "uint8 or uint16" in str(caught.value)


def test_unknown_colour_order_is_refused():
    with pytest.raises(ImageError, match="'HSV'; expected 'RGB' or 'BGR'"):
        as_rgb(np.zeros((2, 2, 3), np.uint8), "HSV")


def test_as_bgr_swaps_red_and_blue():
    assert (as_bgr(np.tile(np.uint8([255, 0, 0]), (2, 2, 1))) == [0, 0, 255]).all()
