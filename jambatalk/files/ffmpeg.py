"""ffmpeg, which reads recordings of strangers: what it may read, for how long, and what it says."""

from __future__ import annotations

import logging
import subprocess
from pathlib import Path

from jambatalk.errors import JambaTalkError, brief, how_it_ended

log = logging.getLogger(__name__)

# Recordings come from strangers: a playlist named like a recording would make ffmpeg open other
# files, and its rarer decoders are those in which faults are found.
_FORMATS = "wav,w64,aiff,au,caf,flac,mp3,ogg,aac,amr,mov,matroska,avi,asf,mpegts"
_PCM = "s8,u8,s16le,s16be,s24le,s24be,s32le,s32be,f32le,f32be,f64le,f64be,alaw,mulaw"
_DECODERS = (
    "aac,aac_latm,ac3,eac3,alac,amrnb,amrwb,libopencore_amrnb,libopencore_amrwb,flac,gsm,gsm_ms,"
    "mp1,mp1float,mp2,mp2float,mp3,mp3float,opus,libopus,vorbis,libvorbis,speex,libspeex,"
    "wmalossless,wmapro,wmav1,wmav2,wmavoice,adpcm_ima_wav,adpcm_ima_qt,adpcm_ms,g722,wavpack"
)
# fmt: off
INPUT_LIMITS = (  # go before "-i"
    "-format_whitelist", _FORMATS,
    "-protocol_whitelist", "file",
    "-codec_whitelist", f"{_DECODERS},{','.join(f'pcm_{kind}' for kind in _PCM.split(','))}",
    "-max_streams", "32",
)
# fmt: on
MAX_ALLOC = ("-max_alloc", str(256 << 20))  # bytes, of one block
UNREADABLE = "it is damaged, or in a format that is not read here"
INSTALL = "Install it: pip install imageio-ffmpeg, or name one in IMAGEIO_FFMPEG_EXE."


def ffmpeg_program(error: type[JambaTalkError]) -> str:
    """Return the path of ffmpeg; raise an error of that class if there is none."""
    try:
        from imageio_ffmpeg import get_ffmpeg_exe

        return get_ffmpeg_exe()
    except (ImportError, RuntimeError, OSError) as cause:
        raise error("There is no ffmpeg here.", INSTALL) from cause


def ffmpeg_path(path: str | Path) -> str:
    """Return a path as ffmpeg takes it: absolute, so that no colon in it names a protocol."""
    return str(Path(path).resolve())


def convert_sound(
    path: Path, *options: str, timeout: float, error: type[JambaTalkError]
) -> tuple[bytes, str]:
    """Convert the first sound track of a recording by ffmpeg; `options` name format and target.

    Args:
        timeout: seconds after which ffmpeg is ended.
        error: class of the error to raise.

    Returns:
        What ffmpeg writes to its standard output, and why it failed: "" if it did not.

    Raises:
        JambaTalkError: of class `error`, where ffmpeg cannot be started.
    """
    command = [ffmpeg_program(error), "-v", "error", "-nostdin", *MAX_ALLOC, *INPUT_LIMITS]
    command += ["-i", ffmpeg_path(path), "-map", "0:a:0", *options]
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, timeout=timeout
        )
    except subprocess.TimeoutExpired:
        return b"", "it took too long"
    except OSError as cause:
        raise error(f"ffmpeg could not be started ({cause.strerror}).", INSTALL) from cause
    if done.returncode < 0:
        return b"", f"ffmpeg ended by {how_it_ended(done.returncode)}"
    return done.stdout, explain(done.stderr) if done.returncode else ""


def explain(messages: bytes, otherwise: str = UNREADABLE) -> str:
    """Say in our words why ffmpeg failed; its own go to the log, they name addresses and paths."""
    text = messages.decode(errors="replace")
    for line in text.strip().splitlines()[-5:]:
        log.info("ffmpeg: %s", brief(line, 200))
    reasons = {
        "No space left on device": "the disk is full",
        "File too large": "the file may not grow further",
        "Cannot allocate memory": "there is not enough memory",
        "Permission denied": "it may not be opened",
        "matches no streams": "it has no sound",
        "not on whitelist": "it is in a format that is not read here",
        "Invalid data": "it is damaged, or no recording",
    }
    found = (reason for sign, reason in reasons.items() if sign in text)
    return next(found, otherwise)
