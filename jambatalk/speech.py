"""Speech: any recording as checked samples, 16 kHz mono."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from jambatalk.errors import SpeechError, TooLongError, brief
from jambatalk.files.ffmpeg import convert_sound
from jambatalk.files.regular import check_file

log = logging.getLogger(__name__)

SAMPLE_RATE = 16_000  # Hz, of the input of every speech encoder here
MIN_SECONDS = 0.2  # shorter than one syllable
MAX_SECONDS = 600.0
DECODING_SECONDS = 60.0  # for ffmpeg, beside the length of the recording
SILENCE_RMS = 1e-3  # -60 dBFS: quieter than any speech
TARGET_RMS = 0.06  # -24 dBFS, the loudness of the encoder's input
MAX_GAIN = 30.0  # whispering is amplified by 30 dB at most, so that noise is not
LARGEST = 4 << 30  # bytes of a file, of which the first sound track is read
RECORD = "Use a WAV, MP3, FLAC, OGG, M4A or WebM recording, or a video with sound."
LOUDEST = 1e6  # of samples; recordings reach 1, or 32,768 where integers were kept


@dataclass(frozen=True, eq=False)
class Speech:
    """One checked recording.

    Attributes:
        samples: (n,) float32, 16 kHz mono, as recorded.
        name: its name in messages and files.
        source: the file it was read from, whose sound goes into the video; None for an array.
    """

    samples: np.ndarray
    name: str = "speech"
    source: Path | None = None

    @classmethod
    def of(cls, source: Recording) -> Speech:
        """Return a recording given in any form: a path, samples with their rate, or as it is.

            Speech.of("voice.wav")
            Speech.of((samples, 44_100))

        Raises:
            SpeechError: it is in no such form, or cannot be used, see :meth:`read`.
        """
        if isinstance(source, Speech):
            return source
        if isinstance(source, str | Path):
            return cls.read(source)
        if isinstance(source, tuple) and len(source) == 2 and _is_number(source[1]):
            return cls.from_array(source[0], source[1])
        raise SpeechError(
            f"Speech cannot be made of {_describe(source)}.",
            "Give a file's path, a Speech, or (samples, rate): an array and its sample rate in Hz.",
        )

    @classmethod
    def read(cls, path: str | Path, max_seconds: float = MAX_SECONDS) -> Speech:
        """Read the first sound track of an audio or video file in any format that ffmpeg decodes.

        Args:
            path: WAV, FLAC, MP3, OGG/Opus, M4A, WebM, MP4, ..., any rate, any channels.
            max_seconds: the longest recording accepted.

        Raises:
            SpeechError: missing, unreadable, without sound, shorter than 0.2 s, longer than
                `max_seconds`, or with samples that are not numbers.
        """
        path = Path(path)
        if path.is_dir():
            raise SpeechError(f"'{path}' is a folder.", "'jambatalk batch' animates a folder.")
        check_file(path, SpeechError, "a recording", RECORD, LARGEST)
        return cls._checked(_decode(path, max_seconds), path.name, path, max_seconds)

    @classmethod
    def from_array(
        cls,
        samples: np.ndarray,
        sample_rate: float,
        name: str = "speech",
        max_seconds: float = MAX_SECONDS,
    ) -> Speech:
        """Make speech of samples in memory.

        Args:
            samples: (n,) or (n, channels); floats in -1..1 or integers of any width.
            sample_rate: of `samples`, Hz.

        Raises:
            SpeechError: see :meth:`read`.
        """
        samples = np.asarray(samples)
        numbers = samples.ndim in (1, 2) and samples.dtype.kind in "iuf"
        if not numbers or not _is_number(sample_rate) or not 1000 <= sample_rate <= 1_000_000:
            raise SpeechError(
                f"Speech cannot be made of {_describe(samples)} at {brief(sample_rate)} Hz.",
                "Give numbers (n,) or (n, channels) and their rate in Hz, 1000 to 1,000,000.",
            )
        if samples.dtype.kind == "u":  # silence is the middle of the range
            half = (int(np.iinfo(samples.dtype).max) + 1) // 2
            samples = (samples.astype(np.float32) - half) / half
        elif samples.dtype.kind == "i":
            samples = samples.astype(np.float32) / -float(np.iinfo(samples.dtype).min)
        with np.errstate(over="ignore"):  # infinite, and refused as such
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
        loudest = float(np.abs(samples).max())
        if loudest > LOUDEST:
            raise SpeechError(
                f"'{name}' has samples of {loudest:.2g}; a recording's lie between -1 and 1.",
                "Export the recording again, as 16-bit WAV for instance.",
            )
        speech = cls(np.ascontiguousarray(samples, np.float32), name, source)
        if speech.is_silent:
            log.warning("'%s' is silent: the mouth will rest. Check the microphone.", name)
        return speech

    @property
    def duration(self) -> float:
        """Length in seconds."""
        return len(self.samples) / SAMPLE_RATE

    @property
    def is_silent(self) -> bool:
        """Whether every half second of it is quieter than -60 dBFS."""
        size = SAMPLE_RATE // 2
        parts = (self.samples[i : i + size] for i in range(0, len(self.samples), size))
        return all(_rms(part) < SILENCE_RMS for part in parts)


Recording = Speech | str | Path | tuple[np.ndarray, float]


def loudness_normalised(samples: np.ndarray) -> np.ndarray:
    """Scale samples (n,) to the loudness of the encoder's input; silence stays as it is.

    So the distance and the gain of the microphone do not change the motion.
    """
    rms = _rms(samples)
    if rms < SILENCE_RMS:
        return samples
    return samples * np.float32(min(TARGET_RMS / rms, MAX_GAIN))


def _rms(samples: np.ndarray) -> float:
    return float(np.sqrt(np.mean(np.square(samples, dtype=np.float64))))


def _is_number(value: object) -> bool:
    return isinstance(value, int | float | np.number)


def _describe(value: object) -> str:
    shape = f" of {value.dtype} {value.shape}" if isinstance(value, np.ndarray) else ""
    return f"{type(value).__name__}{shape}"


def _decode(path: Path, max_seconds: float) -> np.ndarray:
    """Decode the first sound track of a file: (n,) float32 at 16 kHz."""
    # one second more than accepted shows that a file is too long without decoding all of it
    options = ["-t", str(max_seconds + 1), "-ac", "1", "-ar", str(SAMPLE_RATE), "-f", "f32le", "-"]
    timeout = max_seconds + DECODING_SECONDS
    sound, failure = convert_sound(path, *options, timeout=timeout, error=SpeechError)
    if failure:
        raise SpeechError(f"'{path.name}' could not be read as sound ({failure}).", RECORD)
    return np.frombuffer(sound, np.float32)


def _too_long(name: str, max_seconds: float) -> TooLongError:
    return TooLongError(
        f"'{name}' is longer than {max_seconds:g} s.",
        "Cut it into shorter parts; on the command line --max-seconds raises the limit.",
    )
