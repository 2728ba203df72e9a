import sys

import numpy as np
import pytest

from dsiam_plugin.errors import VOTError
from dsiam_plugin.io.boxes import overlap
from dsiam_plugin.io.images import read_image
from dsiam_plugin.vot.handshake import generate_sequence, shake_hands

trax = pytest.importorskip("trax")

# A TraX tracker that stands still, and does at frame 2 what its argument says.
STILL = """
import os, sys, time
os.environ["TRAX_OUT"] = str(os.dup(1))
os.dup2(2, 1)
import trax
server = trax.Server([trax.Region.RECTANGLE], [trax.Image.PATH], [trax.ImageChannel.COLOR])
frame = 0
while (request := server.wait()).type != "quit":
    if request.type == "initialize":
        region = request.objects[0][0]
    frame += 1
    if frame == 2 and sys.argv[1] == "crash":
        raise RuntimeError("out of luck")
    if frame == 2 and sys.argv[1] == "hang":
        time.sleep(60)
    server.status([(region, {})])
sys.exit(3 if sys.argv[1] == "status" else 0)
"""


def still(behaviour):
    return (sys.executable, "-c", STILL, behaviour)


def test_sequence_shows_a_moving_target(tmp_path):
    frames = generate_sequence(tmp_path)
    assert len(frames) == 3
    images = [read_image(path) for path, _ in frames]
    boxes = [box for _, box in frames]
    assert [box.x - boxes[0].x for box in boxes] == [0, 6, 12]
    crops = [
        image[box.y : box.y + box.h, box.x : box.x + box.w]
        for image, box in zip(images, boxes, strict=True)
    ]
    assert (crops[0] == crops[1]).all()
    assert (crops[0] == crops[2]).all()
    assert crops[0].std() > 20
    assert np.any(images[0] != images[1])


def test_session_with_a_tracker_that_stands_still(tmp_path):
    session = shake_hands({}, command=still("well"))
    boxes = [box for _, box in generate_sequence(tmp_path)]
    assert session.overlap == pytest.approx(overlap(boxes[0], boxes[2]))
    assert session.start_s > 0
    assert session.frame_s > 0


def test_settings_reach_the_process():
    program = "import os, sys; sys.exit(os.environ['DSIAM_TRACKER'])"
    with pytest.raises(VOTError, match="Nobody"):
        shake_hands({"DSIAM_TRACKER": "Nobody"}, command=(sys.executable, "-c", program))


@pytest.mark.parametrize(
    ("behaviour", "expected"),
    [
        ("crash", "Traceback"),
        ("crash", "RuntimeError: out of luck"),
        ("status", "ended with status 3"),
        ("hang", "no answer within 1 s"),
    ],
)
def test_failed_session_says_why(behaviour, expected):
    timeout_s = 1 if behaviour == "hang" else 60
    with pytest.raises(VOTError) as caught:
        shake_hands({}, timeout_s, still(behaviour))
    assert expected in str(caught.value)
