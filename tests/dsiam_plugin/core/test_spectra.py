import numpy as np
import pytest
import torch

from dsiam_plugin.core.spectra import COMPLEX, PAIRS

FORMS = pytest.mark.parametrize("spectra", [COMPLEX, PAIRS], ids=["complex", "pairs"])

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


def as_complex(pairs: torch.Tensor, like: torch.Tensor) -> torch.Tensor:
    """Pairs (..., H // 2 + 1, W, 2, C) as half spectra (..., C, H, W // 2 + 1) of the whole one."""
    half = torch.complex(*pairs.unbind(-2)).movedim(-1, -3)
    height, (width, columns) = like.shape[-2], (pairs.shape[-3], like.shape[-1])
    row, column = torch.meshgrid(torch.arange(height), torch.arange(columns), indexing="ij")
    mirrored = half[..., -row % height % half.shape[-2], -column % width].conj()
    return torch.where(row < half.shape[-2], half[..., row % half.shape[-2], column], mirrored)


@FORMS
@pytest.mark.parametrize("size", [(6, 6), (7, 5), (1, 4)])
def test_convolve_is_circular_convolution(spectra, size):
    filters, features = random(3, *size), random(3, *size, seed=1)
    ours = spectra.convolve(spectra.forward(filters)[None], features[None])[0]
    np.testing.assert_allclose(
        ours.numpy(), naive_convolution(filters.numpy(), features.numpy()), atol=1e-12
    )


@FORMS
def test_impulse_shows_convolution_and_not_correlation(spectra):
    kernel = torch.arange(1.0, 10.0, dtype=torch.float64).reshape(3, 3)
    filters = torch.zeros(1, 1, 7, 7, dtype=torch.float64)
    filters[0, 0, :3, :3] = kernel
    impulse = torch.zeros(1, 1, 7, 7, dtype=torch.float64)
    impulse[0, 0, 2, 3] = 1
    out = spectra.convolve(spectra.forward(filters), impulse)
    torch.testing.assert_close(out[0, 0, 2:5, 3:6], kernel)  # correlation would rotate it by 180°
    assert out.abs().sum().item() == pytest.approx(45)


@FORMS
@pytest.mark.parametrize("size", [(6, 6), (5, 4)])
@pytest.mark.parametrize("regularizer", [1e-3, 2.0])
def test_solution_is_the_ridge_regression(spectra, size, regularizer):
    source, target = random(2, *size), random(2, *size, seed=1)
    spectrum = spectra.learn(source[None], target[None], regularizer)
    filters = spectra.inverse(spectrum, size)[0].numpy()
    for channel in range(2):
        expected = naive_solution(source[channel].numpy(), target[channel].numpy(), regularizer)
        np.testing.assert_allclose(filters[channel], expected, atol=1e-10)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_known_filter_is_recovered(size, dtype):
    features, filters = random(1, 4, *size), random(1, 4, *size, seed=1)
    source = features.to(dtype)
    target = COMPLEX.convolve(torch.fft.rfft2(filters), features).to(dtype)
    spectrum = COMPLEX.learn(source, target, 1e-12)
    recovered = torch.fft.irfft2(spectrum, s=size)
    tolerance = 1e-6 if dtype == torch.float64 else 2e-2
    assert recovered.dtype == dtype
    assert (recovered - filters).norm() / filters.norm() < tolerance


def test_each_channel_has_its_own_filter():
    source = random(1, 2, 6, 6)
    target = torch.cat([source[:, :1], 3 * source[:, 1:].roll(1, dims=-1)], dim=1)
    out = COMPLEX.convolve(COMPLEX.learn(source, target, 1e-12), source)
    torch.testing.assert_close(out, target, atol=1e-6, rtol=1e-6)


def test_large_regularizer_removes_the_features():
    source = random(1, 1, 6, 6)
    out = COMPLEX.convolve(COMPLEX.learn(source, source, 1e12), source)
    assert out.abs().max() < 1e-8


@pytest.mark.parametrize("size", [(6, 6), (7, 5), (5, 8)])
def test_pairs_are_the_complex_spectra(size):
    maps, small = random(2, 3, *size), random(2, 3, 3, 2, seed=1)
    for ours, theirs in (
        (PAIRS.forward(maps), torch.fft.rfft2(maps)),
        (PAIRS.forward(small, size), torch.fft.rfft2(small, s=size)),
        (COMPLEX.forward(small, size), torch.fft.rfft2(small, s=size)),
    ):
        ours = ours if ours.is_complex() else as_complex(ours, theirs)
        torch.testing.assert_close(ours, theirs, atol=1e-12, rtol=0)
    torch.testing.assert_close(PAIRS.inverse(PAIRS.forward(maps), size), maps, atol=1e-12, rtol=0)


@FORMS
@pytest.mark.parametrize("size", SIZES)
def test_energy_is_that_of_the_filtered_maps(spectra, size):
    features, filters = random(2, 4, 3, *size), random(2, 3, *size, seed=1)
    spectrum = spectra.forward(filters)
    expected = spectra.convolve(spectrum[:, None], features).square().sum(dim=(1, 2, 3, 4))
    energy = spectra.energy(spectra.forward(features), spectra.power(spectrum), size)
    torch.testing.assert_close(energy, expected)


def test_features_transformed_without_a_gradient_leave_others_one():
    """The matrices are kept: made where nothing has a gradient, they serve where something has."""
    with torch.inference_mode():
        PAIRS.forward(random(1, 9, 9))
    maps = random(1, 9, 9).requires_grad_()
    PAIRS.forward(maps).square().sum().backward()
    assert maps.grad is not None
