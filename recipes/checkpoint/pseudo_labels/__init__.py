"""Pseudo-labels: lips of real people, predicted for recordings without captured motion."""
