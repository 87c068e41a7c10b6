"""Rule-based coarticulation model: motion synthesised from timed phones."""
