import os
import struct
import zlib

import cv2
import numpy as np
import pytest

from dsiam_plugin.errors import ImageError
from dsiam_plugin.io import images
from dsiam_plugin.io.images import as_bgr, as_rgb, read_image, read_raw_image

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


NOISE = np.random.default_rng(0).integers(0, 65536, (24, 31, 3)).astype(np.uint16)


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".bmp", ".tif", ".webp", ".ppm"])
def test_files_give_the_pixels_of_imread(tmp_path, suffix):
    path = write(tmp_path / f"a{suffix}", (NOISE // 256).astype(np.uint8))
    expected = cv2.imread(str(path), cv2.IMREAD_COLOR)
    assert (read_image(path, "BGR") == expected).all()
    assert (read_image(path) == expected[:, :, ::-1]).all()


@pytest.mark.parametrize("suffix", [".png", ".tif", ".ppm"])
def test_sixteen_bit_files_give_the_pixels_of_imread(tmp_path, suffix):
    path = write(tmp_path / f"a{suffix}", NOISE)
    image = read_image(path, "BGR")
    assert image.dtype == np.uint8
    assert (image == cv2.imread(str(path), cv2.IMREAD_COLOR)).all()
    assert np.abs(image - NOISE / 257).max() < 1  # PNG drops the lower bits, TIFF rounds


def test_orientation_tag_is_applied(tmp_path):
    encoded = cv2.imencode(".jpg", np.zeros((8, 16, 3), np.uint8))[1].tobytes()
    turned = struct.pack("<2sHIHHHIHHI", b"II", 42, 8, 1, 0x0112, 3, 1, 6, 0, 0)
    tag = b"\xff\xe1" + struct.pack(">H", 8 + len(turned)) + b"Exif\0\0" + turned
    path = tmp_path / "turned.jpg"
    path.write_bytes(encoded[:2] + tag + encoded[2:])
    assert read_image(path).shape == cv2.imread(str(path)).shape == (16, 8, 3)


def test_raw_image_keeps_type_and_channels(tmp_path):
    labels = NOISE[:, :, 0]
    assert (read_raw_image(write(tmp_path / "labels.png", labels)) == labels).all()


@pytest.fixture
def tolerant(monkeypatch):
    """A decoder that is content with any part of a JPEG, as OpenCV 4's is."""
    monkeypatch.setattr(cv2, "imdecode", lambda data, flags: np.zeros((1, 1, 3), np.uint8))


@pytest.fixture(params=["baseline", "progressive"])
def jpeg(request):
    flags = [cv2.IMWRITE_JPEG_PROGRESSIVE, 1] if request.param == "progressive" else []
    return cv2.imencode(".jpg", (NOISE // 256).astype(np.uint8), flags)[1].tobytes()


@pytest.mark.parametrize("share", [0.2, 0.5, 0.9, 0.9999])
def test_part_of_a_jpeg_is_refused_whatever_the_decoder_says(tmp_path, jpeg, tolerant, share):
    kept = int(share * len(jpeg))
    (tmp_path / "part.jpg").write_bytes(jpeg[:kept])
    with pytest.raises(ImageError, match=f"part.jpg: ends after {kept} bytes"):
        read_image(tmp_path / "part.jpg")


def test_bytes_after_the_end_do_not_matter(tmp_path, jpeg, tolerant):
    (tmp_path / "whole.jpg").write_bytes(jpeg + b"\0\xff\xda" * 9)
    read_image(tmp_path / "whole.jpg")


def test_the_end_of_a_thumbnail_is_not_that_of_the_file(tmp_path, jpeg, tolerant):
    thumbnail = b"\xff\xe1" + struct.pack(">H", len(jpeg) + 2) + jpeg
    path = tmp_path / "a.jpg"
    path.write_bytes(jpeg[:2] + thumbnail + jpeg[2:])
    read_image(path)
    path.write_bytes(jpeg[:2] + thumbnail + jpeg[2:-100])
    with pytest.raises(ImageError, match="ends after"):
        read_image(path)


@pytest.mark.parametrize("suffix", [".png", ".bmp", ".tif", ".webp", ".ppm"])
def test_half_a_file_of_another_format_is_refused(tmp_path, suffix, capfd):
    path = write(tmp_path / f"a{suffix}", (NOISE // 256).astype(np.uint8))
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(ImageError, match="bytes that do not decode"):
        read_image(path)


def chunk(kind, content):
    checked = kind + content
    return struct.pack(">I", len(content)) + checked + struct.pack(">I", zlib.crc32(checked))


SIZE_MARKERS = (b"\xff\xc0", b"\xff\xc2")


def test_claimed_sizes_are_limited(tmp_path, jpeg):
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 10**6, 10**6, 8, 2, 0, 0, 0))
    png = images.PNG + header + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")
    start = next(place for place in range(len(jpeg)) if jpeg[place : place + 2] in SIZE_MARKERS)
    huge = jpeg[: start + 5] + struct.pack(">HH", 65000, 64000) + jpeg[start + 9 :]
    bmp = b"BM" + bytes(16) + struct.pack("<ii", 30000, 20000) + bytes(28)
    claims = ((png, "1000000x1000000"), (huge, "64000x65000"), (bmp, "30000x20000"))
    for content, size in claims:
        (tmp_path / "huge.img").write_bytes(content)
        with pytest.raises(ImageError, match=f"huge.img: claims {size} pixels"):
            read_image(tmp_path / "huge.img")


def test_a_file_too_large_for_an_image_is_not_read(tmp_path):
    with (tmp_path / "a.jpg").open("wb") as file:
        file.truncate(images.MOST_BYTES + 1)
    with pytest.raises(ImageError, match="expected at most"):
        read_image(tmp_path / "a.jpg")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes with a name are Unix's")
def test_a_pipe_is_refused_without_waiting(tmp_path):
    os.mkfifo(tmp_path / "frame.jpg")
    with pytest.raises(ImageError, match=r"frame.jpg: a folder, pipe or device"):
        read_image(tmp_path / "frame.jpg")


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
