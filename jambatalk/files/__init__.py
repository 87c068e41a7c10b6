"""Files from outside, read as data: arrays, pickles, and where missing ones come from."""
