"""Procedural pictures: backgrounds with clutter, and objects of several textured parts."""

import colorsys
from collections.abc import Sequence

import cv2
import numpy as np

from dsiam_plugin.evaluation.synthesis.sprites import Sprite, make_sprite

OVERSAMPLING = 2  # objects are drawn twice as large and averaged: smooth edges
CLUTTER_OBJECTS = 26
SHADOW_PX = 3.0


def colour(rng: np.random.Generator, hue: float, saturation: float, value: float) -> np.ndarray:
    """BGR in [0, 255], (3,) float32, near a hue, saturation and value in [0, 1]."""
    red, green, blue = colorsys.hsv_to_rgb(
        (hue + rng.normal(0, 0.03)) % 1.0,
        float(np.clip(saturation + rng.normal(0, 0.06), 0, 1)),
        float(np.clip(value + rng.normal(0, 0.06), 0, 1)),
    )
    return np.array([255 * blue, 255 * green, 255 * red], np.float32)


def noise(rng: np.random.Generator, height: int, width: int, period_px: float) -> np.ndarray:
    """Smooth noise whose features are about ``period_px`` wide, (height, width) float32, std 1."""
    rows, columns = (max(2, int(np.ceil(side / period_px)) + 1) for side in (height, width))
    coarse = rng.standard_normal((rows, columns), dtype=np.float32)
    field = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
    return (field - field.mean()) / max(float(field.std()), 1e-6)


def fractal(rng: np.random.Generator, height: int, width: int, period_px: float) -> np.ndarray:
    """Noise of four octaves from ``period_px`` down, (height, width) float32, std about 1."""
    octaves = [0.55**i * noise(rng, height, width, period_px / 2**i) for i in range(4)]
    return np.sum(octaves, axis=0) / 1.2


def grating(
    rng: np.random.Generator, height: int, width: int, period_px: float, sharpness: float = 2.0
) -> np.ndarray:
    """Slightly wavy stripes in a random direction, (height, width) float32 in [0, 1]."""
    columns, rows = np.meshgrid(
        np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32)
    )
    angle = rng.uniform(0, np.pi)
    phase = (np.cos(angle) * columns + np.sin(angle) * rows) * (2 * np.pi / period_px)
    phase += 0.6 * noise(rng, height, width, 3 * period_px) + rng.uniform(0, 2 * np.pi)
    return 0.5 + 0.5 * np.tanh(sharpness * np.sin(phase))


def blend(under: np.ndarray, over: Sequence[float] | np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Mix (h, w, 3) images, ``weight`` (h, w) in [0, 1] being the upper one's share."""
    share = weight[..., None]
    return under * (1 - share) + np.asarray(over, dtype=np.float32) * share


def contour(rng: np.random.Generator, centre: np.ndarray, radii: np.ndarray) -> np.ndarray:
    """Outline of a random part: a smooth blob or a polygon of few corners, (N, 2) px."""
    if rng.random() < 0.6:
        angles = np.linspace(0, 2 * np.pi, 60, endpoint=False)
        radius = np.ones(60)
        for harmonic in range(2, 5):
            phase = rng.uniform(0, 2 * np.pi)
            radius += rng.uniform(0, 0.28 / harmonic) * np.cos(harmonic * angles + phase)
    else:
        corners = int(rng.integers(3, 8))
        angles = 2 * np.pi * (np.arange(corners) + rng.uniform(-0.25, 0.25, corners)) / corners
        radius = rng.uniform(0.8, 1.2, corners)
    turn = rng.uniform(0, 2 * np.pi)
    spokes = np.stack([np.cos(angles + turn), np.sin(angles + turn)], axis=1)
    return centre + radii * radius[:, None] * spokes


def filled(points: np.ndarray, height: int, width: int) -> np.ndarray:
    """Anti-aliased mask of a polygon, (height, width) float32 in [0, 1]."""
    mask = np.zeros((height, width), dtype=np.uint8)
    cv2.fillPoly(mask, [np.rint(points * 16).astype(np.int32)], 255, cv2.LINE_AA, shift=4)
    return mask.astype(np.float32) / 255


def relief(mask: np.ndarray) -> np.ndarray:
    """Shading that makes a flat mask look rounded and lit from the upper left, (h, w) around 1."""
    depth = cv2.distanceTransform((mask > 0.5).astype(np.uint8), cv2.DIST_L2, 3)
    height = np.sqrt(depth / max(float(depth.max()), 1.0))
    height = cv2.GaussianBlur(height, (0, 0), max(1.0, 0.03 * mask.shape[0]))
    slope_y, slope_x = np.gradient(height * 0.25 * min(mask.shape))
    return np.clip(
        1.0 + 0.55 * (slope_x + slope_y) / np.sqrt(1 + slope_x**2 + slope_y**2), 0.5, 1.4
    )


def procedural_background(rng: np.random.Generator, height: int, width: int) -> np.ndarray:
    """A cluttered scene, (height, width, 3) uint8 BGR, of muted colours."""
    hue = rng.random()
    ground = [
        colour(rng, hue + 0.12 * i, rng.uniform(0.1, 0.35), value)
        for i, value in enumerate(rng.permutation([0.35, 0.55, 0.75]))
    ]
    image = np.tile(ground[0], (height, width, 1))
    for tone in ground[1:]:
        image = blend(image, tone, 1 / (1 + np.exp(-3 * fractal(rng, height, width, 0.4 * height))))
    image *= 1 + 0.12 * fractal(rng, height, width, 0.06 * height)[..., None]
    for share in np.sort(rng.uniform(0.03, 0.14, CLUTTER_OBJECTS))[::-1]:
        place = np.array([rng.uniform(0, width), rng.uniform(0, height)])
        image = add_clutter(rng, image, place, share * min(height, width), hue)
    return np.clip(image, 0, 255).astype(np.uint8)


def add_clutter(
    rng: np.random.Generator, image: np.ndarray, place: np.ndarray, radius: float, hue: float
) -> np.ndarray:
    """The image (h, w, 3) with one shaded, sometimes striped shape of muted colour on it."""
    reach = 1.9 * radius + 4 * SHADOW_PX  # of the longest shape and its shadow
    low = np.maximum(0, np.floor(place - reach)).astype(int)
    high = np.ceil(place + reach).astype(int)
    part = image[low[1] : high[1], low[0] : high[0]]
    height, width = part.shape[:2]
    radii = radius * rng.uniform([0.6, 0.6], [1.3, 1.3])
    mask = filled(contour(rng, place - low, radii), height, width)
    tone = colour(
        rng, hue + rng.uniform(-0.25, 0.25), rng.uniform(0.1, 0.45), rng.uniform(0.3, 0.8)
    )
    look = tone * (1 + 0.1 * fractal(rng, height, width, radius / 2)[..., None])
    if rng.random() < 0.5:
        dark = 0.6 * grating(rng, height, width, radius * rng.uniform(0.3, 0.7))
        look = blend(look, tone * 0.55, dark)
    aside = cv2.warpAffine(
        mask, np.array([[1, 0, SHADOW_PX], [0, 1, SHADOW_PX]], np.float32), (width, height)
    )
    shadow = cv2.GaussianBlur(aside, (0, 0), SHADOW_PX)
    lit = blend(part * (1 - 0.4 * shadow[..., None]), look * relief(mask)[..., None], mask)
    image = image.copy()
    image[low[1] : high[1], low[0] : high[0]] = lit
    return image


def procedural_sprite(rng: np.random.Generator, size_px: float) -> Sprite:
    """An object of saturated colours with parts, stripes, spots, shading and a dark rim.

    Args:
        rng: Source of its looks.
        size_px: About the square root of its box area in the sprite.
    """
    side = OVERSAMPLING * max(32, int(1.3 * size_px) // 2 * 2)
    centre = np.array([side / 2, side / 2])
    stretch = rng.uniform(0.8, 1.25)
    hue = rng.random()
    image: np.ndarray = np.zeros((side, side, 3), dtype=np.float32)
    alpha: np.ndarray = np.zeros((side, side), dtype=np.float32)
    for share, place in part_layout(rng):
        radii = 0.36 * side * share * np.array([stretch, 1 / stretch])
        mask = filled(contour(rng, centre + place * 0.36 * side, radii), side, side)
        look = part_look(rng, side, hue) * relief(mask)[..., None]
        rim = np.clip(mask - cv2.erode(mask, np.ones((3, 3)), iterations=side // 60), 0, 1)
        look = blend(look, (30, 25, 25), 0.8 * rim)
        image = blend(image, look, mask)
        alpha = np.maximum(alpha, mask)
        hue += rng.choice([0.08, 0.33, 0.5])
    small = (side // OVERSAMPLING, side // OVERSAMPLING)
    image, alpha = (
        np.asarray(cv2.resize(item, small, interpolation=cv2.INTER_AREA)) for item in (image, alpha)
    )
    return make_sprite(np.clip(image, 0, 255), alpha)


def part_layout(rng: np.random.Generator) -> list[tuple[float, np.ndarray]]:
    """Size and place, in body radii, of limbs (drawn first), body, and marks upon it."""
    limbs = []
    for angle in rng.uniform(0, 2 * np.pi) + np.array([0.0, 2.0, 4.1])[: rng.integers(2, 4)]:
        reach = rng.uniform(0.7, 0.95) * np.array([np.cos(angle), np.sin(angle)])
        limbs.append((rng.uniform(0.3, 0.5), reach))
    marks = [
        (rng.uniform(0.14, 0.3), rng.uniform(-0.42, 0.42, 2)) for _ in range(rng.integers(2, 5))
    ]
    return [*limbs, (rng.uniform(0.85, 0.95), np.zeros(2)), *marks]


def part_look(rng: np.random.Generator, side: int, hue: float) -> np.ndarray:
    """Texture of one part, (side, side, 3) float32: two tones in stripes or in spots."""
    bright = colour(rng, hue, rng.uniform(0.55, 0.95), rng.uniform(0.75, 1.0))
    second = colour(rng, hue + 0.5, rng.uniform(0.3, 0.9), rng.uniform(0.2, 0.6))
    period = side * rng.uniform(0.08, 0.2)
    if rng.random() < 0.5:
        weight = grating(rng, side, side, period)
    else:
        weight = 1 / (1 + np.exp(-6 * (noise(rng, side, side, period) - 0.5)))
    look = blend(np.tile(bright, (side, side, 1)), second, weight)
    return look * (1 + 0.08 * fractal(rng, side, side, 0.1 * side)[..., None])
