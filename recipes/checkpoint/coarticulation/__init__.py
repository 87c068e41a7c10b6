"""Rule-based coarticulation: motion synthesised from phones."""
