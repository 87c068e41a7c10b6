"""Pseudo-labels: lips of real people, predicted for recordings in which nobody was captured."""
