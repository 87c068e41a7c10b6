"""A style of a user's own: one vector in a file, for one network."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from jambatalk.errors import ModelError
from jambatalk.files.tensors import read_tensors, write_tensors
from jambatalk.files.unfinished import whole_file
from jambatalk.model.decoder import JambaDecoder
from jambatalk.model.paper_decoder import PaperDecoder

SUFFIX = ".safetensors"
VECTOR, NETWORK = "style", "decoder"  # names of the tensor and of the fingerprint in the file
MAX_BYTES = 1_000_000
LARGEST = 1e4  # of the vector's numbers
FIT_AGAIN = "Fit it for this checkpoint: 'jambatalk style fit'."


@dataclass(frozen=True, eq=False)
class OwnStyle:
    """A style vector (s,), and the fingerprint of the decoder that it belongs to."""

    vector: Tensor
    decoder: str

    def save(self, path: str | Path) -> Path:
        """Write the style; its name is that of the file, to which its suffix is added.

        Raises:
            ModelError: the file cannot be written.
        """
        path = Path(path)
        if path.suffix != SUFFIX:
            path = path.with_name(path.name + SUFFIX)
        with whole_file(path, ModelError) as unfinished:
            tensors = {VECTOR: self.vector.cpu().contiguous()}
            write_tensors(tensors, unfinished, {NETWORK: self.decoder})
        return path

    @classmethod
    def read(cls, path: str | Path, decoder: JambaDecoder | PaperDecoder) -> OwnStyle:
        """Read a style of this decoder.

        Raises:
            ModelError: there is no such file, it is damaged or no style, or of another network.
        """
        path = Path(path)
        tensors, notes = read_tensors(path, ModelError, "a style", FIT_AGAIN, MAX_BYTES)
        if VECTOR not in tensors or NETWORK not in notes:
            raise ModelError(f"'{path}' is not a style.", FIT_AGAIN)
        style = cls(tensors[VECTOR].float(), notes[NETWORK])
        if not isinstance(decoder, JambaDecoder) or style.decoder != fingerprint(decoder):
            raise ModelError(f"The style '{path}' is of another network.", FIT_AGAIN)
        width = decoder.style_table.embedding_dim
        if style.vector.shape != (width,) or style.vector.abs().max() > LARGEST:
            raise ModelError(f"'{path}' is not a style of {width} numbers.", FIT_AGAIN)
        return style


def is_style_file(style: str) -> bool:
    """Return whether a style is given as a file, not by its name."""
    return Path(style).suffix.lower() == SUFFIX


def fingerprint(decoder: JambaDecoder) -> str:
    """Hash the weights that give a style vector its meaning: all but the table of styles."""
    digest = hashlib.sha256()
    for name, weight in sorted(decoder.state_dict().items()):
        if not name.startswith("style_table."):
            digest.update(name.encode())
            digest.update(weight.contiguous().cpu().numpy())
    return digest.hexdigest()
