"""Flite: four English voices of a program, where it is installed."""

from __future__ import annotations

import shutil
import subprocess
import unicodedata

import numpy as np

from jambatalk.errors import VoiceError
from jambatalk.files.unfinished import scratch_folder
from jambatalk.progress import Progress
from jambatalk.voices.voice import Synthesiser, Voice

TIMEOUT = 60.0  # seconds; it speaks many times faster than real time
VOICES = {  # its name → title
    "slt": "English (US) · Flite, woman",
    "rms": "English (US) · Flite, man",
    "awb": "English (Scotland) · Flite, man",
    "kal16": "English (US) · Flite, robot",
}


class Flite(Synthesiser):
    """The program `flite`."""

    def voices(self) -> list[Voice]:
        """List its voices."""
        return [
            Voice(f"flite-{name}", "en-GB" if name == "awb" else "en-US", title, self)
            for name, title in VOICES.items()
        ]

    def missing(self) -> str:
        """Return which program must be installed for it."""
        return "" if shutil.which("flite") else "the program flite (Debian: apt install flite)"

    def speak(self, text: str, voice: Voice, progress: Progress) -> tuple[np.ndarray, int]:
        """Say a text."""
        import soundfile

        # It reads bytes: accents go, and what is not Latin cannot be said.
        plain = unicodedata.normalize("NFKD", text.replace("’", "'")).encode("ascii", "ignore")
        if not any(chr(byte).isalnum() for byte in plain):
            raise VoiceError(f"Voice '{voice.name}' speaks English only.", "Try another voice.")
        with scratch_folder(VoiceError) as folder:
            written, sound = folder / "text.txt", folder / "speech.wav"
            name = voice.name.removeprefix("flite-")
            command = ["flite", "-voice", name, "-f", str(written), "-o", str(sound)]
            try:
                written.write_bytes(plain)
                done = subprocess.run(
                    command, stdin=subprocess.DEVNULL, capture_output=True, timeout=TIMEOUT
                )
            except (OSError, subprocess.TimeoutExpired) as error:
                raise VoiceError(f"Flite failed ({error}).", "Try another voice.") from error
            if done.returncode != 0 or not sound.exists():
                reason = done.stderr.decode(errors="replace").strip()[-200:] or "it gave no reason"
                raise VoiceError(f"Flite could not say this text ({reason}).", "Try another voice.")
            return soundfile.read(sound, dtype="float32")
