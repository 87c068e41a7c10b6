"""Evaluation of the bundled checkpoint on held-out recordings: the table in its model card."""
