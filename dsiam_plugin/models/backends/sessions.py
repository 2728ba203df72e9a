"""Backbones that ONNX Runtime or OpenVINO compute, from the graph that ``dsiam export`` writes."""

from types import ModuleType

import numpy as np
import torch
from torch import Tensor

from dsiam_plugin.io.versions import import_optional
from dsiam_plugin.models.backbones import Backbone
from dsiam_plugin.models.backends.base import RuntimeBackbone


class SessionBackbone(RuntimeBackbone):
    """A session of another runtime, with as many threads as PyTorch has when it is made."""

    def forward(self, crops: Tensor) -> dict[str, Tensor]:
        """See :class:`RuntimeBackbone`."""
        # A channels-last view of interleaved pixels passes without a copy.
        pixels = crops.permute(0, 2, 3, 1).contiguous().numpy()
        return {level: torch.from_numpy(item) for level, item in self._run(pixels).items()}

    def _run(self, crops: np.ndarray) -> dict[str, np.ndarray]:
        """Features of crops (S, H, W, 3) uint8, in arrays of their own."""
        raise NotImplementedError


class OnnxRuntimeBackbone(SessionBackbone):
    """ONNX Runtime's CPU provider.

    Args:
        backbone, levels: As in :class:`RuntimeBackbone`.
        precision: float32 or int8.

    Raises:
        MissingDependencyError: Without the extra ``onnx``.
        ConfigError: If the backbone has no form of that precision.
    """

    def __init__(self, backbone: Backbone, levels: tuple[str, ...], precision: str):
        super().__init__(backbone, levels)
        runtime = import_runtime("onnxruntime")
        options = runtime.SessionOptions()
        options.intra_op_num_threads = torch.get_num_threads()
        options.inter_op_num_threads = 1
        graph = _graph(backbone, levels, precision)
        self._session = runtime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])

    def _run(self, crops: np.ndarray) -> dict[str, np.ndarray]:
        outputs = self._session.run(list(self.levels_in_use), {"crops": crops})
        return dict(zip(self.levels_in_use, outputs, strict=True))


class OpenVinoBackbone(SessionBackbone):
    """OpenVINO's CPU plugin.

    Args:
        backbone, levels: As in :class:`RuntimeBackbone`.
        precision: float32, bfloat16 or int8.
        rest: float32 or bfloat16, for what an int8 graph computes in floating point.

    Raises:
        MissingDependencyError: Without the extra ``onnx``.
        ConfigError: If the backbone has no form of that precision.
    """

    _HINTS = {"float32": "f32", "bfloat16": "bf16"}

    def __init__(self, backbone: Backbone, levels: tuple[str, ...], precision: str, rest: str):
        super().__init__(backbone, levels)
        core = import_runtime("openvino").Core()
        is_int8 = precision == "int8"
        settings = {
            "INFERENCE_NUM_THREADS": torch.get_num_threads(),
            "NUM_STREAMS": 1,
            "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_PRECISION_HINT": self._HINTS[rest if is_int8 else precision],
        }
        graph = core.read_model(_graph(backbone, levels, "int8" if is_int8 else "float32"))
        self._request = core.compile_model(graph, "CPU", settings).create_infer_request()

    def _run(self, crops: np.ndarray) -> dict[str, np.ndarray]:
        self._request.infer({"crops": crops}, share_inputs=True)
        # The next outputs are written to the same memory.
        return {level: self._request.get_tensor(level).data.copy() for level in self.levels_in_use}


def import_runtime(name: str) -> ModuleType:
    """A package of the extra ``onnx``.

    Raises:
        MissingDependencyError: If it is not installed or does not load.
    """
    return import_optional(name, "onnx")


def _graph(backbone: Backbone, levels: tuple[str, ...], precision: str) -> bytes:
    import_runtime("onnx")
    from dsiam_plugin.models.onnx_embedding import Embedder, embedding_graph

    return embedding_graph(Embedder(backbone, levels, precision)).model({}).SerializeToString()
