"""Where lies what the repository cannot carry; tests that need it are skipped without it."""

import os
from pathlib import Path

# holds grid_s1/, facegood/ and speech/, see the README
DATA = Path(
    os.environ.get("JAMBATALK_DATA", Path(__file__).parent.parent.parent / "shared" / "data")
)
# what the published code gives
REFERENCE = Path(os.environ.get("JAMBATALK_REFERENCE", DATA.parent / "reference"))
