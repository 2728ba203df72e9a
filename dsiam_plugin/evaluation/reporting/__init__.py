"""From a data set and a folder of results to tables, files and plots; what `eval` runs."""
