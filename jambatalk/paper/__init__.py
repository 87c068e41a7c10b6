"""The paper's network: its layouts, its lip reader, and conversion of the authors' weights."""
