import numpy as np
import pytest
import toolkit_data
from hypothesis import given, settings
from hypothesis import strategies as st

from dsiam_plugin.errors import ResultsError
from dsiam_plugin.evaluation.results import files as results

BOXES = np.array([[1.5, 2, 30, 40], [2, 3.25, 30, 40], [-1, 0, 12.5, 4]])


def write(path, text):
    path.write_bytes(text.encode())
    return path


@pytest.mark.parametrize("delimiter", [",", "\t", " ", ";", ", ", " , ", "  "])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_any_delimiter_and_line_end(tmp_path, delimiter, newline):
    path = toolkit_data.write_rows(tmp_path / "a.txt", BOXES, delimiter, newline=newline)
    np.testing.assert_array_equal(results.read_boxes(path), BOXES)


@pytest.mark.parametrize(
    "text",
    [
        "1.5e0,2,3E1,40\n2,325e-2,30,4.0e+1\n-1,0,12.5,4\n",
        "1.5,2,30,40\n2\t3.25 30  40\n-1;0;12.5;4",  # a delimiter a row, no last line end
        "\ufeff1.5,2,30,40\n2,3.25,30,40\n-1,0,12.5,4\n\n\n",  # byte-order mark, blank end
    ],
)
def test_exponents_mixed_rows_and_blank_ends(tmp_path, text):
    np.testing.assert_array_equal(results.read_boxes(write(tmp_path / "a.txt", text)), BOXES)


def test_nan_rows_are_kept(tmp_path):
    boxes = results.read_boxes(write(tmp_path / "a.txt", "1,2,3,4\nNaN,nan,NaN,nan\n"))
    assert np.isnan(boxes[1]).all() and not np.isnan(boxes[0]).any()


def test_a_single_row_is_still_a_table(tmp_path):
    assert results.read_boxes(write(tmp_path / "a.txt", "1,2,3,4\n")).shape == (1, 4)


@pytest.mark.parametrize(
    ("text", "row", "found"),
    [
        ("1,2,3,4\n\n1,2,3,4\n", 2, "a blank row"),
        ("1,2,3,4\n1,2,3\n", 2, "3 numbers"),
        ("1,2,3,4\n1,2,3\n1,2,3,4,5\n", 2, "3 numbers"),
        ("1,2,3,4,5\n", 1, "5 numbers"),
        ("1,2,3,4\n1,2,x,4\n", 2, "not numbers"),
        ("1,2,3,4\n1,,2,3,4\n", 2, "two delimiters in a row"),
        ("1,2,3,4\n20,0\t40,0\t24,0\t24,0\n", 2, "mixes delimiters (decimal commas?)"),
        ("20,5;40,5\n", 1, "mixes delimiters"),
        ("20,5 40,5\n", 1, "mixes delimiters"),
        ("1,2,3,1_000\n", 1, "not numbers"),
        ("x,y,w,h\n1,2,3,4\n", 1, "not numbers"),
        ("#1,2,3,4\n1,2,3,4\n", 1, "not numbers"),
    ],
)
def test_a_bad_row_is_named(tmp_path, text, row, found):
    path = write(tmp_path / "bad.txt", text)
    with pytest.raises(ResultsError) as caught:
        results.read_boxes(path)
    message = str(caught.value)
    assert message.startswith(f"{path}:{row}: ")
    assert found in message and "expected x,y,w,h" in message and "\n" not in message


@pytest.mark.parametrize("text", ["", "\n", " \r\n\n"])
def test_a_blank_file_is_named(tmp_path, text):
    path = write(tmp_path / "blank.txt", text)
    for read in (results.read_boxes, results.read_regions):
        with pytest.raises(ResultsError, match="blank.txt: the file is blank"):
            read(path)


def test_files_that_cannot_be_read_are_named(tmp_path):
    with pytest.raises(ResultsError, match="none.txt: cannot be read"):
        results.read_boxes(tmp_path / "none.txt")
    (tmp_path / "binary.txt").write_bytes(b"\xff\xfe\x00\x80")
    with pytest.raises(ResultsError, match="binary.txt: not UTF-8 text"):
        results.read_boxes(tmp_path / "binary.txt")


def test_boxes_come_back_as_they_were_written(tmp_path):
    boxes = np.random.default_rng(0).normal(100, 50, (20, 4))
    results.write_boxes(tmp_path / "a.txt", boxes)
    np.testing.assert_array_equal(results.read_boxes(tmp_path / "a.txt"), boxes)


def test_boxes_are_written_as_pysot_writes_them(tmp_path):
    results.write_boxes(tmp_path / "a.txt", [[1, 2.5, np.float32(3), 4], [1e-7, 0, 1, 1]])
    assert (tmp_path / "a.txt").read_text() == "1.0,2.5,3.0,4.0\n1e-07,0.0,1.0,1.0\n"


def test_restart_trajectories(tmp_path):
    regions = [[1.0], [1.0, 2.0, 3.0, 4.5], [2.0], [0.0], [1.0, 2, 3, 4, 5, 6, 7, 8.25]]
    results.write_regions(tmp_path / "a.txt", [1, *regions[1:]])
    assert (tmp_path / "a.txt").read_text() == (
        "1\n1.0000,2.0000,3.0000,4.5000\n2\n0\n"
        "1.0000,2.0000,3.0000,4.0000,5.0000,6.0000,7.0000,8.2500\n"
    )
    assert results.read_regions(tmp_path / "a.txt") == regions


@pytest.mark.parametrize("row", ["1,2", "1,2,3", "1,2,3,4,5", "1,2,3,4,5,6,7", "m1,2,3,4,5"])
def test_what_is_no_region_is_named(tmp_path, row):
    path = write(tmp_path / "a.txt", f"1\n1,2,3,4\n{row}\n")
    with pytest.raises(ResultsError, match=r"a.txt:3: .* expected a code \(0, 1, 2\), x,y,w,h or"):
        results.read_regions(path)


def test_decimal_commas_are_no_polygon(tmp_path):
    """Eight parts that would pass for the corners of a polygon."""
    path = write(tmp_path / "a.txt", "20,0\t40,0\t24,0\t24,0\n")
    with pytest.raises(ResultsError, match=r"a\.txt:1: .* mixes delimiters"):
        results.read_regions(path)


def test_masks_are_named(tmp_path):
    path = write(tmp_path / "a.txt", "m1,2,3,4,0,12\n")
    with pytest.raises(ResultsError, match=r"a\.txt:1: .* is a mask \(VOT2020"):
        results.read_regions(path)


def test_seconds_of_several_repetitions_are_averaged(tmp_path):
    path = write(tmp_path / "a_time.txt", "0.5,1.5\n0.25,0.75\n")
    np.testing.assert_array_equal(results.read_times(path), [1.0, 0.5])
    path = write(tmp_path / "b_time.txt", "0.5\n\n")
    np.testing.assert_array_equal(results.read_times(path), [0.5, np.nan])


def test_tabs_between_the_numbers_of_a_region(tmp_path):
    path = write(tmp_path / "a.txt", "1\r\n1\t2\t3\t4\r\n")
    assert results.read_regions(path) == [[1.0], [1.0, 2.0, 3.0, 4.0]]


def test_values_keep_their_blank_lines(tmp_path):
    results.write_values(tmp_path / "a.value", [None, 0.5, float("nan"), 1e-3])
    assert (tmp_path / "a.value").read_text() == "\n0.500000\n\n0.001000\n"
    np.testing.assert_array_equal(
        results.read_values(tmp_path / "a.value"), [np.nan, 0.5, np.nan, 0.001]
    )
    with pytest.raises(ResultsError, match=r"b.value:2: 'x', expected one number"):
        results.read_values(write(tmp_path / "b.value", "1\nx\n"))


numbers = st.floats(allow_nan=True, allow_infinity=True, width=64)


@given(
    st.lists(st.tuples(numbers, numbers, numbers, numbers), min_size=1, max_size=8),
    st.sampled_from([",", "\t", " ", ";", ", "]),
    st.sampled_from(["\n", "\r\n"]),
)
@settings(deadline=None, max_examples=60)
def test_any_numbers_in_any_dialect_are_read_exactly(tmp_path_factory, rows, delimiter, newline):
    path = tmp_path_factory.getbasetemp() / "any.txt"
    toolkit_data.write_rows(path, rows, delimiter, newline=newline)
    np.testing.assert_array_equal(results.read_boxes(path), np.array(rows))
    assert [list(map(repr, row)) for row in results.read_regions(path)] == [
        [repr(number) for number in row] for row in rows
    ]
