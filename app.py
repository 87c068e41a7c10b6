"""The page to speak into: `python app.py`. A Hugging Face Space starts it too."""

import os
import sys

from jambatalk.cli import main

PRIVATE = "127.0.0.1 10.0.0.0/8 172.16.0.0/12 192.168.0.0/16"  # networks, of a Space's proxy

if __name__ == "__main__":
    if os.environ.get("SYSTEM") == "spaces":  # its proxy comes from outside of the container
        os.environ.setdefault("JAMBATALK_HOST", "0.0.0.0")
        os.environ.setdefault("JAMBATALK_TRUSTED_PROXIES", PRIVATE)
        os.environ.setdefault(
            "JAMBATALK_FRAME_ANCESTORS", "https://huggingface.co https://*.hf.space"
        )
    sys.exit(main(["app", *sys.argv[1:]]))
