"""Converts public downloads into the data folder that corpus, training and evaluation read."""
