"""Drivers of the method: cutting, embedding, and a state for every target."""
