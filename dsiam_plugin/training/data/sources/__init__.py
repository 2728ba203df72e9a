"""Annotated videos of several data sets, read as tracks of one target each.

Every source lists its units (a sequence or a video) and reads them one by one, so several
processes can share the work. Boxes are ``(x, y, w, h)`` with the top-left pixel at (0, 0),
whatever the data set counts from.
"""
