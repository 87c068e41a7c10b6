"""`python -m jambatalk`, which is also what `accelerate launch -m jambatalk` starts."""

import sys

from jambatalk.cli import main

if __name__ == "__main__":
    sys.exit(main())
