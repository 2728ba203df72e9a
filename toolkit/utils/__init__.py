"""Functions under pysot's import paths, for scripts written for it."""
