"""Follows two targets, and a third that comes later: ``python examples/several_targets.py``."""

from __future__ import annotations

import cv2
import numpy as np

from dsiam_plugin import build_tracker

SIZE, STEP = 32, np.array([2, 1])  # px; px a frame
PLACES = np.array([(20, 20), (150, 30), (60, 110)])

random = np.random.default_rng(0)
ground = cv2.GaussianBlur(random.integers(60, 200, (180, 240, 3), np.uint8), (0, 0), 6)
patches = [
    cv2.resize(random.integers(0, 256, (6, 6, 3), np.uint8), (SIZE, SIZE), interpolation=0)
    for _ in PLACES
]


def picture(time: int) -> np.ndarray:
    """(180, 240, 3) uint8: every patch has moved ``time`` steps."""
    image = ground.copy()
    for patch, (x, y) in zip(patches, PLACES + time * STEP, strict=True):
        image[y : y + SIZE, x : x + SIZE] = patch
    return image


def box(target: int, time: int) -> tuple[int, ...]:
    """x, y, w, h of a patch."""
    return (*(PLACES[target] + time * STEP).tolist(), SIZE, SIZE)


tracker = build_tracker("DSiamM")
tracker.init(picture(0), [box(0, 0), box(1, 0)])
for time in range(1, 7):
    results = tracker.track(picture(time))
    print(time, *("{:.1f},{:.1f},{:.1f},{:.1f}".format(*result.box) for result in results))
    if time == 3:
        tracker.add(picture(time), box(2, time))
