"""``python -m dsiam_plugin`` is ``dsiam``."""

import sys

from dsiam_plugin.commands.main import main

sys.exit(main())
