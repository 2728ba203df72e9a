"""Half spectra of real maps, in two forms with the same verbs.

The features are real, so the half that ``rfft2`` gives says all: K = W // 2 + 1 columns. Products
of spectra are circular convolutions. :class:`Complex` holds complex tensors and uses the library's
transforms: trackers and training. :class:`Pairs` holds real tensors and uses matrix products alone,
for runtimes without complex numbers.

Shapes: maps (..., H, W); ``size`` is ``(H, W)``. Both keep the precision and device of their input.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from functools import lru_cache

import torch
import torch.nn.functional as F
from torch import Tensor


class Spectra(ABC):
    """The verbs. Spectra are opaque: only a form's own methods look inside."""

    @abstractmethod
    def forward(self, maps: Tensor, size: tuple[int, int] | None = None) -> Tensor:
        """Half spectra of maps, padded with zeros to ``size`` where one is given."""

    @abstractmethod
    def inverse(self, spectra: Tensor, size: tuple[int, int]) -> Tensor:
        """Maps (..., H, W) of half spectra."""

    @abstractmethod
    def times(self, first: Tensor, second: Tensor) -> Tensor:
        """Spectra of circular convolutions."""

    @abstractmethod
    def conjugate(self, spectra: Tensor) -> Tensor:
        """Spectra of the maps mirrored at their first cell."""

    @abstractmethod
    def power(self, spectra: Tensor) -> Tensor:
        """Squared magnitudes, real, (..., H, K)."""

    @abstractmethod
    def blended(self, spectra: Tensor, share: Tensor) -> Tensor:
        """``(1 - share) + share R``: filters R that leave a part of their input alone.

        Args:
            spectra: Of the filters.
            share: In [0, 1], float64, broadcast over the spectra.
        """

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
    """Half spectra as complex tensors (..., H, K)."""

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

    def conjugate(self, spectra: Tensor) -> Tensor:
        """See :meth:`Spectra.conjugate`."""
        return spectra.conj()

    def power(self, spectra: Tensor) -> Tensor:
        """See :meth:`Spectra.power`."""
        return spectra.real.square() + spectra.imag.square()

    def blended(self, spectra: Tensor, share: Tensor) -> Tensor:
        """See :meth:`Spectra.blended`."""
        dtype = spectra.real.dtype
        return (1 - share).to(dtype) + share.to(dtype) * spectra

    def solve(self, source: Tensor, target: Tensor, ridge: Tensor | float) -> Tensor:
        """See :meth:`Spectra.solve`."""
        return source.conj() * target / (self.power(source) + ridge)


class Pairs(Spectra):
    """Half spectra as real tensors (..., 2 H, K): H rows of real parts above H of imaginary ones.

    For maps of some twenty cells the matrix products are as fast as a Fourier transform.
    """

    def correlate(self, z_feat: Tensor, x_feat: Tensor) -> Tensor:
        """See :meth:`Spectra.correlate`; by convolution, for want of strided views."""
        targets, count = z_feat.shape[:2]
        maps = x_feat.transpose(0, 1).flatten(1, 2)  # each target's channels are a group
        responses = F.conv2d(maps, z_feat.flatten(0, 1), groups=targets)
        return responses.unflatten(1, (targets, count)).transpose(0, 1)

    def forward(self, maps: Tensor, size: tuple[int, int] | None = None) -> Tensor:
        """See :meth:`Spectra.forward`."""
        height, width = maps.shape[-2:]
        full_height, full_width = size or (height, width)
        rows, columns = _turns(full_height), _half_turns(full_width)
        across = maps @ columns[:, :width].mT.to(maps)  # (..., h, 2 K): real, imaginary
        real, imaginary = across.chunk(2, dim=-1)
        stacked = torch.cat([real, imaginary], dim=-2)
        cosine, sine = (part[:, :height] for part in rows)
        down = torch.cat([torch.cat([cosine, sine], 1), torch.cat([-sine, cosine], 1)])
        return down.to(maps) @ stacked

    def inverse(self, spectra: Tensor, size: tuple[int, int]) -> Tensor:
        """See :meth:`Spectra.inverse`."""
        height, width = size
        cosine, sine = _turns(height)
        up = torch.cat([torch.cat([cosine, -sine], 1), torch.cat([sine, cosine], 1)]) / height
        real, imaginary = (up.to(spectra) @ spectra).chunk(2, dim=-2)
        columns = _half_turns(width)
        half = len(columns) // 2
        # Columns whose mirror image the half leaves out count twice.
        twice = torch.where(2 * torch.arange(half) % width == 0, 1.0, 2.0).double()
        back = columns * torch.cat([twice, twice])[:, None] / width
        return torch.cat([real, imaginary], dim=-1) @ back.to(spectra)

    def times(self, first: Tensor, second: Tensor) -> Tensor:
        """See :meth:`Spectra.times`."""
        (a, b), (c, d) = first.chunk(2, dim=-2), second.chunk(2, dim=-2)
        return torch.cat([a * c - b * d, a * d + b * c], dim=-2)

    def conjugate(self, spectra: Tensor) -> Tensor:
        """See :meth:`Spectra.conjugate`."""
        real, imaginary = spectra.chunk(2, dim=-2)
        return torch.cat([real, -imaginary], dim=-2)

    def power(self, spectra: Tensor) -> Tensor:
        """See :meth:`Spectra.power`."""
        real, imaginary = spectra.chunk(2, dim=-2)
        return real.square() + imaginary.square()

    def blended(self, spectra: Tensor, share: Tensor) -> Tensor:
        """See :meth:`Spectra.blended`."""
        real, imaginary = spectra.chunk(2, dim=-2)
        share = share.to(spectra.dtype)
        return torch.cat([(1 - share) + share * real, share * imaginary], dim=-2)

    def solve(self, source: Tensor, target: Tensor, ridge: Tensor | float) -> Tensor:
        """See :meth:`Spectra.solve`."""
        power = self.power(source) + ridge
        return self.times(self.conjugate(source), target) / torch.cat([power, power], dim=-2)


COMPLEX = Complex()
PAIRS = Pairs()


def energy(power: Tensor, width: int) -> Tensor:
    """Energy of each target's features from half spectra: ``H W`` times the sum of squares.

    By Parseval's theorem. Columns whose conjugates the half leaves out count twice: all but the
    first and, for an even width, the last.

    Args:
        power: Squared magnitudes, (N, ..., H, width // 2 + 1).
        width: Of the features.

    Returns:
        (N,).
    """
    columns = power.flatten(1, -2).sum(1)
    last = columns[:, -1] if width % 2 == 0 else 0
    return 2 * columns.sum(1) - columns[:, 0] - last


@lru_cache(maxsize=16)
def _turns(size: int) -> tuple[Tensor, Tensor]:
    """Cosines and sines of ``2 pi j k / size``, (size, size) float64 each."""
    index = torch.arange(size, dtype=torch.float64)
    angles = 2 * torch.pi * torch.outer(index, index) / size
    return angles.cos(), angles.sin()


@lru_cache(maxsize=16)
def _half_turns(size: int) -> Tensor:
    """Rows that give the real and the imaginary parts of a half spectrum, (2 K, size)."""
    cosine, sine = (part[: size // 2 + 1] for part in _turns(size))
    return torch.cat([cosine, -sine])
