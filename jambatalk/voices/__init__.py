"""Voices that say a text: Kokoro's, eSpeak NG's and Flite's, all offline."""

from __future__ import annotations

from jambatalk.errors import VoiceError, did_you_mean
from jambatalk.voices.espeak import Espeak
from jambatalk.voices.flite import Flite
from jambatalk.voices.kokoro import Kokoro
from jambatalk.voices.voice import INSTALL, MAX_CHARACTERS, Synthesiser, Voice, clean_text

__all__ = [
    "INSTALL",
    "MAX_CHARACTERS",
    "Voice",
    "clean_text",
    "known_voices",
    "list_voices",
    "load_voice",
]

SYNTHESISERS: tuple[Synthesiser, ...] = (Kokoro(), Espeak(), Flite())  # the most natural first


def known_voices() -> list[Voice]:
    """List all voices, those that need something installed too."""
    return [voice for synthesiser in SYNTHESISERS for voice in synthesiser.voices()]


def list_voices() -> list[Voice]:
    """List the voices that can speak here, the most natural first; the first is the default.

    Example:
        >>> [voice.name for voice in list_voices() if voice.language == "es"]
        ['ef_dora', 'em_alex', 'espeak-es']
    """
    return [
        voice
        for synthesiser in SYNTHESISERS
        if not synthesiser.missing()
        for voice in synthesiser.voices()
    ]


def load_voice(name: str | None = None) -> Voice:
    """Return a voice by its name, or the first that can speak here.

    Raises:
        VoiceError: there is no such voice, or what it needs is not installed.

    Example:
        >>> speech = load_voice("bm_george").synthesise("Good morning.")
    """
    if name is None:
        for voice in list_voices():
            return voice
        raise VoiceError("No voice is installed that could say a text.", INSTALL)
    known = {voice.name: voice for voice in known_voices()}
    if name not in known:
        hint = did_you_mean(name, known, "'jambatalk voices' lists them.")
        raise VoiceError(f"There is no voice '{name}'.", hint)
    if missing := known[name].synthesiser.missing():
        raise VoiceError(f"Voice '{name}' needs {missing}, which is not installed.", INSTALL)
    return known[name]
