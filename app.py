"""The page to speak into: `python app.py`. A Hugging Face Space starts it too."""

import os
import sys

from jambatalk.cli import main

if __name__ == "__main__":
    if os.environ.get("SYSTEM") == "spaces":  # its proxy comes from outside of the container
        os.environ.setdefault("JAMBATALK_HOST", "0.0.0.0")
    sys.exit(main(["app", *sys.argv[1:]]))
