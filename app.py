"""The page to speak into: `python app.py`. A Hugging Face Space starts it too."""

import sys

from jambatalk.cli import main

if __name__ == "__main__":
    sys.exit(main(["app", *sys.argv[1:]]))
