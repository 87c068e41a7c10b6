"""Offscreen frames of a face in motion."""
