"""Stage one: the Siamese network learns from pairs of frames."""
