"""The speech corpus: recordings with timed phones, from which motion is synthesised."""
