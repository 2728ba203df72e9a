"""Graphs of a tracker's frames: the embedding written out, and the exported core behind it."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, TypeVar

import numpy as np
import torch
from onnx import TensorProto
from torch import Tensor

from dsiam_plugin.config import TrackerConfig
from dsiam_plugin.core.spectra import PAIRS
from dsiam_plugin.core.transforms import saliency_map
from dsiam_plugin.export.modules import FirstFrame, Frame, Values
from dsiam_plugin.models.network import SiameseNet
from dsiam_plugin.models.onnx_embedding import Embedder
from dsiam_plugin.models.onnx_graph import OPSET, Graph

if TYPE_CHECKING:
    from onnx import ModelProto

Item = TypeVar("Item")


def first_frame_graph(network: SiameseNet, config: TrackerConfig, precision: str) -> Graph:
    """From the first target and search crops to the state that does not change.

    Args:
        network: Float32, on the CPU.
        config: Of the tracker.
        precision: Of the embedding, see :class:`Embedder`.
    """
    inputs = {
        "target": _features(network, 1, config.crop.exemplar_size),
        "search": _features(network, 1, config.crop.search_size),
    }
    return _graph(FirstFrame(network, config), inputs, network, config, precision)


def frame_graph(network: SiameseNet, config: TrackerConfig, precision: str) -> Graph:
    """From a later frame's crops and the state to what the frame shows, and the next state.

    Args:
        network: Float32, on the CPU.
        config: Of the tracker.
        precision: Of the embedding, see :class:`Embedder`.
    """
    inputs = frame_inputs(network, config)
    return _graph(Frame(network, config), inputs, network, config, precision)


def frame_inputs(network: SiameseNet, config: TrackerConfig) -> Values:
    """Inputs of :class:`Frame` of the right names and shapes, in the order of the file's."""
    transform = config.transform
    learns_v = transform.variation or transform.replace_template
    exemplar = _features(network, 1, config.crop.exemplar_size)
    search = _features(network, config.tracking.scales, config.crop.search_size)
    number = {"": torch.zeros(1)}
    inputs: dict[str, dict[str, Tensor]] = {"search": search, "exemplar": exemplar}
    if learns_v:
        inputs |= {"template": exemplar, "mean": exemplar}
    if transform.suppression:
        spectra = {layer: PAIRS.forward(item[:1]) for layer, item in search.items()}
        inputs |= {"suppression": spectra, "suppressing": number}
    if config.fusion.balance:
        inputs["calibration"] = {layer: torch.ones(2) for layer in search}
    inputs["first_height"] = number
    if transform.adaptive:
        inputs["trusted"] = number
    if learns_v:
        inputs["target"] = exemplar
    if transform.suppression and transform.background != "search":
        inputs["background"] = _features(network, 2, config.crop.search_size)
    return inputs


def flat(values: Mapping[str, Mapping[str, Item]]) -> dict[str, Item]:
    """Items by their names at the graph's border: ``name.layer``, or ``name`` without layers."""
    return {
        f"{name}.{layer}" if layer else name: item
        for name, group in values.items()
        for layer, item in group.items()
    }


def _features(network: SiameseNet, count: int, size: int) -> dict[str, Tensor]:
    """Features of black crops."""
    return network.embed(np.zeros((count, size, size, 3), np.uint8))


def _graph(
    module: FirstFrame | Frame,
    inputs: Values,
    network: SiameseNet,
    config: TrackerConfig,
    precision: str,
) -> Graph:
    """Graph of a module, with crops in place of the features that come from crops."""
    # The exporter takes one tensor that stands for two inputs for one input.
    inputs = {
        name: {layer: item.clone() for layer, item in group.items()}
        for name, group in inputs.items()
    }
    # Before the export, so that what the core caches is made of real tensors.
    outputs = module(inputs)
    graph, crop = Graph(), config.crop
    embedder = Embedder(network.backbone, network.layers, precision)
    sizes = dict.fromkeys(("search", "background"), crop.search_size)
    sizes["target"] = crop.exemplar_size
    values = {}
    for name, group in inputs.items():
        if name not in sizes:
            values |= {key: graph.input(key, item.shape) for key, item in flat({name: group}).items()}
            continue
        count = 1 if name == "background" else len(next(iter(group.values())))
        crops = graph.input(name, (count, sizes[name], sizes[name], 3), np.uint8)
        if name == "background":
            crops = _with_saliency(graph, crops, config)
        values |= flat({name: embedder.append(graph, crops)})
    core = _exported(module, inputs, list(flat(outputs)))
    found = graph.inline(core, values)
    for (name, item), value in zip(flat(outputs).items(), found, strict=True):
        graph.output(name, value, item.shape)
    return graph


def _with_saliency(graph: Graph, crop: str, config: TrackerConfig) -> str:
    """G and G x map, (2, H, W, 3) uint8, of G."""
    weights = saliency_map(config.crop.search_size, config.transform)[..., None].numpy()
    dimmed = graph.op("Mul", graph.op("Cast", crop, to=TensorProto.FLOAT), weights)
    dimmed = graph.op("Cast", graph.op("Round", dimmed), to=TensorProto.UINT8)
    return graph.op("Concat", crop, dimmed, axis=0)


def _exported(module: FirstFrame | Frame, inputs: Values, outputs: list[str]) -> ModelProto:
    """The module's graph, its inputs and outputs named."""
    log = logging.getLogger("torch.onnx")
    level = log.level
    log.setLevel(logging.ERROR)  # torchvision is not missed
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            program = torch.onnx.export(
                module.eval(),
                kwargs={"values": inputs},
                input_names=list(flat(inputs)),
                output_names=outputs,
                opset_version=OPSET,
                dynamo=True,
                verbose=False,
            )
    finally:
        log.setLevel(level)
    return program.model_proto
