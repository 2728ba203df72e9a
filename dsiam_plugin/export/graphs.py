"""Graphs of modules: the embedding written out, and the exported core behind it."""

import logging
import warnings
from collections.abc import Mapping
from typing import TypeVar

import numpy as np
import torch
from onnx import ModelProto, TensorProto

from dsiam_plugin.config import TrackerConfig
from dsiam_plugin.core.transforms import saliency_map
from dsiam_plugin.export.modules import FirstFrame, Frame, Values
from dsiam_plugin.models.onnx_embedding import Embedder
from dsiam_plugin.models.onnx_graph import OPSET, Graph

Item = TypeVar("Item")

# It warns of the missing torchvision, of which nothing is used.
logging.getLogger("torch.onnx._internal.exporter._registration").setLevel(logging.ERROR)


def flat(values: Mapping[str, Mapping[str, Item]]) -> dict[str, Item]:
    """Items by their names at a graph's border: ``name.layer``, or ``name`` without layers."""
    return {
        f"{name}.{layer}" if layer else name: item
        for name, group in values.items()
        for layer, item in group.items()
    }


def module_graph(module: FirstFrame | Frame, embedder: Embedder) -> Graph:
    """Graph of a module, with crops in place of the features that come from crops.

    Args:
        module: Its inputs give names and shapes.
        embedder: Of the module's network.
    """
    # Two inputs that are one tensor would become one input.
    inputs = {
        name: {layer: item.clone() for layer, item in group.items()}
        for name, group in module.inputs.items()
    }
    # Before the export, as what the core caches must not be made of the exporter's tensors.
    outputs = flat(module(inputs))
    graph, crop = Graph(), module.config.crop
    sizes = {name: crop.search_size for name in ("search", "background")}
    sizes["target"] = crop.exemplar_size
    values: dict[str, str] = {}
    for name, group in inputs.items():
        if name not in sizes:
            items = flat({name: group}).items()
            values |= {key: graph.input(key, tuple(item.shape)) for key, item in items}
            continue
        count = 1 if name == "background" else len(next(iter(group.values())))
        crops = graph.input(name, (count, sizes[name], sizes[name], 3), np.uint8)
        if name == "background":
            crops = _with_saliency(graph, crops, module.config)
        values |= flat({name: embedder.append(graph, crops)})
    found = graph.inline(_exported(module, inputs, list(outputs)), values)
    for (name, item), value in zip(outputs.items(), found, strict=True):
        graph.output(name, value, tuple(item.shape))
    return graph


def _with_saliency(graph: Graph, crop: str, config: TrackerConfig) -> str:
    """G and G x map, (2, H, W, 3) uint8, of G."""
    weights = saliency_map(config.crop.search_size, config.transform)[..., None].numpy()
    dimmed = graph.op("Mul", graph.op("Cast", crop, to=TensorProto.FLOAT), weights)
    dimmed = graph.op("Cast", graph.op("Round", dimmed), to=TensorProto.UINT8)
    return graph.op("Concat", crop, dimmed, axis=0)


def _exported(module: FirstFrame | Frame, inputs: Values, outputs: list[str]) -> ModelProto:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter's own deprecated calls
        program = torch.onnx.export(
            module.eval(),
            kwargs={"values": inputs},
            input_names=list(flat(inputs)),
            output_names=outputs,
            opset_version=OPSET,
            dynamo=True,
            verbose=False,
        )
    assert program is not None  # it is where no file is written
    return program.model_proto
