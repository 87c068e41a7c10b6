"""Motion of a face over time, whole or streamed."""
