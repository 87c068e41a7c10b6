"""How checkpoints/default was made: corpus, training and evaluation."""
