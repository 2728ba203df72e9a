"""``python -m dsiam_plugin.vot_client``: the tracker process, under the name of `trackers.ini`."""

import sys

from dsiam_plugin.vot.client import main

if __name__ == "__main__":
    sys.exit(main())
