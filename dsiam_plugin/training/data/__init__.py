"""Training data: sources, packs, clips and pairs."""
