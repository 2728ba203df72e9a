"""Writing ONNX graphs: node by node, and around graphs that others have written."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from dsiam_plugin import __version__

OPSET = 18
IR_VERSION = 8  # the one that came with that opset
TYPES = {np.dtype(np.float32): TensorProto.FLOAT, np.dtype(np.uint8): TensorProto.UINT8}

Shape = Sequence[int | str]  # names stand for sizes that may vary


class Graph:
    """A graph under construction. Values are handled by their names."""

    def __init__(self) -> None:
        self._nodes: list[onnx.NodeProto] = []
        self._inputs: list[onnx.ValueInfoProto] = []
        self._outputs: list[onnx.ValueInfoProto] = []
        self._constants: list[onnx.TensorProto] = []
        self._names: dict[tuple[str, tuple[int, ...], bytes], str] = {}

    def input(self, name: str, shape: Shape, dtype: type = np.float32) -> str:
        """Declares an input of the graph."""
        kind = TYPES[np.dtype(dtype)]
        self._inputs.append(helper.make_tensor_value_info(name, kind, list(shape)))
        return name

    def output(self, name: str, value: str, shape: Shape) -> None:
        """Makes a float32 value an output of the graph."""
        self._nodes.append(helper.make_node("Identity", [value], [name]))
        self._outputs.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, list(shape)))

    def constant(self, value: object) -> str:
        """A constant of an array's type and shape. Equal ones are one."""
        array = np.asarray(value)
        key = (array.dtype.str, array.shape, array.tobytes())
        if key not in self._names:
            self._names[key] = f"constant_{len(self._constants)}"
            self._constants.append(numpy_helper.from_array(array, self._names[key]))
        return self._names[key]

    def op(self, kind: str, *inputs: object, outputs: int = 1, **attributes: Any) -> str:
        """Appends a node, returns its first output; inputs that are no names become constants."""
        names = [item if isinstance(item, str) else self.constant(item) for item in inputs]
        made = [f"{kind.lower()}_{len(self._nodes)}_{index}" for index in range(outputs)]
        self._nodes.append(helper.make_node(kind, names, made, **attributes))
        return made[0]

    def inline(self, model: onnx.ModelProto, values: Mapping[str, str]) -> list[str]:
        """Appends the nodes of a graph without subgraphs, returns the values of its outputs.

        Operators and constants are kept; what tracers note beside them, such as paths, is not.

        Args:
            model: Holds the graph, in this one's opset. Of each graph there is one model at most.
            values: Names here of its inputs.
        """
        names = {"": "", **values}  # "" stands for an input left out
        for item in model.graph.initializer:
            names[item.name] = self.constant(numpy_helper.to_array(item))
        for node in model.graph.node:
            names |= {name: f"inner.{name}" for name in node.output}
            inputs, outputs = ([names[name] for name in side] for side in (node.input, node.output))
            made = helper.make_node(node.op_type, inputs, outputs, domain=node.domain)
            made.attribute.extend(node.attribute)
            self._nodes.append(made)
        return [names[item.name] for item in model.graph.output]

    def model(self, metadata: Mapping[str, str]) -> onnx.ModelProto:
        """The finished, checked model.

        Args:
            metadata: Texts to store in the file.
        """
        used = {name for node in self._nodes for name in node.input}
        constants = [item for item in self._constants if item.name in used]
        graph = helper.make_graph(self._nodes, "dsiam", self._inputs, self._outputs, constants)
        model = helper.make_model(
            graph,
            opset_imports=[helper.make_opsetid("", OPSET)],
            ir_version=IR_VERSION,
            producer_name="dsiam-plugin",
            producer_version=__version__,
        )
        helper.set_model_props(model, dict(metadata))
        onnx.checker.check_model(model, full_check=True)
        return model
