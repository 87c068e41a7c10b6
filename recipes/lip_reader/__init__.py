"""Trains and judges the lip reader of `jambatalk evaluate`, on lips tracked in GRID's video."""
