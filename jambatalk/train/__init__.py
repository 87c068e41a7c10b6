"""Training a network on recordings: configuration, losses and one training loop."""
