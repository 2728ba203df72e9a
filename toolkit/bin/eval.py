"""`python -m toolkit.bin.eval`: the same as `dsiam eval`."""

import sys

from dsiam_plugin.commands.eval import main

__all__ = ["main"]

if __name__ == "__main__":
    sys.exit(main())
