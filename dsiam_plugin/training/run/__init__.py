"""A training run: its loop, checkpoints, records and validation."""
