"""Training sets: speech with the motion that belongs to it."""
