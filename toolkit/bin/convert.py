"""`python -m toolkit.bin.convert`: the same as `dsiam convert`."""

import sys

from dsiam_plugin.commands.convert import main

__all__ = ["main"]

if __name__ == "__main__":
    sys.exit(main())
