"""Training of the bundled checkpoint: its clips, its styles, its encoder."""
