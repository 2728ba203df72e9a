import sys

import pytest
import torch

from dsiam_plugin.training.joint.memory import MemoryMeter


@pytest.mark.skipif(sys.platform == "win32", reason="the system does not tell")
def test_growth_of_the_peak_in_bytes():
    """Whatever the peak was before, holding more than it for a moment raises it."""
    meter = MemoryMeter(torch.device("cpu"))
    assert meter.growth() == 0
    size = meter._start + 2**26
    block = torch.ones(size, dtype=torch.uint8)
    grown = meter.growth()
    del block
    assert 2**26 - 2**24 <= grown < size + 2**26
    assert meter.growth() >= grown  # a peak stays
