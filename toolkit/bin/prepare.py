"""`python -m toolkit.bin.prepare`: the same as `dsiam prepare`."""

import sys

from dsiam_plugin.commands.prepare import main

__all__ = ["main"]

if __name__ == "__main__":
    sys.exit(main())
