import numpy as np
import pytest
import torch

from dsiam_plugin.errors import ShapeError
from dsiam_plugin.trackers.fourier import (
    apply_transform,
    correlate_spectra,
    hann_window,
    padded_spectra,
    solve_transform,
    spectral_energy,
)

SIZES = [(6, 6), (7, 5), (1, 4), (22, 22)]


def naive_convolution(filters: np.ndarray, features: np.ndarray) -> np.ndarray:
    """Circular convolution by its definition, one output element at a time; (C, H, W) each."""
    channels, height, width = features.shape
    out = np.zeros_like(features)
    for c, y, x in np.ndindex(channels, height, width):
        for v, u in np.ndindex(height, width):
            out[c, y, x] += filters[c, v, u] * features[c, (y - v) % height, (x - u) % width]
    return out


def naive_solution(source: np.ndarray, target: np.ndarray, regularizer: float) -> np.ndarray:
    """Ridge regression on the circulant matrix of one channel (H, W), without Fourier."""
    height, width = source.shape
    columns = [np.roll(source, (v, u), axis=(0, 1)).ravel() for v, u in np.ndindex(height, width)]
    matrix = np.stack(columns, axis=1)
    gram = matrix.T @ matrix + regularizer * np.eye(height * width)
    return np.linalg.solve(gram, matrix.T @ target.ravel()).reshape(height, width)


def random(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.mark.parametrize("size", [(6, 6), (7, 5), (1, 4)])
def test_apply_is_circular_convolution(size):
    filters, features = random(3, *size), random(3, *size, seed=1)
    ours = apply_transform(torch.fft.rfft2(filters)[None], features[None])[0]
    np.testing.assert_allclose(
        ours.numpy(), naive_convolution(filters.numpy(), features.numpy()), atol=1e-12
    )


def test_impulse_shows_convolution_and_not_correlation():
    kernel = torch.arange(1.0, 10.0, dtype=torch.float64).reshape(3, 3)
    filters = torch.zeros(1, 1, 7, 7, dtype=torch.float64)
    filters[0, 0, :3, :3] = kernel
    impulse = torch.zeros(1, 1, 7, 7, dtype=torch.float64)
    impulse[0, 0, 2, 3] = 1
    out = apply_transform(torch.fft.rfft2(filters), impulse)
    torch.testing.assert_close(out[0, 0, 2:5, 3:6], kernel)  # correlation would rotate it by 180°
    assert out.abs().sum().item() == pytest.approx(45)


@pytest.mark.parametrize("size", [(6, 6), (5, 4)])
@pytest.mark.parametrize("regularizer", [1e-3, 2.0])
def test_solution_is_the_ridge_regression(size, regularizer):
    source, target = random(2, *size), random(2, *size, seed=1)
    spectrum = solve_transform(source[None], target[None], regularizer)
    filters = torch.fft.irfft2(spectrum, s=size)[0].numpy()
    for channel in range(2):
        expected = naive_solution(source[channel].numpy(), target[channel].numpy(), regularizer)
        np.testing.assert_allclose(filters[channel], expected, atol=1e-10)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_known_filter_is_recovered(size, dtype):
    features, filters = random(1, 4, *size), random(1, 4, *size, seed=1)
    source = features.to(dtype)
    target = apply_transform(torch.fft.rfft2(filters), features).to(dtype)
    spectrum = solve_transform(source, target, 1e-12)
    recovered = torch.fft.irfft2(spectrum, s=size)
    tolerance = 1e-6 if dtype == torch.float64 else 2e-2
    assert recovered.dtype == dtype
    assert (recovered - filters).norm() / filters.norm() < tolerance


def test_each_channel_has_its_own_filter():
    source = random(1, 2, 6, 6)
    target = torch.cat([source[:, :1], 3 * source[:, 1:].roll(1, dims=-1)], dim=1)
    out = apply_transform(solve_transform(source, target, 1e-12), source)
    torch.testing.assert_close(out, target, atol=1e-6, rtol=1e-6)


def test_large_regularizer_removes_the_features():
    source = random(1, 1, 6, 6)
    out = apply_transform(solve_transform(source, source, 1e12), source)
    assert out.abs().max() < 1e-8


def test_hann_window_is_symmetric_with_zero_border():
    window = hann_window(6)
    np.testing.assert_allclose(window, np.outer(np.hanning(6), np.hanning(6)), atol=1e-7)
    assert window[0].max() == 0


def test_shapes_that_do_not_fit_are_named():
    with pytest.raises(ShapeError, match=r"\(1, 2, 6, 6\).*\(1, 3, 6, 6\)"):
        solve_transform(random(1, 2, 6, 6), random(1, 3, 6, 6), 1.0)
    with pytest.raises(ShapeError, match="expected"):
        apply_transform(torch.fft.rfft2(random(1, 2, 6, 6)), random(1, 2, 8, 8))


@pytest.mark.parametrize("size", [(6, 6), (7, 5), (5, 8)])
def test_correlation_by_spectra_is_the_valid_one(size):
    exemplars, regions = random(2, 3, 3, 2), random(4, 3, *size, seed=1)
    z_hat = padded_spectra(exemplars, size)
    torch.testing.assert_close(z_hat, torch.fft.rfft2(exemplars, s=size), atol=1e-12, rtol=0)
    ours = correlate_spectra(z_hat, torch.fft.rfft2(regions), size, (3, 2))
    expected = torch.nn.functional.conv2d(regions, exemplars)
    torch.testing.assert_close(ours, expected, atol=1e-12, rtol=0)


@pytest.mark.parametrize("size", SIZES)
def test_energy_of_half_a_spectrum(size):
    features = random(2, 3, *size)
    power = torch.fft.rfft2(features).abs().square()
    expected = features.square().sum() * size[0] * size[1]
    assert spectral_energy(power, size[1]).item() == pytest.approx(expected.item(), rel=1e-12)
