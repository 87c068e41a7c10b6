"""Captured motion: readers of GRID and FACEGOOD, fitted to the bundled heads."""
