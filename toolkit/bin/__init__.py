"""Command lines of the toolkit, run as `python -m toolkit.bin.<name>`."""
