"""pysot-style evaluation toolkit: data sets, runs, measures and plots."""
