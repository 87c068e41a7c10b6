"""Styles of one's own: a track of lips, the fit of a style to it, and its file."""
