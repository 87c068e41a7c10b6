"""The field's published networks, beside JambaTalk: the same numbers from the authors' weights."""
