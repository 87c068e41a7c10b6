"""Damaged and hostile files end in a sentence; `./run fuzz` tries more of them."""

import subprocess
import sys
from pathlib import Path

import pytest

RUN = Path(__file__).parent / "fuzz" / "run.py"


@pytest.mark.skipif(sys.platform != "linux", reason="processes are forked and limited as on Linux")
def test_no_input_ends_in_a_traceback_hang_or_much_memory() -> None:
    command = [sys.executable, str(RUN), "300", "--seed", "0"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr[-2000:]
    assert "300 inputs" in done.stdout
