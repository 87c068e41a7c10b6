"""Files from outside, read as data: pickles, arrays, and where missing ones come from."""
