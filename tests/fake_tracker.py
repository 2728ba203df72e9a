"""A tracker without a network: it remembers what it was shown and moves its box by a pixel."""

from dataclasses import dataclass

from dsiam_plugin.errors import ImageError
from dsiam_plugin.io.boxes import Box, check_box


@dataclass(frozen=True)
class FakeResult:
    box: Box
    score: float
    lost: bool


class FakeTracker:
    """Every frame moves the box right by one pixel; the scores are 0.9, 0.8, ...

    Args:
        lost_at: Frames (0-based) reported as lost.
        on_track: Called with the frame's index before it is tracked; may raise.
    """

    image_mode = "RGB"
    name = "Fake"

    def __init__(self, lost_at=(), on_track=lambda frame: None):
        self.lost_at = lost_at
        self.on_track = on_track
        self.images = []
        self.boxes = []

    def init(self, image, box):
        height, width = image.shape[:2]
        self.images = [image]
        self.boxes = [check_box(box, width, height)]

    def track(self, image):
        frame = len(self.images)
        self.on_track(frame)
        if image.shape != self.images[0].shape:
            raise ImageError(f"{image.shape}; expected {self.images[0].shape} as before")
        last = self.boxes[-1]
        self.images.append(image)
        self.boxes.append(last._replace(x=last.x + 1))
        return FakeResult(self.boxes[-1], 1 - frame / 10, frame in self.lost_at)

    @property
    def colors(self):
        """The colour of each image's first pixel, as a list."""
        return [image[0, 0].tolist() for image in self.images]
