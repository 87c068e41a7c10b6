"""How the default training set is made: timed speech, and a teacher that knows what lips do."""
