"""The network: speech features to motion."""
