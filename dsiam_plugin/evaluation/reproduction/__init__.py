"""The paper's tables and figures from results: its authors', other trackers' and one's own."""
