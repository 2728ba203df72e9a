"""Matplotlib behind one door: figures without a display, without LaTeX, the same on every run.

Figures are made directly, not through ``pyplot``: nothing is registered globally, so nothing has
to be closed, no window system is touched and a user's own ``pyplot`` session stays as it was.
Matplotlib itself is imported on the first figure only: what draws raises MissingDependencyError
where it is not installed, and OSError where a folder cannot be written.
"""

import io
import os
import re
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from dsiam_plugin.io.files import atomic_write
from dsiam_plugin.io.versions import import_optional

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.projections.polar import PolarAxes
else:
    Axes = Figure = PolarAxes = Any

FORMATS = ("png", "pdf")
DPI = 150
LONGEST_NAME = 120  # characters; file systems take 255 bytes
UNSAFE = re.compile(r'[\x00-\x1f\x7f/\\:*?"<>|]|^\.+')

# Over matplotlib's defaults, so that no matplotlibrc or earlier call (pysot's own plotting module
# switches LaTeX on when imported) changes what is drawn.
STYLE = {
    "text.usetex": False,
    "text.parse_math": False,  # a dollar sign in a tracker's name is one
    "font.size": 10,
    "axes.titlesize": 12,
    "axes.titleweight": "bold",
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "grid.color": "#dddddd",
    "grid.linewidth": 0.8,
    "legend.frameon": False,
    "legend.fontsize": 9,
    "lines.linewidth": 1.8,
    "pdf.fonttype": 42,  # embedded TrueType: journals refuse the default Type 3
    "savefig.dpi": DPI,
}

# Matplotlib writes the clock and its version into files; two runs must give the same bytes.
METADATA: dict[str, dict[str, Any]] = {
    "png": {"Software": None},
    "pdf": {"CreationDate": None, "Creator": None, "Producer": None},
}


@contextmanager
def drawing() -> Iterator[None]:
    """Draws within the project's style and leaves the caller's settings as they were.

    Raises:
        MissingDependencyError: matplotlib is not installed.
    """
    import_optional("matplotlib", "plots")
    from matplotlib import style

    with style.context(STYLE, after_reset=True):
        yield


def new_figure(
    width: float, height: float, layout: Literal["constrained"] | None = "constrained"
) -> Figure:
    """An empty figure, sizes in inches; call it within :func:`drawing`.

    Args:
        width: The whole figure's, with the legend.
        height: The whole figure's.
        layout: Matplotlib's layout engine; None where the axes are placed by hand.
    """
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout=layout)


def encode(figure: Figure, form: str = "png", dpi: int = DPI) -> bytes:
    """The figure as the bytes of a ``png`` or ``pdf`` file, the same on every run."""
    stream = io.BytesIO()
    with drawing():
        figure.savefig(stream, format=form, dpi=dpi, bbox_inches="tight", metadata=METADATA[form])
    return stream.getvalue()


def plot_path(folder: str | os.PathLike[str], name: str, form: str = "png") -> Path:
    """File of a plot directly in ``folder``, whatever signs its name has.

    Names come from data sets (attributes, sequences): separators and other signs that file
    systems refuse become ``_``, followed by a checksum that keeps different names apart.
    """
    safe = UNSAFE.sub("_", name)[:LONGEST_NAME]
    if safe != name:
        safe = f"{safe}-{zlib.crc32(name.encode(errors='surrogatepass')):08x}"
    return Path(folder) / f"{safe}.{form}"


def save(
    figure: Figure,
    folder: str | os.PathLike[str] | None,
    name: str,
) -> list[Path]:
    """Writes the figure as PNG and PDF at :func:`plot_path`, each complete or not at all.

    Where ``folder`` is None nothing is written.

    Raises:
        OSError: The folder cannot be made or written.
    """
    if folder is None:
        return []
    paths = []
    for form in FORMATS:
        path = plot_path(folder, name, form)
        with atomic_write(path, "wb") as file:
            file.write(encode(figure, form))
        paths.append(path)
    return paths
