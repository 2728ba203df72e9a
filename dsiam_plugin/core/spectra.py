"""Half spectra of real maps, in two forms with the same verbs.

The features are real, so one half of their spectra says all. Products of spectra are circular
convolutions. :class:`Pairs` holds real tensors and transforms them by matrix products: trackers on
a CPU and runtimes without complex numbers. :class:`Complex` holds complex tensors and uses the
library's transforms: trackers on a GPU and training.

Shapes: N targets, S search windows, K exemplars; maps (..., C, H, W); ``size`` is ``(H, W)``. Both
keep the precision and device of their input.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from functools import lru_cache

import torch
import torch.nn.functional as F
from torch import Tensor

from dsiam_plugin.core.state import column


class Spectra(ABC):
    """The verbs. Spectra are opaque: only a form's own methods look inside."""

    @abstractmethod
    def forward(self, maps: Tensor, size: tuple[int, int] | None = None) -> Tensor:
        """Half spectra of maps, padded with zeros to ``size`` where one is given."""

    @abstractmethod
    def inverse(self, spectra: Tensor, size: tuple[int, int]) -> Tensor:
        """Maps (..., C, H, W) of half spectra."""

    @abstractmethod
    def times(self, first: Tensor, second: Tensor) -> Tensor:
        """Spectra of circular convolutions."""

    @abstractmethod
    def against(self, first: Tensor, second: Tensor) -> Tensor:
        """``conj(first) second``: spectra of circular correlations of second with first."""

    @abstractmethod
    def blended(self, spectra: Tensor, share: Tensor, factor: Tensor) -> Tensor:
        """``(1 - share) + factor R``: filters R that leave a part of their input alone.

        Args:
            spectra: Of the filters R (N, C, H, W).
            share: What they take part in, (N,).
            factor: Of their own output, (N,).
        """

    @abstractmethod
    def power(self, spectra: Tensor) -> Tensor:
        """Squared magnitudes, real."""

    @abstractmethod
    def solve(self, source: Tensor, target: Tensor, ridge: Tensor | float) -> Tensor:
        """Spectra of the circular filters that best map source to target (eq. 4, 6, 8).

        They are the ridge solutions of ``argmin_R ||R * x - y||^2 + ridge ||R||^2``, one channel
        and one frequency at a time: ``conj(X) Y / (|X|^2 + ridge)``.

        Args:
            source: Half spectra X.
            target: Half spectra Y, of the same shape.
            ridge: Weight against ``|X|^2``, the *unnormalised* power, >= 0.
        """

    @abstractmethod
    def energy(self, spectra: Tensor, gain: Tensor, size: tuple[int, int]) -> Tensor:
        """Sums of squares of each target's filtered maps, from their half spectra, (N,).

        By Parseval's theorem. Frequencies whose conjugates the half leaves out count twice.

        Args:
            spectra: Of maps (N, S, C, H, W).
            gain: :meth:`power` of filters (N, C, H, W).
            size: Of the maps.
        """

    @abstractmethod
    def sums(self, z_hat: Sequence[Tensor], x_hat: Tensor, size: tuple[int, int]) -> Tensor:
        """Circular correlations (N, S, K, H, W), summed over channels (eq. 1).

        Args:
            z_hat: Of exemplars (N, C, H, W), K of them.
            x_hat: Of search windows (N, S, C, H, W).
            size: Of the maps.
        """

    def learn(self, source: Tensor, target: Tensor, ridge: Tensor | float) -> Tensor:
        """:meth:`solve` of real maps of one shape."""
        return self.solve(self.forward(source), self.forward(target), ridge)

    def convolve(self, spectra: Tensor, maps: Tensor) -> Tensor:
        """Circular convolution of real maps with the filters of spectra (eq. 2)."""
        height, width = maps.shape[-2:]
        return self.inverse(self.times(spectra, self.forward(maps)), (height, width))

    def correlate(self, z_feat: Tensor, x_feat: Tensor) -> Tensor:
        """Valid correlations (N, S, K, m, m) of (N, K, C, h, w) with (N, S, C, H, W) (eq. 1).

        One matrix product gives what every cell of the exemplars answers to every cell of the
        search windows; shifted by its place in the exemplar and summed, that is the correlation.
        These are more operations than ``F.conv2d`` does, but at ten times the rate on a CPU: a
        convolution with one output channel loads everything for a single use.
        """
        targets, count, channels, height, width = z_feat.shape
        scales, (rows, columns) = x_feat.shape[1], x_feat.shape[-2:]
        # (N, 1, K h w, C) @ (N, S, C, H W) -> (N, S, K h w, H W)
        cells = z_feat.permute(0, 1, 3, 4, 2).reshape(targets, 1, -1, channels)
        answers = (cells @ x_feat.flatten(3)).contiguous()
        # Element (n, s, k, i, j, a, b) is what exemplar cell (a, b) answers to cell (i + a, j + b).
        area = rows * columns
        one = height * width * area
        shape = (targets, scales, count, rows - height + 1, columns - width + 1, height, width)
        apart = (width * area + columns, area + 1)
        strides = (scales * count * one, count * one, one, columns, 1, *apart)
        return answers.as_strided(shape, strides).sum((-2, -1))


class Complex(Spectra):
    """Half spectra as complex tensors (..., C, H, W // 2 + 1)."""

    def forward(self, maps: Tensor, size: tuple[int, int] | None = None) -> Tensor:
        """See :meth:`Spectra.forward`; rows of zeros are not transformed on their own."""
        if size is None:
            return torch.fft.rfft2(maps)
        return torch.fft.fft(torch.fft.rfft(maps, n=size[1]), n=size[0], dim=-2)

    def inverse(self, spectra: Tensor, size: tuple[int, int]) -> Tensor:
        """See :meth:`Spectra.inverse`."""
        return torch.fft.irfft2(spectra, s=size)

    def times(self, first: Tensor, second: Tensor) -> Tensor:
        """See :meth:`Spectra.times`."""
        return first * second

    def against(self, first: Tensor, second: Tensor) -> Tensor:
        """See :meth:`Spectra.against`."""
        return first.conj() * second

    def blended(self, spectra: Tensor, share: Tensor, factor: Tensor) -> Tensor:
        """See :meth:`Spectra.blended`."""
        return column(1 - share, spectra) + column(factor, spectra) * spectra

    def power(self, spectra: Tensor) -> Tensor:
        """See :meth:`Spectra.power`."""
        return spectra.real.square() + spectra.imag.square()

    def solve(self, source: Tensor, target: Tensor, ridge: Tensor | float) -> Tensor:
        """See :meth:`Spectra.solve`."""
        return self.against(source, target) / (self.power(source) + ridge)

    def energy(self, spectra: Tensor, gain: Tensor, size: tuple[int, int]) -> Tensor:
        """See :meth:`Spectra.energy`."""
        columns = (self.power(spectra).sum(1) * gain).flatten(1, -2).sum(1)
        last = columns[:, -1] if size[1] % 2 == 0 else 0
        return (2 * columns.sum(1) - columns[:, 0] - last) / (size[0] * size[1])

    def sums(self, z_hat: Sequence[Tensor], x_hat: Tensor, size: tuple[int, int]) -> Tensor:
        """See :meth:`Spectra.sums`."""
        products = [self.against(item[:, None], x_hat).sum(2) for item in z_hat]
        return self.inverse(torch.stack(products, dim=2), size)


class Pairs(Spectra):
    """Half spectra as real tensors (..., H // 2 + 1, W, 2, C): real and imaginary parts.

    For maps of some twenty cells two matrix products are as fast as a Fourier transform. With the
    channels last, as convolutions leave them, these are long rows, and the sums over channels are
    matrix products as well.
    """

    def forward(self, maps: Tensor, size: tuple[int, int] | None = None) -> Tensor:
        """See :meth:`Spectra.forward`."""
        height, width = maps.shape[-2:]
        rows, columns = size or (height, width)
        down = _halves(rows, height, maps.dtype, maps.device)
        across = _turns(columns, width, maps.dtype, maps.device)
        # (2 U, h) @ (..., h, w C): each frequency's real part above its imaginary one
        halves = (down @ maps.movedim(-3, -1).flatten(-2)).unflatten(-1, (width, -1))
        # (2 W, 2 w) @ (..., U, 2 w, C)
        return (across @ halves.unflatten(-3, (-1, 2)).flatten(-3, -2)).unflatten(-2, (-1, 2))

    def inverse(self, spectra: Tensor, size: tuple[int, int]) -> Tensor:
        """See :meth:`Spectra.inverse`."""
        height, width = size
        up = _halves(height, height, spectra.dtype, spectra.device, True)
        back = _turns(width, width, spectra.dtype, spectra.device, True)
        halves = back @ spectra.flatten(-3, -2)  # (2 W, 2 W) @ (..., U, 2 W, C)
        # (H, 2 U) @ (..., 2 U, W C)
        maps = up @ halves.unflatten(-2, (2, width)).flatten(-4, -3).flatten(-2)
        return maps.unflatten(-1, (width, -1)).movedim(-1, -3)

    def times(self, first: Tensor, second: Tensor) -> Tensor:
        """See :meth:`Spectra.times`."""
        return self._product(first, second, -1)

    def against(self, first: Tensor, second: Tensor) -> Tensor:
        """See :meth:`Spectra.against`."""
        return self._product(first, second, 1)

    def _product(self, first: Tensor, second: Tensor, sign: int) -> Tensor:
        """Products whose passes over memory are few, of first conjugated where ``sign`` is 1."""
        (a, b), (c, d) = first.unbind(-2), second.unbind(-2)
        # torch.broadcast_shapes says the same in ten times as long.
        product = second.new_empty(
            [max(pair) for pair in zip(first.shape, second.shape, strict=True)]
        )
        real, imaginary = product.unbind(-2)
        torch.mul(a, c, out=real).addcmul_(b, d, value=sign)
        torch.mul(a, d, out=imaginary).addcmul_(b, c, value=-sign)
        return product

    def blended(self, spectra: Tensor, share: Tensor, factor: Tensor) -> Tensor:
        """See :meth:`Spectra.blended`."""
        alone = torch.stack([1 - share, torch.zeros_like(share)], dim=1)[:, None, None, :, None]
        return torch.addcmul(alone, spectra, column(factor, spectra))

    def power(self, spectra: Tensor) -> Tensor:
        """See :meth:`Spectra.power`."""
        real, imaginary = spectra.unbind(-2)
        return torch.addcmul(real * real, imaginary, imaginary)

    def solve(self, source: Tensor, target: Tensor, ridge: Tensor | float) -> Tensor:
        """See :meth:`Spectra.solve`."""
        return self.against(source, target) / (self.power(source) + ridge).unsqueeze(-2)

    def energy(self, spectra: Tensor, gain: Tensor, size: tuple[int, int]) -> Tensor:
        """See :meth:`Spectra.energy`."""
        weights = (gain * _shares(size, gain.dtype, gain.device)).unsqueeze(-2)
        # One window after the other: what is multiplied is summed while it is in the cache.
        sums = [
            (item * weights).flatten(1).unsqueeze(1) @ item.flatten(1).unsqueeze(2)
            for item in spectra.unbind(1)
        ]
        return torch.cat(sums, dim=1).sum(dim=(1, 2))

    def sums(self, z_hat: Sequence[Tensor], x_hat: Tensor, size: tuple[int, int]) -> Tensor:
        """See :meth:`Spectra.sums`."""
        parts = torch.stack(list(z_hat), dim=-2).flatten(-3, -2).mT  # (N, U, W, C, 2 K)
        # (N, U, W, 2, C) @ (N, U, W, C, 2 K)
        products = torch.stack([item @ parts for item in x_hat.unbind(1)], dim=3)
        (a, b), (c, d) = (item.unflatten(-1, (2, -1)).unbind(-2) for item in products.unbind(-2))
        found = self.inverse(torch.stack([a + d, c - b], dim=-3).flatten(-2), size)
        return found.unflatten(1, (x_hat.shape[1], len(z_hat)))


class Portable(Pairs):
    """The same without strided views and without writing into views: for exported files."""

    def correlate(self, z_feat: Tensor, x_feat: Tensor) -> Tensor:
        """See :meth:`Spectra.correlate`; by convolution."""
        targets, count = z_feat.shape[:2]
        maps = x_feat.transpose(0, 1).flatten(1, 2)  # each target's channels are a group
        responses = F.conv2d(maps, z_feat.flatten(0, 1), groups=targets)
        return responses.unflatten(1, (targets, count)).transpose(0, 1)

    def _product(self, first: Tensor, second: Tensor, sign: int) -> Tensor:
        (a, b), (c, d) = first.unbind(-2), second.unbind(-2)
        return torch.stack([a * c + sign * (b * d), a * d - sign * (b * c)], dim=-2)


COMPLEX = Complex()
PAIRS = Pairs()
PORTABLE = Portable()


@lru_cache(maxsize=64)
@torch.inference_mode(False)
def _turns(
    size: int, cells: int, dtype: torch.dtype, device: torch.device, back: bool = False
) -> Tensor:
    """Matrix from real parts above imaginary ones of ``cells`` values to pairs of frequencies.

    (2 size, 2 cells). ``back`` is its inverse, with as many cells as frequencies.
    """
    frequencies, places = (torch.arange(n, dtype=torch.float64) for n in (size, cells))
    angles = 2 * torch.pi * torch.outer(frequencies, places) / size
    cosine, sine = angles.cos(), angles.sin()
    real, imaginary = torch.cat([cosine, sine], 1), torch.cat([-sine, cosine], 1)
    turns = torch.stack([real, imaginary], dim=1).flatten(0, 1)
    return (turns.mT / size if back else turns).contiguous().to(device, dtype)


@lru_cache(maxsize=64)
@torch.inference_mode(False)
def _halves(
    size: int, cells: int, dtype: torch.dtype, device: torch.device, back: bool = False
) -> Tensor:
    """The same for real values and the half frequencies, (2 (size // 2 + 1), cells)."""
    half = _turns(size, cells, torch.float64, torch.device("cpu"))[: size // 2 * 2 + 2, :cells]
    if back:
        half = half.mT * _shares((size, 1), torch.float64, half.device).view(-1).repeat_interleave(
            2
        )
    return half.contiguous().to(device, dtype)


@lru_cache(maxsize=64)
@torch.inference_mode(False)
def _shares(size: tuple[int, int], dtype: torch.dtype, device: torch.device) -> Tensor:
    """How many frequencies each of the half ones stands for, by the cells of a map, (U, 1, 1)."""
    index = torch.arange(size[0] // 2 + 1)
    counts = torch.where(2 * index % size[0] == 0, 1.0, 2.0).double()
    return (counts / (size[0] * size[1]))[:, None, None].to(device, dtype)
