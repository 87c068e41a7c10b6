"""Captured recordings: GRID and FACEGOOD, fitted to the bundled heads."""
