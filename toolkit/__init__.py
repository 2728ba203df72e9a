"""pysot's import paths and command lines: a face of :mod:`dsiam_plugin.evaluation`."""
