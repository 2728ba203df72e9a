"""Training the network: data, losses, loops. Not needed for tracking."""
