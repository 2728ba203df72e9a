"""TraX peers that send anything: the client must end by itself, with one line."""

import random
import subprocess
import time
from pathlib import Path

from fuzz.engine import LONGEST_MESSAGE, MOST_SECONDS, Counts
from fuzz.mutations import damaged
from trax_session import SQUARE_CLIENT, environment, write_square

ODD_LINES = (
    b'@@TRAX:initialize ""', b"@@TRAX:initialize", b"@@TRAX:quit", b"@@TRAX:frame", b"@@TRAX:hello",
    b'@@TRAX:state "1,2,3,4"', b"@@TRAX:", b"@@TRAX:initialize " + b'"1,1,2,2" ' * 500,
    b'@@TRAX:frame "file:///dev/zero"', b'@@TRAX:frame "file:///"', b'@@TRAX:frame "data:x"',
    b'@@TRAX:initialize "m0,0,9,9,1,2"', b"noise", b'@@TRAX:quit "reason=' + b"a" * 9000 + b'"',
)  # fmt: skip


def attack(folder: Path, seconds: float, seed: int, most: int = 1 << 30) -> Counts:
    """Sessions with damaged streams or settings until the time is over."""
    rng, counts, end = random.Random(seed), Counts(), time.monotonic() + seconds
    frame = str(write_square(folder / "frame.png", 40, 30)).encode()
    valid = [
        b'@@TRAX:initialize "40,30,20,20"', b'@@TRAX:frame "file://%s"' % frame,
        b'@@TRAX:frame "file://%s"' % frame, b"@@TRAX:quit",
    ]  # fmt: skip
    while time.monotonic() < end and counts.inputs < most:
        lines = list(valid)
        if rng.random() < 0.5:
            lines[rng.randrange(4)] = rng.choice(ODD_LINES)
        message = b"\n".join(lines) + b"\n"
        message = damaged(message, rng) if rng.random() < 0.6 else message
        variables = {}
        if rng.random() < 0.15:
            name = rng.choice(("TRAX_IN", "TRAX_OUT", "TRAX_SOCKET"))
            variables[name] = rng.choice(("x", "", "-1", "999", "1e9", "é", "65536"))
        start = time.monotonic()
        problem = _session(message, variables, counts)
        counts.inputs += 1
        counts.slowest_s = max(counts.slowest_s, time.monotonic() - start)
        if problem:
            counts.findings.append(f"{problem} {variables} {message[:300]!r}")
    return counts


def _session(message: bytes, variables: dict[str, str], counts: Counts) -> str:
    """Sends a stream to the client; what was wrong with its end."""
    with subprocess.Popen(
        SQUARE_CLIENT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        env=environment(**variables),
    ) as process:  # fmt: skip
        try:
            _, err = process.communicate(message, timeout=MOST_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            return f"more than {MOST_SECONDS} s"
    lines = [line for line in err.decode(errors="replace").splitlines() if "noise" not in line]
    if process.returncode == 0:
        counts.accepted += 1
        return ""
    counts.clean += 1
    if process.returncode != 1 or len(lines) != 1 or len(lines[0]) > LONGEST_MESSAGE + 40:
        return f"status {process.returncode}, {len(lines)} lines: {lines[:1]} {lines[-1:]}"
    return ""
