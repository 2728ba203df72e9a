"""``python -m dsiam_plugin`` is ``dsiam``."""

import sys

from dsiam_plugin.cli import main

sys.exit(main())
