"""Seeded damage to valid files: bytes, words of a text, members of an archive, values of JSON."""

import copy
import io
import json
import random
import zipfile

ODD_WORDS = (
    b"nan", b"inf", b"-inf", b"-1", b"0", b"1e300", b"-1e308", b"1e-320", b"0.5", b"9" * 400,
    b"4294967296", b"null", b"true", b"''", b"[]", b"{}", b"[1]", b"2020-99-99", b"!!int x",
    b"!!python/object/apply:os.system ['false']", b"&a [*a]", b"<<: 1", b"? [a]", b"%s%s", b"%08d",
    b"../../x", b"/abs/x", b"\\", b"CON", b"\xc3\xa9", b"\xff", b"\x00", b"\x1b[31m",
    b"\xef\xbb\xbf",
    b",", b",,", b";", b"\t", b"\n", b"\r", b"\n\n", b" ", b'"', b"=", b":", b"[", b"{",
    b"a" * 5000,
)  # fmt: skip
ODD_VALUES = (
    None, True, 0, -1, 1, 0.5, 1e300, -1e308, float("nan"), float("inf"), 1 << 40, 10**400, "",
    "x", "nan", "../../x", "/abs/x", "\x00", "\ud800", "é" * 300, "a" * 5000, [], {}, [[]], [None],
    ["x"], [1, 2], [1, 2, 3, 4], [[1, 2, 3, 4]] * 3, {"x": 1}, {"": None}, [1e300] * 4,
)  # fmt: skip
WHOLE_FILES = (
    b"", b"\n", b"\x00" * 4096, b"\xff\xfe" * 50, b"\xef\xbb\xbf", b"null", b"[1]", b'"x"', b"1",
    b"[" * 20_000, b"{" * 20_000, b'{"a":' * 20_000, b"- " * 20_000, b"nan\n" * 20, b"1,2\n" * 9,
    b"<!DOCTYPE html><html><body>404</body></html>\n", b"PK\x03\x04" + b"\x00" * 60,
    b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 9\n", b"\x80\x04N.",
    b"\x93NUMPY\x01\x00", b"a: &a [x, x, x]\nb: &b [*a, *a, *a]\nc: &c [*b, *b, *b]\n",
)  # fmt: skip
SPACES = b" ,;\t\r\n=:[]{}\"'<>/"


def damaged(data: bytes, rng: random.Random) -> bytes:
    """One damaged version of a valid file."""
    if rng.random() < 0.06:
        return rng.choice(WHOLE_FILES)
    kinds = [_bytes, _bytes, _words, _words]
    if data[:2] == b"PK":
        kinds += [_members] * 4
    elif data[:1] in b"{[" and data:
        kinds += [_values] * 6
    elif data[8:9] == b"{":
        kinds += [_header] * 4
    return rng.choice(kinds)(data, rng)


def _bytes(data: bytes, rng: random.Random) -> bytes:
    """Bytes changed, cut out, doubled or appended, or the end missing."""
    found = bytearray(data)
    for _ in range(rng.choice((1, 1, 1, 2, 8, 64))):
        # Headers decide more than bodies do.
        end = len(found) if rng.random() < 0.6 else min(len(found), 200)
        start = rng.randrange(end + 1)
        length = min(rng.choice((1, 1, 2, 4, 16, 300)), len(found) - start)
        part = found[start : start + length]
        kind = rng.randrange(5)
        if kind == 0:
            part = bytes(rng.randrange(256) for _ in part)
        elif kind == 1:
            part = bytes(value ^ (1 << rng.randrange(8)) for value in part)
        elif kind == 2:
            part = b""
        elif kind == 3:
            part = part * 2
        else:
            part = rng.choice((b"\x00", b"\xff", b"\x7f\xff\xff\xff")) * (length or 1)
        found[start : start + length] = part
    return bytes(found[: rng.randrange(len(found) + 1)] if rng.random() < 0.15 else found)


def _words(data: bytes, rng: random.Random) -> bytes:
    """A word replaced by an odd one, or a line taken away, doubled or swapped."""
    if rng.random() < 0.3:
        lines = data.splitlines(keepends=True) or [b""]
        row = rng.randrange(len(lines))
        lines[row : row + 1] = rng.choice(([], [lines[row]] * 2, [rng.choice(lines)], [b"\n"]))
        return b"".join(lines)
    start = rng.randrange(len(data) + 1)
    while start and data[start - 1] not in SPACES:
        start -= 1
    end = start
    while end < len(data) and data[end] not in SPACES:
        end += 1
    return data[:start] + rng.choice(ODD_WORDS) + data[end:]


def _values(data: bytes, rng: random.Random) -> bytes:
    """A value of a JSON document replaced, removed or moved to another place."""
    try:
        value = json.loads(data)
    except ValueError:
        return _bytes(data, rng)
    for _ in range(rng.choice((1, 1, 2))):
        value = _replaced(value, rng)
    return json.dumps(value).encode()


def _replaced(value: object, rng: random.Random) -> object:
    """The value with an odd one somewhere in it."""
    if isinstance(value, (dict, list)) and value and rng.random() < 0.85:
        keys = list(value) if isinstance(value, dict) else range(len(value))
        key = rng.choice(keys)
        if rng.random() < 0.12:
            del value[key]
        elif isinstance(value, dict) and rng.random() < 0.1:
            value[rng.choice(("", "../../x", "é", "a/b", "a" * 300))] = value.pop(key)
        else:
            value[key] = _replaced(value[key], rng)
        return value
    return copy.deepcopy(rng.choice(ODD_VALUES))


def _members(data: bytes, rng: random.Random) -> bytes:
    """A ZIP archive (NumPy's and PyTorch's) with a member damaged, its check sum being right."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = [(item.filename, archive.read(item)) for item in archive.infolist()]
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError, ValueError):
        return _bytes(data, rng)
    index = rng.randrange(len(members)) if members else 0
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for place, (name, content) in enumerate(members):
            if place == index and rng.random() < 0.1:
                continue
            archive.writestr(name, _bytes(content, rng) if place == index else content)
    return buffer.getvalue()


def _header(data: bytes, rng: random.Random) -> bytes:
    """A safetensors file whose JSON header has an odd value; its length is right."""
    length = int.from_bytes(data[:8], "little")
    header = _values(data[8 : 8 + length], rng)
    return len(header).to_bytes(8, "little") + header + data[8 + length :]
