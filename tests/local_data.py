"""Data that cannot be shipped, if it is there; tests that need it skip without it."""

import os
from pathlib import Path

# folder with grid_s1/, facegood/ and speech/, see recipes/README.md
DATA = Path(os.environ.get("JAMBATALK_DATA", "data"))
# folder with the published network's own outputs, see make_paper_reference.py
REFERENCE = Path(os.environ.get("JAMBATALK_REFERENCE", "reference"))
