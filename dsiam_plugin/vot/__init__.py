"""The VOT toolkit: the process it starts, its workspaces and its results."""
