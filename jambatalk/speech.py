"""Speech in: any recording becomes checked 16 kHz mono."""

from __future__ import annotations

import logging
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from jambatalk.errors import SpeechError

log = logging.getLogger(__name__)

SAMPLE_RATE = 16_000  # Hz, what every speech encoder here listens at
MIN_SECONDS = 0.2  # shorter than one syllable
MAX_SECONDS = 600.0
SILENCE_RMS = 1e-3  # -60 dBFS: below it nobody is speaking
TARGET_RMS = 0.06  # -24 dBFS, the loudness the encoder is given
MAX_GAIN = 30.0  # a whisper is raised by 30 dB at most, so that hiss is not

# What ffmpeg may take a file for. Recordings come from strangers, and a playlist under the name of
# a recording would make it open other files.
INPUT_FORMATS = (
    *("-format_whitelist", "wav,w64,aiff,au,caf,flac,mp3,ogg,aac,amr,mov,matroska,avi,asf,mpegts"),
    *("-protocol_whitelist", "file"),
)


@dataclass(frozen=True, eq=False)
class Speech:
    """One checked recording.

    Attributes:
        samples: (n,) float32, 16 kHz mono, as recorded.
        name: what to call it in messages and files.
        source: the file it was read from, whose sound goes into the video; None for an array.
    """

    samples: np.ndarray
    name: str = "speech"
    source: Path | None = field(default=None)

    @classmethod
    def read(cls, path: str | Path, max_seconds: float = MAX_SECONDS) -> Speech:
        """Reads the first sound track of an audio or video file (whatever ffmpeg reads).

        Args:
            path: WAV, FLAC, MP3, OGG/Opus, M4A, WebM, MP4, ..., any rate, any channels.
            max_seconds: the longest recording taken.

        Raises:
            SpeechError: missing, unreadable, without sound, shorter than 0.2 s, longer than
                `max_seconds`, or with samples that are not numbers.
        """
        path = Path(path)
        if not path.is_file():
            raise SpeechError(f"There is no file {path}.", "Check the name and the folder.")
        samples = _decode(path, max_seconds)
        return cls._checked(samples, path.stem, path, max_seconds)

    @classmethod
    def from_array(
        cls,
        samples: np.ndarray,
        sample_rate: int,
        name: str = "speech",
        max_seconds: float = MAX_SECONDS,
    ) -> Speech:
        """Takes samples from memory.

        Args:
            samples: (n,) or (n, channels); floats in -1..1 or integers of any width.
            sample_rate: of `samples`, Hz.

        Raises:
            SpeechError: as :meth:`read`.
        """
        samples = np.asarray(samples)
        if samples.ndim not in (1, 2) or sample_rate < 1000:
            raise SpeechError(
                f"Speech of shape {samples.shape} at {sample_rate} Hz cannot be read.",
                "Give (n,) or (n, channels) samples and their rate in Hz.",
            )
        if np.issubdtype(samples.dtype, np.unsignedinteger):
            half = (int(np.iinfo(samples.dtype).max) + 1) // 2  # unsigned sound rests in the middle
            samples = (samples.astype(np.float32) - half) / half
        elif np.issubdtype(samples.dtype, np.integer):
            samples = samples.astype(np.float32) / -float(np.iinfo(samples.dtype).min)
        samples = samples.astype(np.float32)
        if samples.ndim == 2:
            samples = samples.mean(1)
        if len(samples) > max_seconds * sample_rate:
            raise _too_long(name, max_seconds)
        if sample_rate != SAMPLE_RATE and len(samples) and np.isfinite(samples).all():
            import librosa  # heavy: only when the rate differs

            samples = librosa.resample(samples, orig_sr=sample_rate, target_sr=SAMPLE_RATE)
        return cls._checked(samples, name, None, max_seconds)

    @classmethod
    def _checked(
        cls, samples: np.ndarray, name: str, source: Path | None, max_seconds: float
    ) -> Speech:
        seconds = len(samples) / SAMPLE_RATE
        if seconds < MIN_SECONDS:
            raise SpeechError(
                f"'{name}' holds only {seconds:.2f} s of sound.",
                f"Record at least {MIN_SECONDS} s.",
            )
        if seconds > max_seconds:
            raise _too_long(name, max_seconds)
        if not np.isfinite(samples).all():
            raise SpeechError(
                f"'{name}' contains samples that are not numbers (NaN or infinity).",
                "Export the recording again, as 16-bit WAV for instance.",
            )
        speech = cls(np.ascontiguousarray(samples, np.float32), name, source)
        if speech.is_silent:
            log.warning("'%s' is silent: the face will rest. Check the microphone.", name)
        return speech

    @property
    def duration(self) -> float:
        """Length in seconds."""
        return len(self.samples) / SAMPLE_RATE

    @property
    def rms(self) -> float:
        """Root mean square of the samples, 1.0 = full scale."""
        return _rms(self.samples)

    @property
    def is_silent(self) -> bool:
        """Whether no half second of it is louder than -60 dBFS on average."""
        size = SAMPLE_RATE // 2
        parts = (self.samples[i : i + size] for i in range(0, len(self.samples), size))
        return all(_rms(part) < SILENCE_RMS for part in parts)

    def loudness_normalised(self) -> np.ndarray:
        """The samples (n,) at the loudness the encoder is used to, so that distance and
        microphone gain do not change the motion."""
        return loudness_normalised(self.samples)


def loudness_normalised(samples: np.ndarray) -> np.ndarray:
    """Samples (n,) at the usual loudness; silence stays as it is."""
    rms = _rms(samples)
    if rms < SILENCE_RMS:
        return samples
    return samples * np.float32(min(TARGET_RMS / rms, MAX_GAIN))


def _rms(samples: np.ndarray) -> float:
    return float(np.sqrt(np.mean(np.square(samples, dtype=np.float64))))


def _decode(path: Path, max_seconds: float) -> np.ndarray:
    """The first sound track of a file as (n,) float32 at 16 kHz, by ffmpeg."""
    from imageio_ffmpeg import get_ffmpeg_exe

    command = [
        *(get_ffmpeg_exe(), "-v", "error", "-nostdin", *INPUT_FORMATS),
        *("-i", str(path), "-map", "0:a:0"),
        # one second more than allowed shows that it is too long without reading it whole
        *("-t", str(max_seconds + 1), "-ac", "1", "-ar", str(SAMPLE_RATE), "-f", "f32le", "-"),
    ]
    done = subprocess.run(command, capture_output=True)
    if done.returncode != 0:
        reason = done.stderr.decode(errors="replace").strip().splitlines()
        raise SpeechError(
            f"'{path.name}' could not be read as sound ({reason[-1] if reason else 'no reason'}).",
            "Use a WAV, MP3, FLAC, OGG, M4A or WebM recording, or a video with sound.",
        )
    return np.frombuffer(done.stdout, np.float32)


def _too_long(name: str, max_seconds: float) -> SpeechError:
    return SpeechError(
        f"'{name}' is longer than {max_seconds:g} s.",
        "Cut it into shorter parts; on the command line --max-seconds raises the limit.",
    )
