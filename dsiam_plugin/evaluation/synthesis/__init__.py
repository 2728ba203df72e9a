"""Synthetic tracking sequences whose boxes and attributes are known exactly.

Colours are BGR, as OpenCV reads and writes them. Positions are (x, y) in pixels, the centre of the
top-left pixel being (0, 0). Every random draw of a sequence comes from one generator seeded by
(seed, index of the sequence), so a sequence does not depend on which others are made.
"""
