"""Data sets: recordings of speech with captured motion."""
