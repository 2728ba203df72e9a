"""A tracker around the exported graphs: the geometry that is left to whoever runs them."""

from __future__ import annotations

import numpy as np
import torch

from dsiam_plugin.io.boxes import box_from_center
from dsiam_plugin.trackers.crops import channel_means, context_side, crop_square
from dsiam_plugin.trackers.variants import exemplar_variants, wide_size


class OnnxTracker:
    """Follows one target with two ONNX Runtime sessions.

    Args:
        init, step: Sessions of the graphs ``init`` and ``step``.
        config: The tracker's; only its crop and tracking sections, and its transforms' gate, crop
            of G and growth, matter outside the graphs.
    """

    stride = 8

    def __init__(self, init, step, config):
        self.init_session, self.step_session, self.config = init, step, config
        half = config.tracking.scales // 2
        self.scales = [config.tracking.scale_step**power for power in range(-half, half + 1)]

    def init(self, image, box):
        crop = self.config.crop
        x, y, w, h = box
        self.center, self.size = (x + (w - 1) / 2, y + (h - 1) / 2), (w, h)
        self.fill, self.was_lost = channel_means(image), False
        self.side = self.first_side = self.own_side()
        side = context_side(w, h, crop.context)
        target = pixels(self.cut(image, side, crop.exemplar_size))
        if self.config.model.box_head:
            target = np.concatenate([target, self.variants(image, side)])
        feeds = {
            "target": target,
            "search": pixels(self.cut(image, self.side, crop.search_size)),
        }
        found = run(self.init_session, feeds)
        layers = [name.split(".")[1] for name in found if name.startswith("exemplar.")]
        for layer in layers:
            found[f"template.{layer}"] = found[f"mean.{layer}"] = found[f"exemplar.{layer}"]
        empty = {
            item.name: np.zeros(item.shape, np.float32)
            for item in self.step_session.get_inputs()
            if item.type == "tensor(float)"
        }
        size = crop.exemplar_size
        self.state = {**empty, **found, "target": np.zeros((1, size, size, 3), np.uint8)}
        size = crop.search_size
        self.state["background"] = np.zeros((1, size, size, 3), np.uint8)
        self.state["shape"] = np.float32(self.size) * np.float32(crop.exemplar_size / side)

    def track(self, image):
        tracking, transform, crop = self.config.tracking, self.config.transform, self.config.crop
        cuts = [self.cut(image, self.side * scale, crop.search_size) for scale in self.scales]
        last = np.float32(self.size) * np.float32(crop.search_size / self.side)
        found = run(self.step_session, {**self.state, "search": pixels(*cuts), "last": last})
        names = [name for name in found if name.startswith("next.")]
        self.state.update({name.removeprefix("next."): found[name] for name in names})
        scale, dx, dy, score, _, _, *growth = found["peak"].tolist()
        winner = cuts[int(scale)]
        cell = self.stride * winner.side_px / crop.search_size  # px of the image
        gated = transform.gate and transform.adaptive and transform.lost_growth > 1
        lost = bool(found["lost"][0])
        held = lost and tracking.hold
        if not held:
            self.center = (winner.center[0] + dx * cell, winner.center[1] + dy * cell)
        if lost and gated:
            self.side = self.bounded(self.side * transform.lost_growth)
        else:
            recovers = self.was_lost and gated
            if recovers:
                self.side = self.own_side()
            self.cut_for_next(image, winner)
            factor = 1 + tracking.scale_damping * (self.scales[int(scale)] - 1)
            self.grow([1.0, 1.0] if held or recovers else growth or [factor, factor])
        self.was_lost = lost
        return box_from_center(*self.center, *self.size), score, lost

    def grow(self, growth):
        """Width and height; those of a box head are bounded by their window."""
        self.size = (self.size[0] * growth[0], self.size[1] * growth[1])
        if not self.config.model.box_head:
            self.side = self.bounded(self.side * growth[0])
            return
        self.side = self.bounded(self.own_side())
        shrink = min(self.side / self.own_side(), 1.0)
        self.size = (self.size[0] * shrink, self.size[1] * shrink)

    def variants(self, image, side):
        """The first exemplar zoomed and stretched, (K, size, size, 3)."""
        size = self.config.crop.exemplar_size
        wide = wide_size(size)
        crop = self.cut(image, side * wide / size, wide).pixels
        planes = torch.from_numpy(crop).permute(2, 0, 1)[None].float()
        return exemplar_variants(planes, size)[0].permute(0, 2, 3, 1).byte().numpy()

    def cut_for_next(self, image, winner):
        """What the next call learns from: with the target's size before this frame's scale."""
        crop, transform = self.config.crop, self.config.transform
        side = context_side(*self.size, crop.context)
        self.state["target"] = pixels(self.cut(image, side, crop.exemplar_size))
        side = winner.side_px if transform.background == "crop_at_scale" else self.side
        self.state["background"] = pixels(self.cut(image, side, crop.search_size))

    def cut(self, image, side, size):
        return crop_square(image, self.center, side, size, self.fill)

    def own_side(self):
        crop = self.config.crop
        return context_side(*self.size, crop.context) * crop.search_size / crop.exemplar_size

    def bounded(self, side):
        tracking = self.config.tracking
        low, high = tracking.min_search * self.first_side, tracking.max_search * self.first_side
        return min(max(side, low), high)


def run(session, feeds):
    """Outputs of a session by name; inputs it does not have are left out."""
    wanted = [item.name for item in session.get_inputs()]
    names = [item.name for item in session.get_outputs()]
    return dict(zip(names, session.run(names, {name: feeds[name] for name in wanted}), strict=True))


def pixels(*crops):
    """(S, size, size, 3) uint8."""
    return np.stack([crop.pixels for crop in crops])
