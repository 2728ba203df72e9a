"""Parameters of a MatConvNet (dagnn) network saved as ``.mat``."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from dsiam_plugin.errors import CheckpointError
from dsiam_plugin.io.mat import read_mat


@dataclass(frozen=True)
class MatConvNetParameters:
    """Named arrays of ``net.params``; names may carry the branch prefix ``br_``."""

    path: Path
    arrays: Mapping[str, np.ndarray]

    def convolution(self, index: int) -> tuple[Tensor, Tensor | None]:
        """Weight (out, in, h, w) and bias (out,) of one convolution.

        MatConvNet stores filters as (h, w, in, out).
        """
        weight = self._get(f"conv{index}f")
        if weight is None:
            raise CheckpointError(f"{self.path}: no parameter conv{index}f (or br_conv{index}f)")
        weight = weight.reshape(weight.shape + (1,) * (4 - weight.ndim))
        bias = self._get(f"conv{index}b")
        filters = torch.from_numpy(np.ascontiguousarray(weight.transpose(3, 2, 0, 1)))
        return filters, None if bias is None else _vector(bias)

    def batch_norm(self, index: int) -> tuple[Tensor, Tensor, Tensor, Tensor] | None:
        """Gain, shift, mean and deviation, each (channels,); None where the layer has none.

        The moments ``x`` are [mean, sqrt(variance + eps)], one column each.
        """
        gain = self._get(f"bn{index}m")
        shift, moments = self._get(f"bn{index}b"), self._get(f"bn{index}x")
        if gain is None or shift is None or moments is None:
            return None
        return _vector(gain), _vector(shift), _vector(moments[:, 0]), _vector(moments[:, 1])

    def head(self) -> tuple[float, float] | None:
        """Scale and bias of the final affine adjust, if the network has one."""
        scale, bias = self.arrays.get("fin_adjustf"), self.arrays.get("fin_adjustb")
        if scale is None or bias is None:
            return None
        return float(scale.ravel()[0]), float(bias.ravel()[0])

    def _get(self, name: str) -> np.ndarray | None:
        return self.arrays.get(f"br_{name}", self.arrays.get(name))


def read_parameters(path: Path) -> MatConvNetParameters:
    """Reads ``net.params`` of a MatConvNet file.

    Raises:
        MissingDependencyError: Without SciPy (extra ``mat``).
        CheckpointError: If the file is damaged or holds no such structure.
    """
    content = read_mat(path, CheckpointError)
    try:
        parameters = content["net"]["params"]
        items = parameters if isinstance(parameters, list) else [parameters]
        arrays = {item["name"]: np.asarray(item["value"], np.float32) for item in items}
    except (KeyError, TypeError, ValueError):
        raise CheckpointError(f"{path}: no MatConvNet network (net.params) in this file") from None
    return MatConvNetParameters(path, arrays)


def _vector(array: np.ndarray) -> Tensor:
    return torch.from_numpy(np.array(array, np.float32).reshape(-1))
