"""The tracker whose frames, targets and decisions stay on the device; see docs/gpu.md.

Shapes: N targets, S scales, B images (one for all targets, or one each), C_l, h_l, w_l channels and
size of level l, m the response's side and M the upsampled one's. All functions work on any device,
never look at a value from Python, and keep the targets' results independent of each other.
"""
