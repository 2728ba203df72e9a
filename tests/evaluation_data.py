"""Data sets of a few invented sequences, for the tests of the evaluation."""

import numpy as np

TAGS = ("all", "camera_motion", "empty")


class StubVideo:
    """A sequence held in memory, with the attributes the benchmarks read."""

    width, height = 320, 240

    def __init__(self, name, gt_traj, **results):
        self.name = name
        self.gt_traj = gt_traj
        self.pred_trajs = dict(results)
        self.confidence = {}
        self.tags = {tag: [1] * len(gt_traj) for tag in TAGS}

    def select_tag(self, tag, start=0, end=0):
        return self.tags[tag][start:end]

    def load_tracker(self, path, tracker_names=None, store=True):
        return None


class StubDataset:
    def __init__(self, name, videos, trackers, attr=None):
        self.name = name
        self.videos = {video.name: video for video in videos}
        self.tracker_names = list(trackers)
        self.tracker_path = "results"
        self.tags = list(TAGS)
        self.attr = attr or {}

    def __len__(self):
        return len(self.videos)

    def __iter__(self):
        return iter(self.videos.values())

    def __getitem__(self, key):
        return self.videos[key] if isinstance(key, str) else list(self)[key]


def random_polygon(rng, size=8, spread=60.0, centre=None):
    """A region of `size` numbers: 4 a rectangle, 8 and more a polygon, sometimes degenerate."""
    centre = rng.uniform(-30, 150, 2) if centre is None else centre
    if size == 4:
        return [*(centre - spread / 2), *rng.uniform(0, spread, 2)]
    points = centre + rng.uniform(-spread, spread, (size // 2, 2))
    if size == 8 and rng.random() < 0.5:
        points = _rotated_rectangle(rng, centre, spread)
    if rng.random() < 0.4:  # ties: corners on whole and half pixels
        points = np.round(points * 2) / 2
    return points.ravel().tolist()


def _rotated_rectangle(rng, centre, spread):
    angle = rng.uniform(0, 2 * np.pi)
    side = np.array([np.cos(angle), np.sin(angle)]) * rng.uniform(0.5, spread)
    other = np.array([-side[1], side[0]]) * rng.uniform(0.1, 2)
    return np.array([centre, centre + side, centre + side + other, centre + other])


def restart_run(rng, truth, losses, skipping=5, noise=6.0):
    """A trajectory as the restart experiment writes it, lost in the given frames."""
    run = [[1]]
    while len(run) < len(truth):
        frame = len(run)
        if frame in losses:
            rest = len(truth) - frame
            run += ([[2]] + [[0]] * (skipping - 1) + [[1]])[:rest]
        else:
            shift = np.tile(rng.normal(0, noise, 2), len(truth[frame]) // 2)
            run.append((np.asarray(truth[frame]) + shift).tolist())
    return run


def make_dataset(seed, videos=4, repetitions=3, frames=(6, 60), losses=3, name="VOT2018"):
    """Sequences of polygons with runs that are lost now and then, also in the last frames."""
    rng = np.random.default_rng(seed)
    made = []
    for number in range(videos):
        length = int(rng.integers(*frames))
        truth = [
            random_polygon(rng, 8, 30.0, np.array([100.0 + frame, 80.0])) for frame in range(length)
        ]
        runs = [
            restart_run(rng, truth, set(rng.integers(1, length, rng.integers(0, losses)).tolist()))
            for _ in range(repetitions)
        ]
        video = StubVideo(f"video{number}", truth, tracker=runs)
        video.tags["camera_motion"] = rng.integers(0, 2, length).tolist()
        video.tags["empty"] = (1 - np.array(video.tags["camera_motion"])).tolist()
        made.append(video)
    return StubDataset(name, made, ["tracker"])


class OfficialRun:
    """A trajectory and its sequence as the VOT toolkit's analyses ask for them."""

    def __init__(self, run):
        self._regions = [official_region(region) for region in run]

    def regions(self):
        return self._regions


def official_region(numbers):
    from vot.region import Polygon, Rectangle, Special

    if len(numbers) == 1:
        return Special(numbers[0])
    if len(numbers) == 4:
        return Rectangle(*numbers)
    return Polygon(list(zip(numbers[::2], numbers[1::2], strict=True)))
