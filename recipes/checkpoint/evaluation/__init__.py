"""Evaluation of the bundled checkpoint on recordings held out."""
