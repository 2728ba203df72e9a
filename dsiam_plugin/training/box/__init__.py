"""The box head and its features learn from pairs of frames."""
