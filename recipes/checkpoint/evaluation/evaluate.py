"""What a checkpoint's lips are worth, on real recordings that it never heard: one table.

It needs the data folder that `recipes/checkpoint/train.yaml` takes, with `speech/` in it. Lips are always
those of :meth:`TalkingHead.animate`, sealed, as a user gets them.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from pathlib import Path

import numpy as np

from jambatalk.errors import DataError
from jambatalk.evaluate import curve_metrics
from jambatalk.face.face import Face
from jambatalk.face.library import load_head
from jambatalk.motion.motion import Motion
from jambatalk.motion.resample import resample
from jambatalk.progress import Progress, no_progress
from jambatalk.speech import SAMPLE_RATE, Speech
from jambatalk.talking_head import TalkingHead
from recipes.checkpoint.captured import facegood, grid_corpus
from recipes.checkpoint.captured.clip import Clip
from recipes.checkpoint.captured.held_out import held_out_clips, is_held_out_take
from recipes.checkpoint.corpus.phone_times import read_grid_alignments, read_sphinx
from recipes.checkpoint.corpus.phones import Phone
from recipes.checkpoint.corpus.speech_sources import split_of
from recipes.checkpoint.evaluation import sounds as phones
from recipes.checkpoint.evaluation.babble import TALKERS, add_babble
from recipes.checkpoint.evaluation.benchmark_table import Row, sound_rows
from recipes.checkpoint.evaluation.languages import recognised_row, written_row
from recipes.checkpoint.evaluation.sounds import SoundStatistics
from recipes.checkpoint.evaluation.style_classifier import styles_named

log = logging.getLogger(__name__)

NOISE_DB = 5.0  # speech above babble
SEED = 0
QUIET = -35.0  # dB below the loudest: nobody speaks
HELD, HELD_EDGE = 0.12, 0.03  # seconds: how long a held vowel is, and what is cut off its ends


def evaluate_default(
    talking_head: TalkingHead,
    data: Path,
    without_grid: TalkingHead | None = None,
    progress: Progress = no_progress,
) -> list[Row]:
    """Measures a checkpoint.

    Args:
        data: a folder with `grid_s1/`, `facegood/` and `speech/`.
        without_grid: another checkpoint, trained without GRID, for the row that asks for one.

    Raises:
        DataError: a part of the data is missing.
    """
    bench = Bench(talking_head, data)
    parts: Sequence[Callable[[], list[Row]]] = (
        bench.grid,
        bench.facegood,
        lambda: bench.without_grid(without_grid) if without_grid else [],
        bench.sounds,
        bench.styles,
        bench.noise,
        bench.languages,
        bench.jitter,
    )
    rows = []
    for done, part in enumerate(parts):
        progress("Measuring", done / len(parts))
        rows += part()
    progress("Measuring", 1.0)
    return rows


class Bench:
    """A checkpoint, and the recordings on which it is measured; what is used twice is kept."""

    def __init__(self, talking_head: TalkingHead, data: Path) -> None:
        self.talking_head, self.data = talking_head, data
        self.face = load_head(1)

    @cached_property
    def clips(self) -> list[Clip]:
        """GRID's held-out clips with the captured motion."""
        folder = self.data / "grid_s1"
        return list(grid_corpus.read_grid(folder, self.face, held_out_clips(folder)))

    @cached_property
    def real(self) -> Mapping[str, grid_corpus.TrackedLips]:
        """What was tracked of the real lips in them."""
        return grid_corpus.read_tracked_lips(
            self.data / "grid_s1", [clip.name for clip in self.clips]
        )

    @cached_property
    def phones(self) -> dict[str, list[Phone]]:
        """When what was said in GRID's clips, of all that could be aligned."""
        timed = read_grid_alignments(self.data / "grid_s1")
        return {name: said.phones for name, said in timed.items() if said.phones}

    @cached_property
    def said(self) -> list[Motion]:
        """What the checkpoint makes of them in the captured style."""
        return [self._animate(self.talking_head, clip, grid_corpus.STYLE) for clip in self.clips]

    def grid(self) -> list[Row]:
        """Correlation with the real lips of GRID, and how large the movements are."""
        captured = [Motion(clip.weights, clip.fps, self.face) for clip in self.clips]
        said, best = self._against_real(self.said)
        real, _ = self._against_real(captured)
        of = f"{len(self.clips)} clips of GRID, style {self._style(self.talking_head, grid_corpus.STYLE)}"
        return [
            Row(
                *("grid_lip_open", "r(lip_open)", said["gap"], "", 3, 0.97, math.inf, real["gap"]),
                of=of,
                note=f"{best[1]:.3f} at the best common lag, {best[0] * 1e3:+.0f} ms",
            ),
            Row(
                *("grid_lip_width", "r(lip_width)", said["width"], "", 3, 0.93, math.inf),
                real["width"],
                of=of,
            ),
            Row(
                *("grid_amplitude", "sd of lip_open, of the real one's", said["spread"], "", 2),
                *(0.8, 1.2, real["spread"]),
                of=of,
            ),
        ]

    def facegood(self) -> list[Row]:
        """Correlation with the captured jaw in FACEGOOD's held-out take."""
        rows = []
        for clip in facegood.read_facegood(self.data / "facegood", self.face):
            if not is_held_out_take(clip.name):
                continue
            motion = self._animate(self.talking_head, clip, facegood.STYLE)
            captured = Motion(resample(clip.weights, clip.fps, motion.fps), motion.fps, self.face)
            length = min(len(motion), len(captured))
            jaw, true = (m.blendshape("jawOpen")[:length] for m in (motion, captured))
            lag, r = curve_metrics.best_lag(jaw, true, motion.fps)
            gap, real = (_gap(m)[:length] for m in (motion, captured))
            of = f"{clip.name} of FACEGOOD, style {self._style(self.talking_head, facegood.STYLE)}"
            rows += [
                Row(
                    *("facegood_jaw", "r(jaw)", curve_metrics.correlation(true, jaw), "", 3),
                    *(0.88, math.inf),
                    of=of,
                    note=f"{r:.3f} at the best lag, {lag * 1e3:+.0f} ms",
                ),
                Row(
                    *("facegood_amplitude", "sd of lip_open, of the captured one's"),
                    *(float(gap.std() / real.std()), "", 2, 0.8, 1.2),
                    of=of,
                ),
            ]
        if not rows:
            raise DataError(
                f"The held-out take is not in {self.data / 'facegood'}.", "Check --data."
            )
        return rows

    def without_grid(self, other: TalkingHead) -> list[Row]:
        """Correlation with GRID's lips of a checkpoint that was trained without them, in its first
        style, which is nobody's."""
        style = other.styles[0]
        motions = [self._animate(other, clip, style) for clip in self.clips]
        said, best = self._against_real(motions)
        return [
            Row(
                *("without_grid_lip_open", "trained without GRID: r(lip_open)", said["gap"]),
                *("", 3, 0.85, math.inf),
                of=f"{len(motions)} clips of GRID, style {style}",
                note=f"{best[1]:.3f} at the best common lag, {best[0] * 1e3:+.0f} ms",
            )
        ]

    def sounds(self) -> list[Row]:
        """What the lips do in the sounds of real English, in every style, the neutral first."""
        found = phones.count_sounds(self.talking_head, self.librivox)
        for speech in self.strangers:
            rate = 100.0
            level = curve_metrics.loudness(speech.samples, rate, int(speech.duration * rate))
            pauses = phones.silences(level, rate, QUIET)
            for style, motion in zip(found, self._styles(speech), strict=True):
                found[style].add_pauses(motion.lip_aperture(), motion.fps, pauses)
        return sound_rows(found, self._real_sounds())

    def styles(self) -> list[Row]:
        """How often a linear classifier names the style from the motion of one recording.

        It learns from LibriSpeech's and is asked for LibriVox's and the other languages', which
        are other sentences of other people.
        """
        unseen = [speech for speech, _ in self.librivox] + self.multilingual
        seen, asked = (
            [self._styles(speech) for speech in part] for part in (self.librispeech, unseen)
        )
        right = styles_named(seen, asked)  # (recordings, styles)
        note = ", ".join(
            f"{style} {share:.0f}"
            for style, share in zip(self.talking_head.styles, right.mean(0) * 100, strict=True)
        )
        return [
            Row(
                *("styles", "style named from the motion alone", float(right.mean() * 100)),
                *("%", 1, 90.0, math.inf),
                of=f"{right.size} motions, {right.shape[1]} styles",
                note=note,
            )
        ]

    def _real_sounds(self) -> SoundStatistics:
        """The same of the real lips in GRID, which are tracked."""
        real = SoundStatistics()
        # all clips: nothing is predicted here
        for name, lips in grid_corpus.read_tracked_lips(self.data / "grid_s1").items():
            if name in self.phones and lips.tracked.all():
                real.add(lips.aperture, lips.fps, self.phones[name])
        return real

    def noise(self) -> list[Row]:
        """What babble takes off the correlation with GRID's lips."""
        talkers = [speech.samples for speech in [*self.strangers, *self.multilingual]]
        rng, noisy = np.random.default_rng(SEED), []
        for clip in self.clips:
            samples = add_babble(clip.samples, talkers, NOISE_DB, rng)
            noisy.append(self._animate(self.talking_head, clip, grid_corpus.STYLE, samples))
        quiet, loud = (self._against_real(motions)[0]["gap"] for motions in (self.said, noisy))
        return [
            Row(
                *("babble", f"r(lip_open) lost at {NOISE_DB:g} dB babble", quiet - loud, "", 3),
                *(-math.inf, 0.05),
                of=f"{len(self.clips)} clips of GRID, {TALKERS} other voices",
                note=f"{quiet:.3f} to {loud:.3f}",
            )
        ]

    def languages(self) -> list[Row]:
        """Closure of P, B, M in other languages, where they are heard and where written."""
        english = [speech for speech, _ in self.librivox]
        return [
            recognised_row(self.talking_head, english, self.multilingual),
            written_row(self.talking_head, self.librivox, self.data),
        ]

    def jitter(self) -> list[Row]:
        """Acceleration of the lips in held vowels, against the captured motion."""
        said, captured = [], []
        for clip, motion in zip(self.clips, self.said, strict=True):
            vowels = phones.held_vowels(self.phones.get(clip.name, []), HELD, HELD_EDGE)
            said += _accelerations(motion.weights, motion.fps, clip.fps, vowels, self.face)
            captured += _accelerations(clip.weights, clip.fps, clip.fps, vowels, self.face)
        return [
            Row(
                *("jitter", "acceleration in held vowels, of the captured one's"),
                *(float(np.median(said) / np.median(captured)), "", 2, -math.inf, 1.2),
                of=f"{len(said)} frames of GRID",
            )
        ]

    def _against_real(
        self, motions: Sequence[Motion]
    ) -> tuple[dict[str, float], tuple[float, float]]:
        """Medians over GRID's clips: r of "gap" and "width", and the "spread" of the gap over the
        real one's; and the lag common to all at which r(gap) is greatest, in s, with that r."""
        rows, lags = [], []
        for clip, motion in zip(self.clips, motions, strict=True):
            real = self.real[clip.name]
            times = np.arange(len(real.aperture)) / real.fps
            gap = curve_metrics.at_times(_gap(motion), motion.fps, times)
            width = curve_metrics.at_times(_width(motion), motion.fps, times)
            rows.append(
                (
                    curve_metrics.correlation(real.aperture[real.tracked], gap[real.tracked]),
                    curve_metrics.correlation(real.width[real.tracked], width[real.tracked]),
                    gap[real.tracked].std() / real.aperture[real.tracked].std(),
                )
            )
            lags.append(
                curve_metrics.lagged_correlations(gap, real.aperture, real.fps, real.tracked)
            )
        r = np.nanmedian(lags, 0)
        medians = dict(zip(("gap", "width", "spread"), np.median(rows, 0).tolist(), strict=True))
        return medians, (float(curve_metrics.lags()[r.argmax()]), float(r.max()))

    def _animate(
        self, head: TalkingHead, clip: Clip, style: str, samples: np.ndarray | None = None
    ) -> Motion:
        samples = clip.samples if samples is None else samples
        speech = Speech.from_array(samples, SAMPLE_RATE, clip.name)
        return head.animate(speech, self._style(head, style))

    @staticmethod
    def _style(head: TalkingHead, captured: str) -> str:
        """The captured style, or the first where a checkpoint lacks it."""
        return captured if captured in head.styles else head.styles[0]

    def _styles(self, speech: Speech) -> list[Motion]:
        return self.talking_head.compare(speech, self.talking_head.styles)

    @cached_property
    def librivox(self) -> list[tuple[Speech, list[Phone]]]:
        """English with phone times."""
        paths = _files(self.data / "speech" / "librivox_phones", "*.wav")
        return [
            (Speech.read(path), read_sphinx(path.with_suffix(".phone.json")).phones)
            for path in paths
        ]

    @cached_property
    def librispeech(self) -> list[Speech]:
        """Other people's English, without phone times; most of them talk in the corpus too."""
        return [Speech.read(path) for path in _files(self.data / "speech" / "librispeech", "*.*")]

    @property
    def strangers(self) -> list[Speech]:
        """Those of them whom no training heard."""
        return [s for s in self.librispeech if split_of(s.name.split("-")[0]) == "held_out"]

    @cached_property
    def multilingual(self) -> list[Speech]:
        """English and other languages."""
        return [
            Speech.read(path) for path in _files(self.data / "speech" / "multilingual", "*.wav")
        ]


def _accelerations(
    weights: np.ndarray, fps: float, rate: float, spans: Sequence[tuple[float, float]], face: Face
) -> list[float]:
    """Mean acceleration of the lips' vertices at each frame inside the spans, m/s², after bringing
    weights (T, K) to `rate` frames a second by a cubic spline, which keeps what trembles."""
    if abs(fps - rate) > 1e-3:
        from scipy.interpolate import CubicSpline

        times = np.arange(int((len(weights) - 1) / fps * rate) + 1) / rate
        weights = CubicSpline(np.arange(len(weights)) / fps, weights)(times)
    lips = face.deltas[:, face.regions["lips"]].reshape(len(face.blendshapes), -1)
    found = []
    for start, end in spans:
        frames = [t for t in range(1, len(weights) - 1) if start <= t / rate <= end]
        for t in frames:
            change = weights[t - 1] - 2 * weights[t] + weights[t + 1]
            moved = np.linalg.norm((change @ lips).reshape(-1, 3), axis=-1).mean()
            found.append(float(moved * rate**2))
    return found


def _gap(motion: Motion) -> np.ndarray:
    """Lip opening over the distance of the outer eye corners, as tracked in GRID: (T,)."""
    return motion.lip_aperture() / _eyes(motion.face)


def _width(motion: Motion) -> np.ndarray:
    return motion.lip_width() / _eyes(motion.face)


def _eyes(face: Face) -> float:
    right, *_, left = face.template[face.landmarks["eye_corners"]]
    return float(np.linalg.norm(left - right))


def _files(folder: Path, pattern: str) -> list[Path]:
    found = sorted(path for path in folder.glob(pattern) if path.is_file())
    found = [path for path in found if path.suffix in (".wav", ".flac", ".ogg", ".opus")]
    if not found:
        raise DataError(f"There are no recordings in {folder}.", "Check --data.")
    return found
