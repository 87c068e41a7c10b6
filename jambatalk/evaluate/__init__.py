"""How good a motion is: measures with formula and unit, tables, plots."""
