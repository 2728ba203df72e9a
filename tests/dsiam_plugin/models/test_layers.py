import numpy as np
import pytest
import torch
import torch.nn.functional as F

from dsiam_plugin.errors import ShapeError
from dsiam_plugin.models.layers import cross_correlate, fuse, resize_response


def test_cross_correlation_by_its_definition():
    rng = np.random.default_rng(0)
    z, x = rng.normal(size=(2, 2, 3, 2)), rng.normal(size=(3, 2, 5, 4))
    expected = np.zeros((3, 2, 3, 3))
    for s, k, row, column in np.ndindex(3, 2, 3, 3):
        expected[s, k, row, column] = (z[k] * x[s, :, row : row + 3, column : column + 2]).sum()
    ours = cross_correlate(torch.from_numpy(z), torch.from_numpy(x))
    np.testing.assert_allclose(ours, expected, atol=1e-12)


def test_cross_correlation_takes_features_in_any_order_of_memory():
    z, x = torch.randn(1, 4, 3, 3), torch.randn(2, 4, 6, 6)
    expected = F.conv2d(x, z)
    last = x.contiguous(memory_format=torch.channels_last)
    torch.testing.assert_close(cross_correlate(z, last), expected, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("z", [(1, 3, 2, 2), (1, 2, 6, 2), (1, 2, 2, 6)])
def test_cross_correlation_names_shapes_that_do_not_fit(z):
    with pytest.raises(ShapeError, match="does not fit"):
        cross_correlate(torch.zeros(z), torch.zeros(1, 2, 5, 5))


def test_resized_response_keeps_the_coarse_cells_in_place():
    """Four fine cells of 4 px against two coarse of 8 px: every second cell is the same place."""
    coarse = torch.randn(1, 1, 9, 9, generator=torch.Generator().manual_seed(0))
    fine = resize_response(coarse, 17)
    torch.testing.assert_close(fine[..., ::2, ::2], coarse, atol=1e-5, rtol=1e-5)
    assert resize_response(fine, 17) is fine


def test_fusion_is_elementwise():
    first, second = torch.full((2, 1, 3, 3), 2.0), torch.full((2, 1, 3, 3), 10.0)
    weights = torch.linspace(0, 1, 9).view(3, 3)
    fused = fuse({"a": first, "b": second}, {"a": weights, "b": 1 - weights})
    torch.testing.assert_close(fused[1, 0], 10 - 8 * weights)
