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

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from dsiam_plugin.core.spectra import COMPLEX, Complex


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
        """Filter of real ``source`` and ``target`` (..., C, H, W); ``regularizer`` broadcasts."""
        ctx.save_for_backward(source, target, regularizer)
        return COMPLEX.learn(_single(source), _single(target), regularizer)

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
        """Output of real ``features`` (..., C, H, W), a ``spectrum`` broadcast over theirs."""
        ctx.save_for_backward(spectrum, features)
        return COMPLEX.convolve(spectrum, _single(features))

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, Tensor | None]:
        """Gradients of spectrum and features."""
        spectrum, features = ctx.saved_tensors
        grad_hat = torch.fft.rfft2(grad)
        grad_spectrum = grad_features = None
        if ctx.needs_input_grad[0]:
            weights = _half_weights(features, grad.dtype) / _cells(features)
            product = weights * torch.fft.rfft2(_single(features)).conj() * grad_hat
            grad_spectrum = product.sum_to_size(spectrum.shape)
        if ctx.needs_input_grad[1]:
            moved = torch.fft.irfft2(spectrum.conj() * grad_hat, s=features.shape[-2:])
            grad_features = moved.to(features.dtype)
        return grad_spectrum, grad_features


class ClosedForm(Complex):
    """Spectra whose two layers are differentiated in closed form."""

    def learn(self, source: Tensor, target: Tensor, ridge: Tensor | float) -> Tensor:
        """Half spectra of the ridge filters from source to target (eq. 4).

        Args:
            source: Real features, (..., C, H, W).
            target: Real features, same shape.
            ridge: Weight, > 0; () for one a layer or (C, 1, 1) for one a channel.

        Returns:
            Complex half spectra, (..., C, H, W // 2 + 1).
        """
        weight = torch.as_tensor(ridge, device=source.device)
        return RegularizedLinearRegression.apply(source, target, weight)

    def convolve(self, spectra: Tensor, maps: Tensor) -> Tensor:
        """Circular convolutions of features with the filters of spectra (eq. 2).

        Args:
            spectra: Complex half spectra that broadcast over the maps'.
            maps: Real features, (..., C, H, W).
        """
        return CircularConvolution.apply(spectra, maps)


CLOSED_FORM = ClosedForm()


def _single(features: Tensor) -> Tensor:
    """At least float32: no Fourier transform works in bfloat16."""
    return features.to(torch.promote_types(features.dtype, torch.float32))


def _cells(features: Tensor) -> int:
    return features.shape[-2] * features.shape[-1]


def _half_weights(features: Tensor, dtype: torch.dtype) -> Tensor:
    """Columns of the whole spectrum that each of the half one stands for, (W // 2 + 1,)."""
    width = features.shape[-1]
    weights = torch.full((width // 2 + 1,), 2, dtype=dtype, device=features.device)
    weights[0] = 1
    if width % 2 == 0:
        weights[-1] = 1
    return weights


def _rfft2_adjoint(grad_hat: Tensor, features: Tensor) -> Tensor:
    """Gradient of real features from that of their half spectrum."""
    scale = _cells(features) / _half_weights(features, grad_hat.real.dtype)
    return torch.fft.irfft2(grad_hat * scale, s=features.shape[-2:]).to(features.dtype)
