"""Evaluation of predicted motions: metrics with formula and unit, reports, plots, videos."""

UNITS = {"m": 1.0, "dm": 0.1, "cm": 0.01, "mm": 0.001}  # metres per unit of a file
