"""``python -m dsiam_plugin.training`` is ``dsiam train``."""

import sys

from dsiam_plugin.commands.main import main

sys.exit(main(["train", *sys.argv[1:]]))
