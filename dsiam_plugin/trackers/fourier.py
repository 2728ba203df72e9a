"""Closed-form transforms in the Fourier domain (paper, sec. 3.2).

A transform is a circular filter per channel. Features are real, so spectra are kept as the half
that ``rfft2`` returns. Shapes: B batch, C channels, H and W the feature map's height and width.
All functions keep the precision of their input (float32 or float64) and its device.
"""

from __future__ import annotations

import torch
from torch import Tensor

from dsiam_plugin.errors import ShapeError


def solve_transform(source: Tensor, target: Tensor, regularizer: Tensor | float) -> Tensor:
    """Spectrum of the circular filter that best maps source to target (eq. 4, 6, 8).

    It is the ridge solution of ``argmin_R ||R * x - y||^2 + regularizer ||R||^2``, one channel and
    one frequency at a time: ``conj(X) Y / (|X|^2 + regularizer)``.

    Args:
        source: Features x, real, (B, C, H, W).
        target: Features y, same shape and dtype.
        regularizer: Ridge weight lambda, >= 0; a number or a tensor that broadcasts over
            (B, C, H, W // 2 + 1). It is compared with ``|X|^2``, the *unnormalised* power, so a
            weight per element has to be multiplied by ``H * W`` first.

    Returns:
        Complex half spectrum, (B, C, H, W // 2 + 1).

    Raises:
        ShapeError: If the two differ in shape.
    """
    if source.shape != target.shape:
        raise ShapeError(
            f"transform: source is {tuple(source.shape)}, target is {tuple(target.shape)}; "
            "expected equal shapes"
        )
    return solve_spectra(torch.fft.rfft2(source), torch.fft.rfft2(target), regularizer)


def solve_spectra(source_hat: Tensor, target_hat: Tensor, regularizer: Tensor | float) -> Tensor:
    """:func:`solve_transform` of features whose half spectra, (B, C, H, W // 2 + 1), are known."""
    power = source_hat.real.square() + source_hat.imag.square()
    return source_hat.conj() * target_hat / (power + regularizer)


def apply_transform(spectrum: Tensor, features: Tensor) -> Tensor:
    """Circular convolution of features with the filter of a half spectrum (eq. 2).

    Args:
        spectrum: Complex half spectrum, (B or 1, C, H, W // 2 + 1).
        features: Real features, (B, C, H, W).

    Returns:
        Real features, (B, C, H, W).

    Raises:
        ShapeError: If the spectrum is not the half spectrum of maps of that size.
    """
    height, width = features.shape[-2:]
    if spectrum.shape[-3:] != (features.shape[-3], height, width // 2 + 1):
        raise ShapeError(
            f"transform: spectrum {tuple(spectrum.shape)} does not fit features "
            f"{tuple(features.shape)}; expected (..., {features.shape[-3]}, {height}, "
            f"{width // 2 + 1})"
        )
    return torch.fft.irfft2(spectrum * torch.fft.rfft2(features), s=(height, width))


def padded_spectra(features: Tensor, size: tuple[int, int]) -> Tensor:
    """``rfft2`` of features (K, C, h, w) padded with zeros to ``size``, (H, W).

    The rows of zeros need no transform of their own, and they are most of them.

    Returns:
        Complex half spectra, (K, C, H, W // 2 + 1).
    """
    height, width = size
    return torch.fft.fft(torch.fft.rfft(features, n=width), n=height, dim=-2)


def correlate_spectra(
    z_hat: Tensor, x_hat: Tensor, size: tuple[int, int], exemplar_size: tuple[int, int]
) -> Tensor:
    """Valid cross-correlation of exemplars with search regions, each with each, by their spectra.

    The correlation theorem gives a circular correlation, ``conj(Z) X`` summed over channels. No
    exemplar reaches over the border at the displacements that are kept, so these are the valid
    ones (eq. 1), also where the exemplar's spectrum has been multiplied by a circular filter's.

    Args:
        z_hat: :func:`padded_spectra` of the exemplars, (K, C, H, W // 2 + 1).
        x_hat: Half spectra of search regions, (S, C, H, W // 2 + 1).
        size: ``(H, W)``.
        exemplar_size: ``(h, w)`` before padding.

    Returns:
        (S, K, H - h + 1, W - w + 1).
    """
    sums = torch.stack([(item.conj() * x_hat).sum(1) for item in z_hat], dim=1)
    rows, columns = (whole - part + 1 for whole, part in zip(size, exemplar_size, strict=True))
    return torch.fft.irfft2(sums, s=size)[..., :rows, :columns]


def spectral_energy(power: Tensor, width: int) -> Tensor:
    """Sum over a whole spectrum of which only the half is kept: a number.

    By Parseval's theorem it is ``H * W`` times the sum of the squared features.

    Args:
        power: Squared magnitudes, (..., H, width // 2 + 1).
        width: Of the features. Columns whose conjugates the half leaves out count twice: all but
            the first and, for an even width, the last.
    """
    columns = power.flatten(0, -2).sum(0)
    return 2 * columns.sum() - columns[0] - (columns[-1] if width % 2 == 0 else 0)


def hann_window(
    size: int, dtype: torch.dtype = torch.float32, device: torch.device | None = None
) -> Tensor:
    """Outer product of two symmetric Hann windows, (size, size), in [0, 1]; its border is zero."""
    window = torch.hann_window(size, periodic=False, dtype=torch.float64, device=device)
    return torch.outer(window, window).to(dtype)
