"""How good a motion is: measures with formula and unit, tables, plots."""

UNITS = {"m": 1.0, "dm": 0.1, "cm": 0.01, "mm": 0.001}  # of files, in metres
