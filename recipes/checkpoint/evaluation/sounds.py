"""What the lips do in each sound: closed in P, B and M, near the teeth in F and V, open in vowels.

Openings are in parts of the 95th percentile of their clip, so that large and small mouths compare.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from jambatalk.evaluate.curve_metrics import CLOSED, at_times, closed_runs
from jambatalk.speech import Speech
from jambatalk.talking_head import TalkingHead
from recipes.checkpoint.corpus.phones import BILABIALS, LABIODENTALS, SILENCE, VOWELS, Phone

OPEN_VOWELS = {"AA", "EY", "AE"}
ROUNDED = {"W"}  # nearly closed too
NEAR_TEETH = 0.28  # the lower lip lies at the upper teeth
FINE = 0.005  # seconds between the moments that are looked at
EDGE = 0.1  # seconds at each end of a pause in which the lips come and go
LONG_PAUSE = 0.3  # seconds
RECOGNISED_WITHIN = 0.05  # seconds around it


@dataclass
class SoundStatistics:
    """What lips did in the sounds of any number of clips; fill it with :meth:`add`.

    Attributes:
        bilabials: the smallest opening inside each P, B, M. labiodentals: in each F, V.
        open_vowels: the mean opening inside each AA, EY, AE.
        timing: seconds from the middle of each P, B, M to the middle of the stretch in which the
            lips are closed, where they are and no pause or other lip sound is next to it.
        pauses: openings in pauses over 0.3 s, but for 0.1 s at each end.
        whole_pauses: the same with the ends.
    """

    bilabials: list[float] = field(default_factory=list)
    labiodentals: list[float] = field(default_factory=list)
    open_vowels: list[float] = field(default_factory=list)
    timing: list[float] = field(default_factory=list)
    pauses: list[float] = field(default_factory=list)
    whole_pauses: list[float] = field(default_factory=list)

    def add(self, opening: np.ndarray, fps: float, phones: Sequence[Phone]) -> None:
        """Counts one clip: its opening (T,) in any unit, and its phones in order."""
        opening = _relative(opening)
        moments = np.arange(0, len(opening) / fps, FINE)
        fine = at_times(opening, fps, moments)
        closed = moments[closed_runs(fine, CLOSED)]
        for number, phone in enumerate(phones):
            inside = fine[(moments >= phone.start) & (moments <= phone.end)]
            if not len(inside):
                continue
            if phone.name in BILABIALS:
                self.bilabials.append(float(inside.min()))
                beside = phones[max(0, number - 1) : number] + phones[number + 1 : number + 2]
                if len(beside) == 2 and not any(_busy(other) for other in beside):
                    self._time(phone, closed)
            elif phone.name in LABIODENTALS:
                self.labiodentals.append(float(inside.min()))
            elif phone.name in OPEN_VOWELS:
                self.open_vowels.append(float(inside.mean()))
            elif phone.name == SILENCE:
                self._pause(opening, fps, phone)

    def add_pauses(
        self, opening: np.ndarray, fps: float, pauses: Iterable[tuple[float, float]]
    ) -> None:
        """Counts only the pauses of a clip, (start, end) in seconds."""
        opening = _relative(opening)
        for start, end in pauses:
            self._pause(opening, fps, Phone(SILENCE, start, end))

    def _time(self, phone: Phone, closed: np.ndarray) -> None:
        met = closed[(closed[:, 0] <= phone.end) & (closed[:, 1] >= phone.start)]
        if len(met):
            self.timing.append(float(met.mean(1)[0] - phone.middle))

    def _pause(self, opening: np.ndarray, fps: float, pause: Phone) -> None:
        if pause.duration <= LONG_PAUSE:
            return
        times = np.arange(len(opening)) / fps
        within = (times >= pause.start) & (times <= pause.end)
        self.whole_pauses += opening[within].tolist()
        # at the ends of a recording nothing comes or goes
        first = pause.start + (EDGE if pause.start > 0 else 0)
        last = pause.end - (EDGE if pause.end < times[-1] else 0)
        self.pauses += opening[(times >= first) & (times <= last)].tolist()


def count_sounds(
    head: TalkingHead, spoken: Iterable[tuple[Speech, Sequence[Phone]]]
) -> dict[str, SoundStatistics]:
    """What a checkpoint's lips do in the sounds of recordings with known phones: style → it."""
    found = {style: SoundStatistics() for style in head.styles}
    for speech, said in spoken:
        for style, motion in zip(head.styles, head.compare(speech, head.styles), strict=True):
            found[style].add(motion.lip_aperture(), motion.fps, said)
    return found


def _relative(opening: np.ndarray) -> np.ndarray:
    """In parts of its 95th percentile; all 0, as closed as can be, where the mouth never opens."""
    scale = np.percentile(opening, 95)
    return opening / scale if scale > 0 else np.zeros_like(opening)


def _busy(phone: Phone) -> bool:
    return phone.name in BILABIALS | LABIODENTALS | ROUNDED | {SILENCE}


def share_below(values: Sequence[float], limit: float) -> float:
    """Percent of values at or below a limit; nan of none."""
    return float(np.mean(np.array(values) <= limit) * 100) if values else float("nan")


def held_vowels(phones: Iterable[Phone], length: float, edge: float) -> list[tuple[float, float]]:
    """The inside, (start, end) in seconds, of vowels of at least `length`, without their edges."""
    return [
        (phone.start + edge, phone.end - edge)
        for phone in phones
        if phone.name in VOWELS and phone.duration >= length
    ]


def openings_around(opening: np.ndarray, fps: float, moments: Iterable[float]) -> list[float]:
    """The smallest opening within 50 ms of each moment, in parts of the 95th percentile."""
    opening = _relative(opening)
    times = np.arange(-RECOGNISED_WITHIN, RECOGNISED_WITHIN + FINE, FINE)
    return [float(at_times(opening, fps, m + times).min()) for m in moments]


def silences(level: np.ndarray, fps: float, below: float) -> list[tuple[float, float]]:
    """Stretches of over 0.3 s in which the level (T,) dB stays below a limit: (start, end) s."""
    runs = closed_runs(level, below) / fps
    return [(first, last) for first, last in runs.tolist() if last - first > LONG_PAUSE]
