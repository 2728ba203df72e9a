"""The two layers of joint training, differentiated in closed form (paper, sec. 3.5).

``RegularizedLinearRegression`` learns a circular filter (eq. 4), ``CircularConvolution`` applies it
(eq. 2). Both keep nothing but their inputs for the backward pass: spectra are computed again there,
which costs two transforms and saves the memory of all complex intermediates.

Shapes: B clips, C channels, H and W the feature map's height and width. Hats are half spectra of
``rfft2``, (B, C, H, W // 2 + 1); N = H W. Gradients of a complex tensor are PyTorch's: ``dL =
Re(conj(gradient) d)``. An inner column of a half spectrum stands for two of the whole one, so with
w = 1 for the columns 0 and (even W) W / 2 and w = 2 for all others, the adjoint of ``rfft2`` is
``irfft2(N / w .)`` and that of ``irfft2`` is ``w / N rfft2(.)``.

Half precision inputs are transformed in float32, so autocast may be on; float64 stays.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from dsiam_plugin.config import TransformConfig
from dsiam_plugin.errors import ShapeError
from dsiam_plugin.trackers.adaptation import windowed
from dsiam_plugin.trackers.fourier import apply_transform, solve_transform


class RegularizedLinearRegression(torch.autograd.Function):
    """Half spectrum of the ridge filter from a source to a target.

    With ``U = 1 / (|X|^2 + lambda)`` and ``R = conj(X) Y U``, a gradient G of R gives::

        dL/dY      = U X G                                   (eq. 12 prints conj(X))
        dL/dX      = U^2 (lambda Y conj(G) - X^2 conj(Y) G)  (eq. 15 prints a part of it)
        dL/dlambda = -sum Re(conj(G) R U)                    (eq. 13)

    ``gradcheck`` confirms these and refuses the printed forms.
    """

    @staticmethod
    def forward(ctx: Any, source: Tensor, target: Tensor, regularizer: Tensor) -> Tensor:
        """Filter of real ``source`` and ``target`` (B, C, H, W); ``regularizer`` broadcasts."""
        ctx.save_for_backward(source, target, regularizer)
        return solve_transform(_single(source), _single(target), regularizer)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, Tensor | None, Tensor | None]:
        """Gradients of source, target and regularizer."""
        source, target, regularizer = ctx.saved_tensors
        x_hat, y_hat = torch.fft.rfft2(_single(source)), torch.fft.rfft2(_single(target))
        gain = 1 / (x_hat.real.square() + x_hat.imag.square() + regularizer)
        pulled = grad * gain
        grad_source = grad_target = grad_regularizer = None
        if ctx.needs_input_grad[0]:
            first = regularizer * y_hat * pulled.conj()
            second = x_hat.square() * y_hat.conj() * pulled
            grad_source = _rfft2_adjoint(gain * (first - second), source)
        if ctx.needs_input_grad[1]:
            grad_target = _rfft2_adjoint(x_hat * pulled, target)
        if ctx.needs_input_grad[2]:
            slope = -(pulled.conj() * x_hat.conj() * y_hat * gain).real
            grad_regularizer = slope.sum_to_size(regularizer.shape).to(regularizer.dtype)
        return grad_source, grad_target, grad_regularizer


class CircularConvolution(torch.autograd.Function):
    """Circular convolution of features x with the filter of a half spectrum R.

    A gradient g of the output, ``O = irfft2(R X)``, gives with its spectrum G::

        dL/dR = w / N conj(X) G      (eq. 11 prints X)
        dL/dx = irfft2(conj(R) G)    (eq. 15's last term prints R)
    """

    @staticmethod
    def forward(ctx: Any, spectrum: Tensor, features: Tensor) -> Tensor:
        """Output (B, C, H, W) of ``spectrum`` (B or 1, ...) and real ``features`` (B, C, H, W)."""
        ctx.save_for_backward(spectrum, features)
        return apply_transform(spectrum, _single(features))

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, Tensor | None]:
        """Gradients of spectrum and features."""
        spectrum, features = ctx.saved_tensors
        grad_hat = torch.fft.rfft2(grad)
        grad_spectrum = grad_features = None
        if ctx.needs_input_grad[0]:
            weights = _half_weights(features, grad.dtype) / features[0, 0].numel()
            product = weights * torch.fft.rfft2(_single(features)).conj() * grad_hat
            grad_spectrum = product.sum_to_size(spectrum.shape)
        if ctx.needs_input_grad[1]:
            moved = torch.fft.irfft2(spectrum.conj() * grad_hat, s=features.shape[-2:])
            grad_features = moved.to(features.dtype)
        return grad_spectrum, grad_features


def regress(source: Tensor, target: Tensor, regularizer: Tensor) -> Tensor:
    """Differentiable :func:`dsiam_plugin.trackers.fourier.solve_transform`.

    Args:
        source: Real features, (B, C, H, W).
        target: Real features, same shape.
        regularizer: Ridge weight lambda, > 0; () for one a layer or (C, 1, 1) for one a channel.

    Returns:
        Complex half spectrum, (B, C, H, W // 2 + 1).

    Raises:
        ShapeError: If source and target differ in shape, or the regularizer does not broadcast.
    """
    half = (*source.shape[:-1], source.shape[-1] // 2 + 1)
    try:
        fits = torch.broadcast_shapes(regularizer.shape, half) == half
    except RuntimeError:
        fits = False
    if not fits:
        raise ShapeError(f"regularizer {tuple(regularizer.shape)}: does not broadcast to {half}")
    return RegularizedLinearRegression.apply(source, target, regularizer)


def convolve(spectrum: Tensor, features: Tensor) -> Tensor:
    """Differentiable :func:`dsiam_plugin.trackers.fourier.apply_transform`.

    Args:
        spectrum: Complex half spectrum, (B or 1, C, H, W // 2 + 1).
        features: Real features, (B, C, H, W).

    Returns:
        Real features, (B, C, H, W).

    Raises:
        ShapeError: If the spectrum is not the half spectrum of maps of that size.
    """
    return CircularConvolution.apply(spectrum, features)


def learn_transform(
    source: Tensor, target: Tensor, log_regularizer: Tensor, config: TransformConfig
) -> Tensor:
    """Filter from source to target in a configuration's mode (eq. 6, 8).

    The differentiable twin of ``adaptation.learn_transform``: B clips at a time,
    and log(lambda) in place of lambda, which stays positive whatever a gradient step does.

    Args:
        source: Real features, (B, C, H, W).
        target: Real features, same shape.
        log_regularizer: Logarithm of the ridge weight, () or (C, 1, 1).
        config: Whether the ridge weight is per element, and whether there is a window.
    """
    regularizer = log_regularizer.exp()
    if config.per_element:
        regularizer = regularizer * (source.shape[-2] * source.shape[-1])
    return regress(windowed(source, config), windowed(target, config), regularizer)


def mix_transform(
    spectrum: Tensor, features: Tensor, rate: Tensor, config: TransformConfig
) -> Tensor:
    """``(1 - rate) x + rate R * (h x)`` for features x (eq. 2), each clip by itself.

    The differentiable twin of :func:`dsiam_plugin.trackers.adaptation.mix_transform`.

    Args:
        spectrum: Half spectrum of R, (B, C, H, W // 2 + 1).
        features: Real features x, (B, C, H, W).
        rate: Share of the moved features, ().
        config: Whether there is a window h, and whether R * (h x) is brought to the norm of x.
    """
    moved = convolve(spectrum, windowed(features, config))
    if config.keep_norm:
        norm = torch.linalg.vector_norm(moved, dim=(1, 2, 3), keepdim=True)
        own = torch.linalg.vector_norm(features, dim=(1, 2, 3), keepdim=True)
        moved = moved * (own / norm.clamp_min(torch.finfo(moved.dtype).tiny))
    return torch.lerp(features, moved, rate)


def _single(features: Tensor) -> Tensor:
    """At least float32: no Fourier transform works in bfloat16."""
    return features.to(torch.promote_types(features.dtype, torch.float32))


def _half_weights(features: Tensor, dtype: torch.dtype) -> Tensor:
    """How many columns of the whole spectrum each of the half one stands for, (W // 2 + 1,)."""
    width = features.shape[-1]
    weights = torch.full((width // 2 + 1,), 2, dtype=dtype, device=features.device)
    weights[0] = 1
    if width % 2 == 0:
        weights[-1] = 1
    return weights


def _rfft2_adjoint(grad_hat: Tensor, features: Tensor) -> Tensor:
    """Gradient of real features from that of their half spectrum."""
    scale = features[0, 0].numel() / _half_weights(features, grad_hat.real.dtype)
    return torch.fft.irfft2(grad_hat * scale, s=features.shape[-2:]).to(features.dtype)
