"""The method, once: pure functions of tensors for N targets.

Nothing here cuts images, knows a network, touches files or reads a value back from a device. The
host tracker, the device tracker, the ONNX export and joint training are drivers: they cut and embed
crops, call :mod:`dsiam_plugin.core.step` and :mod:`dsiam_plugin.core.rules`, and decide whether to
go on. Shapes: N targets, S scales, K exemplars (the template, then the first exemplar), C channels,
m cells a side of the response, M = m * upsample.
"""
