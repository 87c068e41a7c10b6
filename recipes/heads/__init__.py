"""Builds assets/heads from MakeHuman's CC0 data: `python -m recipes.heads`."""
