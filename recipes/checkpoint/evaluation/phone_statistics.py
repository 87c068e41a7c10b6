"""Lip aperture by phone: closed in P, B and M, small in F and V, large in open vowels.

Apertures are relative to the 95th percentile of their clip, so that large and small mouths compare.
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
NEAR_TEETH = 0.28  # relative aperture with the lower lip at the upper teeth
TIME_STEP = 0.005  # seconds between the times at which apertures are sampled
PAUSE_EDGE = 0.1  # seconds at the end of a pause in which the lips move
LONG_PAUSE = 0.3  # seconds; people close their lips about as late in a pause, or not at all
RECOGNISED_WITHIN = 0.05  # seconds around a recognised phone


@dataclass
class PhoneStatistics:
    """Lip apertures by phone over any number of clips; filled by :meth:`add`.

    Attributes:
        bilabials: least aperture within each P, B, M.
        labiodentals: least aperture within each F, V.
        open_vowels: mean aperture within each AA, EY, AE.
        closure_delays: seconds from the middle of a P, B or M to the middle of its lip closure,
            where there is one, and no pause or other lip sound next to it.
        pauses: apertures from 0.3 s into a pause on, without the last 0.1 s.
    """

    bilabials: list[float] = field(default_factory=list)
    labiodentals: list[float] = field(default_factory=list)
    open_vowels: list[float] = field(default_factory=list)
    closure_delays: list[float] = field(default_factory=list)
    pauses: list[float] = field(default_factory=list)

    def add(self, aperture: np.ndarray, fps: float, phones: Sequence[Phone]) -> None:
        """Add a clip with its lip aperture (T,) in any unit and its phones in order."""
        aperture = relative(aperture)
        times = np.arange(0, len(aperture) / fps, TIME_STEP)
        sampled = at_times(aperture, fps, times)
        closures = times[closed_runs(sampled, CLOSED)]
        for number, phone in enumerate(phones):
            inside = sampled[(times >= phone.start) & (times <= phone.end)]
            if not len(inside):
                continue
            if phone.name in BILABIALS:
                self.bilabials.append(float(inside.min()))
                neighbours = [
                    *phones[max(0, number - 1) : number],
                    *phones[number + 1 : number + 2],
                ]
                if len(neighbours) == 2 and not any(map(_moves_lips, neighbours)):
                    self._add_closure_delay(phone, closures)
            elif phone.name in LABIODENTALS:
                self.labiodentals.append(float(inside.min()))
            elif phone.name in OPEN_VOWELS:
                self.open_vowels.append(float(inside.mean()))
            elif phone.name == SILENCE:
                self._add_pause(aperture, fps, phone)

    def _add_closure_delay(self, phone: Phone, closures: np.ndarray) -> None:
        overlapping = closures[(closures[:, 0] <= phone.end) & (closures[:, 1] >= phone.start)]
        if len(overlapping):
            self.closure_delays.append(float(overlapping[0].mean() - phone.middle))

    def _add_pause(self, aperture: np.ndarray, fps: float, pause: Phone) -> None:
        if pause.duration <= LONG_PAUSE:
            return
        times = np.arange(len(aperture)) / fps
        # lips do not move at the ends of a recording
        first = pause.start + (LONG_PAUSE if pause.start > 0 else 0)
        last = pause.end - (PAUSE_EDGE if pause.end < times[-1] else 0)
        self.pauses += aperture[(times >= first) & (times <= last)].tolist()


def measure_phones(
    head: TalkingHead, recordings: Iterable[tuple[Speech, Sequence[Phone]]]
) -> dict[str, PhoneStatistics]:
    """Animate recordings with known phones in every style: style → statistics."""
    statistics = {style: PhoneStatistics() for style in head.styles}
    for speech, phones in recordings:
        for style, motion in zip(head.styles, head.compare(speech, head.styles), strict=True):
            statistics[style].add(motion.lip_aperture(), motion.fps, phones)
    return statistics


def percent_below(values: Sequence[float], limit: float) -> float:
    """Return the percentage of values at or below a limit; NaN of none."""
    return float(np.mean(np.array(values) <= limit) * 100) if values else float("nan")


def held_vowels(phones: Iterable[Phone], duration: float, edge: float) -> list[tuple[float, float]]:
    """List the vowels of at least `duration`, (start, end) in seconds without their edges."""
    return [
        (phone.start + edge, phone.end - edge)
        for phone in phones
        if phone.name in VOWELS and phone.duration >= duration
    ]


def apertures_around(aperture: np.ndarray, fps: float, times: Iterable[float]) -> list[float]:
    """Return the least relative aperture within 50 ms of each time in seconds."""
    aperture = relative(aperture)
    around = np.arange(-RECOGNISED_WITHIN, RECOGNISED_WITHIN + TIME_STEP, TIME_STEP)
    return [float(at_times(aperture, fps, time + around).min()) for time in times]


def relative(aperture: np.ndarray) -> np.ndarray:
    """Divide by the 95th percentile; 0 throughout for a mouth that never opens."""
    scale = np.percentile(aperture, 95)
    return aperture / scale if scale > 0 else np.zeros_like(aperture)


def _moves_lips(phone: Phone) -> bool:
    return phone.name in BILABIALS | LABIODENTALS | ROUNDED | {SILENCE}
