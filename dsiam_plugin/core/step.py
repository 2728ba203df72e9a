"""The steps of the method on features: measure the first frame, observe, adapt.

A frame is ``observe - judge - move - adapt - settle``; judge, move and settle are
:mod:`dsiam_plugin.core.rules`.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from dsiam_plugin.config import CropConfig, TrackerConfig
from dsiam_plugin.core.boxes import distinguish, gather, locate_box
from dsiam_plugin.core.response import (
    Fixed,
    align,
    correlate,
    fuse,
    locate,
    peak_shape,
    respond,
    unit,
)
from dsiam_plugin.core.rules import context_side, own_side
from dsiam_plugin.core.spectra import COMPLEX, Spectra
from dsiam_plugin.core.state import Features, Numbers, Peaks, Target, column, pick
from dsiam_plugin.core.transforms import Pair, learn, mix


def first_target(
    center: Tensor, size: Tensor, fill: Tensor, exemplars: Features, crop: CropConfig
) -> Target:
    """Targets of a first frame, still to be measured.

    Args:
        center: (N, 2) float64 px.
        size: (N, 2) float64 px.
        fill: Colour beyond the border, (N, 3).
        exemplars: Features of the target crops and, for a box head, of their K variants,
            (N, 1 + K, C, h, w) a layer.
        crop: Geometry.
    """
    side = own_side(size, crop)
    no = torch.zeros_like(side, dtype=torch.bool)
    height = torch.ones_like(side, dtype=torch.float32)
    shape = (size * (crop.exemplar_size / context_side(size, crop.context))[:, None]).float()
    first = {layer: item[:, 0] for layer, item in exemplars.items()}
    bank = {k: distinguish(item) for k, item in exemplars.items() if item.shape[1] > 1}
    features = (first, bank, first, first)
    facts = (center, size, side, side, no, no, no, height, shape, fill)
    return Target(*facts, {}, *features, {})


def measure(
    target: Target,
    x_feat: Features,
    numbers: Numbers,
    config: TrackerConfig,
    spectra: Spectra = COMPLEX,
) -> Target:
    """Targets whose first responses are known: their peaks are the unit of later ones.

    Args:
        target: :func:`first_target`.
        x_feat: Features of the search windows, (N, 1, C, H, W) a layer.
        numbers: Fusion maps and adjust.
        config: Of the tracker.
        spectra: Whose way of correlating is used.
    """
    responses = align(
        {
            layer: correlate(item[:, None], x_feat[layer], spectra)
            for layer, item in target.exemplar.items()
        }
    )
    units = {}
    if config.fusion.balance:
        units = {layer: unit(item[:, 0, 0]) for layer, item in responses.items()}
    height, _ = peak_shape(fuse(responses, units, numbers)[:, 0, 0])
    return target._replace(units=units, first_height=height)


def observe(
    target: Target,
    x_feat: Features,
    numbers: Numbers,
    config: TrackerConfig,
    fixed: Fixed,
    spectra: Spectra = COMPLEX,
    x_hat: Features | None = None,
) -> tuple[Peaks, Tensor]:
    """Peaks of a frame, and the responses (N, S, K, m, m) they are the peaks of.

    The template's response finds the target. Where ``anchor_scale`` says so there are two
    exemplars, and the scale is chosen by the mean of both responses. Where there is a box head,
    it finds the target, and the responses are its scores (N, 1, 1, m, m).

    Args:
        target: N targets.
        x_feat: Features of the search windows, (N, S, C, H, W) a layer.
        numbers: Of the configuration or of a training.
        config: Of the tracker.
        fixed: Of the configuration.
        spectra: Form of W.
        x_hat: ``transforms.analyse`` of the search features, if it is known.
    """
    if numbers.read_boxes is not None:
        return _observe_boxes(target, x_feat, numbers, config, fixed, spectra, x_hat)
    transform = config.transform
    anchored = transform.anchor_scale and transform.adaptive
    responses = {}
    for layer, template in target.template.items():
        z_feat = template[:, None]
        if anchored:
            z_feat = torch.stack([template, target.exemplar[layer]], dim=1)
        if not target.suppression:
            responses[layer] = correlate(z_feat, x_feat[layer], spectra)
            continue
        responses[layer] = respond(
            z_feat,
            x_feat[layer],
            target.suppression[layer],
            target.suppressing,
            numbers.rate_w[layer],
            transform,
            spectra,
            x_hat[layer] if x_hat else None,
        )
    fused = fuse(align(responses), target.units, numbers)
    response = fused[:, :, 0]
    deciding = fused.mean(2) if anchored else response
    return locate(response, deciding, fixed, config.tracking), fused


def _observe_boxes(
    target: Target,
    x_feat: Features,
    numbers: Numbers,
    config: TrackerConfig,
    fixed: Fixed,
    spectra: Spectra,
    x_hat: Features | None,
) -> tuple[Peaks, Tensor]:
    """See :func:`observe`; W acts on the one search window's features themselves (eq. 2)."""
    regions = {}
    for layer in target.template:
        region = x_feat[layer][:, 0]
        if target.suppression:
            rate = column(target.suppressing * numbers.rate_w[layer], region)
            known = None if x_hat is None else x_hat[layer][:, 0]
            spectrum = target.suppression[layer]
            region = mix(spectrum, region, rate, config.transform, spectra, known)
        regions[layer] = region
    evidence = gather(target.template, regions, target.exemplar, target.bank, spectra)
    response = fuse(align(evidence.plain()), target.units, numbers)[:, 0, 0]
    assert numbers.read_boxes is not None
    maps = numbers.read_boxes(evidence)
    return locate_box(maps, response, target, fixed, config), maps.scores[:, None, None]


def adapt(
    target: Target,
    latest: Features | None,
    pairs: Mapping[str, Pair] | None,
    learns: Tensor | None,
    numbers: Numbers,
    config: TrackerConfig,
    spectra: Spectra = COMPLEX,
) -> Target:
    """Targets whose V has learnt their present look, and whose W their surroundings.

    Args:
        target: N targets.
        latest: Features of the target crops on this frame, (N, C, h, w) a layer; None without V.
        pairs: G and G x map by layer; None without W.
        learns: Targets that may learn, (N,) bool; None for all.
        numbers: Of the configuration or of a training.
        config: Of the tracker.
        spectra: Form of W.
    """
    if latest is not None:
        target = vary(target, latest, learns, numbers, config, spectra)
    if pairs is not None:
        target = suppress(target, pairs, learns, numbers, config, spectra)
    return target


def vary(
    target: Target,
    latest: Features,
    learns: Tensor | None,
    numbers: Numbers,
    config: TrackerConfig,
    spectra: Spectra = COMPLEX,
) -> Target:
    """Targets whose templates V has moved towards their present look (eq. 6); see :func:`adapt`."""
    transform = config.transform
    mean = {
        layer: torch.lerp(latest[layer], item, numbers.memory)
        for layer, item in target.mean.items()
    }
    template: Features = mean
    if not transform.replace_template:
        template = {
            layer: mix(
                learn(Pair(source, mean[layer]), numbers.lambda_v[layer], transform, spectra),
                source,
                numbers.rate_v[layer],
                transform,
                spectra,
            )
            for layer, source in target.exemplar.items()
        }
    return target._replace(
        mean=pick(learns, mean, target.mean), template=pick(learns, template, target.template)
    )


def suppress(
    target: Target,
    pairs: Mapping[str, Pair],
    learns: Tensor | None,
    numbers: Numbers,
    config: TrackerConfig,
    spectra: Spectra = COMPLEX,
) -> Target:
    """Targets whose W has learnt their surroundings (eq. 8); see :func:`adapt`."""
    learnt = {
        layer: learn(pair, numbers.lambda_w[layer], config.transform, spectra)
        for layer, pair in pairs.items()
    }
    on = torch.ones_like(target.suppressing) if learns is None else learns
    return target._replace(
        suppression=pick(learns, learnt, target.suppression),
        suppressing=target.suppressing | on,
    )
