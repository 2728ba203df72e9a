"""Numbers on command lines, for argparse's `type=`."""

import argparse
import math


def workers(text: str) -> int:
    """A number of processes that a machine may have, or 0."""
    return _whole(text, 0, 1024)


def threads(text: str) -> int:
    """A number of threads that a machine may have."""
    return _whole(text, 1, 1024)


def positive(text: str) -> int:
    """A whole number from 1 to a million."""
    return _whole(text, 1, 1_000_000)


def positive_seconds(text: str) -> float:
    """A finite time above 0."""
    if not 0 < float(text) < math.inf:
        raise argparse.ArgumentTypeError(f"{text} is no time, expected seconds above 0")
    return float(text)


def _whole(text: str, least: int, most: int) -> int:
    if not least <= int(text) <= most:
        raise argparse.ArgumentTypeError(f"{text:.40}: expected a number from {least} to {most}")
    return int(text)
