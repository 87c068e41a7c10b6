"""What all tests share."""

import os

# The page, the browser and ffmpeg run beside the tests: a second thread would only wait in a loop
# for the first and take their time. Read when torch is first imported.
os.environ.setdefault("OMP_NUM_THREADS", "1")
