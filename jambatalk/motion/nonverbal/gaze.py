"""Eyes that live: they rest on the viewer, hop about on his face, and look away to think."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from jambatalk.face.face import Face
from jambatalk.motion.nonverbal.curves import glide
from jambatalk.motion.nonverbal.prosody import Prosody

# Degrees. Whoever looks at a face hops from feature to feature; less than this is still felt as
# being looked at.
FEATURES = np.array([0.9, 0.6])  # standard deviation of yaw and elevation
FIXATION, FIXATION_SPREAD = 0.9, 0.5  # seconds (median); of the logarithm
# Speakers look away in pauses, and back before they go on (Kendon, Acta Psychologica 26, 1967). In
# Lee, Badler and Badler's recordings (Eyes Alive, SIGGRAPH 2002) they did for 0.9 s, after 3.1 s;
# a talking head that speaks to a camera does so less often.
AWAY, AWAY_SPREAD = 0.8, 0.3  # seconds (median); of the logarithm
AWAY_IN_PAUSE = 0.5  # how often
PAUSE = 0.35  # seconds: shorter pauses are no time to think
RESTING = 7.0  # seconds between looks away, on average, while nobody speaks
FAR = (4.5, 8.0)  # degrees
UP = 0.6  # of the distance that is up or down
# Duration of a saccade: 2.2 ms a degree and 21 ms (Carpenter, Movements of the Eyes, 1988).
SACCADE, SACCADE_PER_DEGREE = 0.021, 0.0022  # seconds


@dataclass(frozen=True, eq=False)
class Gaze:
    """Where the eyes look, seen from the shoulders.

    Attributes:
        starts: (m,) when each saccade begins, seconds.
        targets: (m, 2) yaw to the head's own left and elevation of where it goes, degrees; 0, 0 is
            the viewer.
        far: (m,) bool, those that leave the viewer or come back.
    """

    starts: np.ndarray
    targets: np.ndarray
    far: np.ndarray

    @classmethod
    def of(cls, prosody: Prosody, rng: np.random.Generator) -> Gaze:
        """What the eyes do while this is said."""
        looks_away = _looks_away(prosody, rng)
        starts, targets, far = [], [], []
        now, upcoming = 0.0, 0
        while now < prosody.seconds:
            until = now + FIXATION * np.exp(FIXATION_SPREAD * rng.standard_normal())
            hop = FEATURES * np.clip(rng.standard_normal(2), -2, 2)
            if upcoming < len(looks_away) and looks_away[upcoming, 0] <= until:
                leave, back = looks_away[upcoming]
                starts += [leave, back]
                targets += [away(rng), hop]
                far += [True, True]
                now, upcoming = back, upcoming + 1
            else:
                starts.append(until)
                targets.append(hop)
                far.append(False)
                now = until
        return cls(np.array(starts), np.array(targets), np.array(far))

    def direction(self, time: np.ndarray) -> np.ndarray:
        """Yaw and elevation over time, (T, 2) radians."""
        way = np.diff(self.targets, axis=0, prepend=np.zeros((1, 2)))
        seconds = SACCADE + SACCADE_PER_DEGREE * np.linalg.norm(way, axis=1)
        return np.radians(glide(time, self.starts, seconds, self.targets))


def _looks_away(prosody: Prosody, rng: np.random.Generator) -> np.ndarray:
    """(m, 2) when the eyes leave the viewer and come back; never at the beginning or the end."""
    found: list[tuple[float, float]] = []
    for start, end in prosody.pauses:
        inside = start > 0 and end < prosody.seconds
        if inside and end - start >= PAUSE and rng.uniform() < AWAY_IN_PAUSE:
            found.append((start + 0.1, start + 0.1 + for_how_long(rng)))
            start = found[-1][1]
        while (start := start + 2.0 + rng.exponential(RESTING - 2.0)) < end - 1.0:
            found.append((start, start + for_how_long(rng)))
            start = found[-1][1]
    apart, last = [], 0.3
    for leave, back in found:
        if leave > last + 0.3 and back < prosody.seconds - 0.3:
            apart.append((leave, back))
            last = back
    return np.array(apart).reshape(-1, 2)


def for_how_long(rng: np.random.Generator) -> float:
    """Seconds of one look away."""
    return float(AWAY * np.exp(AWAY_SPREAD * rng.standard_normal()))


def away(rng: np.random.Generator) -> np.ndarray:
    """Yaw and elevation, degrees: anywhere, sideways and down a little more than up."""
    angle = rng.uniform(0.0, 2 * np.pi)
    side = np.array([np.cos(angle), UP * np.sin(angle) - 0.2])
    return side * rng.uniform(*FAR)


@dataclass(frozen=True, eq=False)
class Eyes:
    """What the blendshapes of a face do to its eyes and lids.

    Attributes:
        turn: name of each eyeLook blendshape → radians by which it turns its eye at weight 1.
        lids: how much of a closed lid looking down lowers the lid already, at weight 1.
    """

    turn: dict[str, float]
    lids: float

    @classmethod
    def of(cls, face: Face) -> Eyes | None:
        """Measures them on the mesh; None for a face whose eyes cannot turn."""
        names = [blendshape for blendshape in face.blendshapes if blendshape.startswith("eyeLook")]
        if len(names) != 8 or not len(face.regions.get("eyes", ())):
            return None
        eyes = face.regions["eyes"]
        place = face.template[eyes]
        turn = {}
        for side, there in (("Left", place[:, 0] > 0), ("Right", place[:, 0] < 0)):
            ball = eyes[there]
            front = ball[face.template[ball, 2].argmax()]
            radius = face.template[front, 2] - face.template[ball, 2].mean()
            for name in names:
                if name.endswith(side):
                    moved = face.deltas[face.blendshapes.index(name)]
                    way = moved[front] - moved[ball].mean(0)
                    turn[name] = float(np.linalg.norm(way[:2]) / radius)
        lids = 0.0
        if "eyeBlinkLeft" in face.blendshapes:
            closing = face.deltas[face.blendshapes.index("eyeBlinkLeft"), :, 1]
            edge = closing.argmin()  # what moves furthest is the middle of the upper lid's edge
            lowered = face.deltas[face.blendshapes.index("eyeLookDownLeft"), edge, 1]
            lids = float(np.clip(lowered / closing[edge], 0.0, 0.9))
        return cls(turn, lids)

    def look(self, direction: np.ndarray, pose: np.ndarray | None) -> dict[str, np.ndarray]:
        """Name of each eyeLook blendshape → weight over time (T,).

        The eyes turn against the head, so that they stay where they look: the vestibulo-ocular
        reflex. They stay parallel: in real eyes that meet on somebody a metre away, the pupils do
        too, because they lie a few degrees to the outer side of the line of sight.

        Args:
            direction: (T, 2) yaw and elevation, radians, seen from the shoulders.
            pose: (T, 3) of the head.
        """
        yaw, up = direction.T
        if pose is not None:
            yaw, up = yaw - pose[:, 1], up + pose[:, 0]  # a nod lowers the face
        weights = {}
        for side, out in (("Left", yaw), ("Right", -yaw)):
            for name, angle in (("Out", out), ("In", -out), ("Up", up), ("Down", -up)):
                blendshape = f"eyeLook{name}{side}"
                weights[blendshape] = np.clip(angle / self.turn[blendshape], 0.0, 1.0)
        return weights
