"""Stage two: features and transforms learn together, through time."""
