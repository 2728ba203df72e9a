"""`python -m toolkit.bin.test`: the same as `dsiam test`."""

import sys

from dsiam_plugin.commands.test import main

__all__ = ["main"]

if __name__ == "__main__":
    sys.exit(main())
