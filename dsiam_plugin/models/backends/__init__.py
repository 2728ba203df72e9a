"""Engines that compute the convolutions on the CPU in place of PyTorch's modules."""
