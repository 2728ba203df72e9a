"""Writes small data sets and result folders in the layouts of the benchmarks.

A target is a bright square that moves on a dark ground; boxes are 0-based x, y, w, h.
"""

import json
from pathlib import Path

import numpy as np

IMAGE_SIZE = (64, 48)  # width, height in px
TAGS = ("camera_motion", "illum_change", "motion_change", "size_change", "occlusion")


def moving_boxes(frames, seed=0, size=(12, 10)):
    """(frames, 4) boxes that wander inside the image, whole pixels."""
    rng = np.random.default_rng(seed)
    span = np.array(IMAGE_SIZE) - np.array(size) - 4
    start = rng.integers(2, span)
    steps = rng.integers(-2, 3, (frames, 2)).cumsum(axis=0)
    corners = np.clip(start + steps, 1, span)
    return np.hstack([corners, np.tile(size, (frames, 1))]).astype(float)


def polygons(boxes):
    """(frames, 8) corner points of boxes, clockwise from the top left."""
    x, y, w, h = np.asarray(boxes, dtype=float).T
    return np.stack([x, y, x + w, y, x + w, y + h, x, y + h], axis=1)


def frame(box):
    """(H, W, 3) uint8 image with a bright square at `box`."""
    image = np.full((IMAGE_SIZE[1], IMAGE_SIZE[0], 3), 40, np.uint8)
    x, y, w, h = np.asarray(box, dtype=int)
    image[y : y + h, x : x + w] = 230
    return image


def write_rows(path, rows, delimiter=",", pattern="{!r}", newline="\n"):
    """A text file with one row of numbers a line."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [delimiter.join(pattern.format(float(number)) for number in row) for row in rows]
    path.write_bytes("".join(line + newline for line in lines).encode())
    return path


def write_frames(folder, boxes, name="{:04d}.jpg", first=1):
    """Images of a target at `boxes`, numbered from `first`."""
    import cv2

    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    for number, box in enumerate(boxes, start=first):
        cv2.imwrite(str(folder / name.format(number)), frame(box))


def write_otb(root, sequences, images=False, first=1, delimiter=","):
    """OTB folders: `<name>/groundtruth_rect.txt`, 1-based, and `<name>/img/0001.jpg`.

    `sequences` maps names to boxes.
    """
    root = Path(root)
    for name, boxes in sequences.items():
        write_rows(root / name / "groundtruth_rect.txt", one_based(boxes), delimiter)
        if images:
            write_frames(root / name / "img", boxes, first=first)
    return root


def write_annotations(root, sequences, attributes=None):
    """Annotations only: `annotations/<name>.txt`, 1-based, and `sequences.json`."""
    root = Path(root)
    for name, boxes in sequences.items():
        write_rows(root / "annotations" / f"{name}.txt", one_based(boxes))
    table = {
        name: {
            "folder": name,
            "first_frame": 1,
            "last_frame": len(boxes),
            "frames": len(boxes),
            "attributes": (attributes or {}).get(name, []),
        }
        for name, boxes in sequences.items()
    }
    (root / "sequences.json").write_text(json.dumps(table))
    return root


def write_vot(root, sequences, images=False):
    """The VOT toolkit's layout; `sequences` maps names to boxes or (frames, 8) polygons."""
    root = Path(root)
    for name, regions in sequences.items():
        write_rows(root / name / "groundtruth.txt", regions, pattern="{:.3f}")
        (root / name / "sequence").write_text(
            "channels.color=color/%08d.jpg\nformat=default\nfps=30\n"
            f"name={name}\nwidth={IMAGE_SIZE[0]}\nheight={IMAGE_SIZE[1]}\nlength={len(regions)}\n"
        )
        if images:
            boxes = [_around(region) for region in regions]
            write_frames(root / name / "color", boxes, name="{:08d}.jpg")
    (root / "list.txt").write_text("".join(f"{name}\n" for name in sequences))
    return root


def write_pysot_json(root, name, sequences, attributes=None, tags=None, size=IMAGE_SIZE):
    """`<name>.json` in pysot's schema; with `tags` (tag to flags by video) that of VOT."""
    root = Path(root)
    root.mkdir(parents=True, exist_ok=True)
    table = {}
    for video, regions in sequences.items():
        regions = [[float(number) for number in region] for region in regions]
        table[video] = {
            "video_dir": video,
            "init_rect": regions[0],
            "img_names": [f"{video}/img/{i:04d}.jpg" for i in range(1, len(regions) + 1)],
            "gt_rect": regions,
        }
        if tags is None:
            table[video]["attr"] = (attributes or {}).get(video, [])
        else:
            zeros = [0] * len(regions)
            table[video].update({tag: tags.get(video, {}).get(tag, zeros) for tag in TAGS})
            table[video].update(width=size[0], height=size[1])
    path = root / f"{name}.json"
    path.write_text(json.dumps(table))
    return path


def write_results(root, tracker, sequences, **options):
    """One-pass results: `<root>/<tracker>/<video>.txt`, 0-based; options as `write_rows`."""
    for video, boxes in sequences.items():
        write_rows(Path(root) / tracker / f"{video}.txt", boxes, **options)
    return Path(root)


def write_restarts(root, tracker, video, repetitions):
    """Restart results: `<tracker>/baseline/<video>/<video>_001.txt`; codes are one-number rows."""
    folder = Path(root) / tracker / "baseline" / video
    folder.mkdir(parents=True, exist_ok=True)
    for number, regions in enumerate(repetitions, start=1):
        lines = "".join(_restart_line(region) + "\n" for region in regions)
        (folder / f"{video}_{number:03d}.txt").write_text(lines)
    return Path(root)


def one_based(boxes):
    """OTB's annotations count pixels from 1."""
    return np.asarray(boxes, dtype=float) + [1, 1, 0, 0]


def _restart_line(region):
    """A code as a whole number, a region with four decimals."""
    if np.isscalar(region) or len(region) == 1:
        return str(int(np.squeeze(region)))
    return ",".join(f"{number:.4f}" for number in region)


def _around(region):
    """The axis-aligned box around a region."""
    if len(region) == 4:
        return region
    xs, ys = np.asarray(region[0::2]), np.asarray(region[1::2])
    return [xs.min(), ys.min(), np.ptp(xs), np.ptp(ys)]
