import os
import signal

import pytest

from dsiam_plugin.training.run.distributed import Group
from dsiam_plugin.training.run.interrupts import Stopped, StopRequests


@pytest.mark.parametrize(
    ("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=["INT", "TERM"]
)
def test_the_first_signal_is_remembered(number, status):
    with StopRequests(Group()) as stops:
        assert stops.requested() == 0
        stops.raise_own()
        os.kill(os.getpid(), number)
        assert stops.requested() == number
        with pytest.raises(Stopped) as caught:
            stops.raise_own()
    assert caught.value.status == status


@pytest.fixture
def python_handles_sigint():
    """As in the foreground; a shell's background jobs begin with SIGINT ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("python_handles_sigint")
def test_the_second_signal_acts_at_once():
    with StopRequests(Group()):
        os.kill(os.getpid(), signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
