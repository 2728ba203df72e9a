"""Numbers on command lines, for argparse's `type=`."""

import argparse


def natural(text: str) -> int:
    """A whole number from 0 on."""
    return _at_least(0, text)


def positive(text: str) -> int:
    """A whole number from 1 on."""
    return _at_least(1, text)


def positive_seconds(text: str) -> float:
    """A time above 0."""
    if not float(text) > 0:
        raise argparse.ArgumentTypeError(f"{text} is no time, expected seconds above 0")
    return float(text)


def _at_least(least: int, text: str) -> int:
    if int(text) < least:
        raise argparse.ArgumentTypeError(f"{text} is too small, expected {least} or more")
    return int(text)
