"""A style of a user's own, fitted to a clip of lips: only the style vector is trained.

Shapes: t frames, m measures of the lips, s style width, k blendshapes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from jambatalk.errors import DataError, ModelError
from jambatalk.face.face import Face
from jambatalk.face.lips import aperture, linear_measures, seal, width
from jambatalk.model.decoder import JambaDecoder
from jambatalk.model.jambatalk import JambaTalk
from jambatalk.progress import Progress, no_progress
from jambatalk.speech import Speech
from jambatalk.styles.lip_track import LipTrack
from jambatalk.styles.own_style import OwnStyle, fingerprint

MAX_LAG, LAG_STEP = 0.25, 0.01  # seconds; the sound and the track of a clip may be apart
MAX_DIFFERENCE = 1.0  # seconds between the lengths of sound and track
FITTED = 2 / 3  # of the clip; the rest tells whether the style helps
GAP = 0.5  # seconds between the two
LEAST_R = 0.3  # of lip aperture, below which track and speech are not of the same clip
PULL = 0.03  # of the squared distance from the neutral style, in units of the styles' spread
STEPS = 25  # of L-BFGS
LEAST_SPREAD = 3e-4  # metres: measures that move less hardly count


@dataclass(frozen=True)
class LipScores:
    """Agreement of predicted lips with a track: of lip aperture and mouth width, in this order.

    Attributes:
        r: Pearson's correlation.
        amplitude: standard deviation of the prediction over that of the track.
        error: what is minimised, see :func:`lip_error`.
    """

    r: tuple[float, float]
    amplitude: tuple[float, float]
    error: float


@dataclass(frozen=True)
class StyleFit:
    """A fitted style, and what it brings on the last third of the clip, which was not fitted.

    Attributes:
        style: to save and use.
        lag: seconds by which the track was late; it was corrected.
        seconds: length of the part that was fitted.
        neutral, own: scores of the neutral style and of this one on the rest.
    """

    style: OwnStyle
    lag: float
    seconds: float
    neutral: LipScores
    own: LipScores

    @property
    def helps(self) -> bool:
        """Whether this style is nearer to the lips than the neutral one."""
        return self.own.error < self.neutral.error


def fit_style(
    model: JambaTalk, face: Face, track: LipTrack, speech: Speech, progress: Progress = no_progress
) -> StyleFit:
    """Fit a style vector to the lips of a clip; the network stays as it is. Deterministic.

    Args:
        face: that the network moves.
        progress: called with a stage's name and the part of it that is done.

    Raises:
        DataError: track and speech are not of the same clip.
        ModelError: a network without styles or blendshapes.
    """
    decoder = model.decoder
    if (
        not isinstance(decoder, JambaDecoder)
        or not model.config.style_width
        or not face.blendshapes
    ):
        raise ModelError(
            "This checkpoint has no styles of blendshapes to fit.", "Use the bundled one."
        )
    if abs(track.duration - speech.duration) > MAX_DIFFERENCE:
        raise DataError(
            f"{track.name} lasts {track.duration:.1f} s, and the speech {speech.duration:.1f} s.",
            "Cut both to the same start and end, or give the track's --fps.",
        )
    progress("Encoding speech", 0.0)
    features = model.encode(speech).to(decoder.style_table.weight.device)
    features = features[: int(track.duration * model.config.fps)]
    fit = _Fit(decoder, features, face, track.measures.shape[1])
    neutral = decoder.style_table.weight[0].detach()
    with torch.no_grad():
        predicted = fit.measures(fit.predict(neutral)).cpu().numpy()
    target, lag = align(track, predicted, model.config.fps)
    target = target.to(neutral.device)
    end = round(FITTED * len(features))
    held_out = slice(end + round(GAP * model.config.fps), None)
    vector = fit.minimise(target[:end], progress)
    before, after = (fit.score(one, target, held_out, face) for one in (neutral, vector))
    style = OwnStyle(vector.cpu(), fingerprint(decoder))
    return StyleFit(style, lag, end / model.config.fps, before, after)


class _Fit:
    """The prediction of one clip as a function of the style vector."""

    def __init__(self, decoder: JambaDecoder, features: Tensor, face: Face, measures: int) -> None:
        self.decoder, self.features = decoder, features
        self.matrix, self.rest = (  # of the first measures
            torch.from_numpy(x[..., :measures]).to(features.device) for x in linear_measures(face)
        )

    def predict(self, vector: Tensor, frames: int | None = None) -> Tensor:
        """Predict weights (t, k) in a style (s,)."""
        return self.decoder(self.features[None, :frames], vector[None])[0].clamp(0.0, 1.0)

    def measures(self, weights: Tensor) -> Tensor:
        """Measure the lips (t, m) of weights (t, k)."""
        return weights @ self.matrix + self.rest

    def minimise(self, target: Tensor, progress: Progress) -> Tensor:
        """Return the style (s,) whose lips agree best with those of the first frames (t, m)."""
        table = self.decoder.style_table.weight.detach()
        spread = (table - table.mean(0)).square().sum(1).mean().clamp(min=1e-6)
        vector = table[0].clone().requires_grad_()
        optimizer = torch.optim.LBFGS([vector], max_iter=STEPS, line_search_fn="strong_wolfe")
        calls = 0

        def closure() -> Tensor:
            nonlocal calls
            progress("Fitting the style", min(calls / (1.25 * STEPS), 1.0))
            calls += 1
            optimizer.zero_grad()
            error = lip_error(self.measures(self.predict(vector, len(target))), target)
            loss = error + PULL * (vector - table[0]).square().sum() / spread
            loss.backward(inputs=[vector])  # the network is frozen
            return loss

        optimizer.step(closure)
        return vector.detach()

    @torch.no_grad()
    def score(self, vector: Tensor, target: Tensor, frames: slice, face: Face) -> LipScores:
        """Compare the lips of a style, closed as in a motion, with a track (t, m)."""
        predicted = self.predict(vector)
        error = lip_error(self.measures(predicted)[frames], target[frames]).item()
        weights = seal(face, predicted.cpu().numpy())
        true = target[frames].cpu().numpy()
        lips = (aperture(face, weights)[frames], width(face, weights)[frames])
        r, amplitude = zip(
            *(
                (_correlation(lip, true[:, i]), float(lip.std() / max(true[:, i].std(), 1e-9)))
                for i, lip in enumerate(lips)
            ),
            strict=True,
        )
        return LipScores(r, amplitude, error)


def align(track: LipTrack, pred: np.ndarray, fps: float) -> tuple[Tensor, float]:
    """Bring a track to the time and, if its unit is not known, to the size of a prediction (t, m).

    The lag is that at which aperture and width agree best; the size is that of the mean width.

    Returns:
        The track (t, m) at the prediction's frames, and the seconds by which it was late.

    Raises:
        DataError: they agree at no lag.
    """
    lips = track.measures
    if not track.has_face:
        lips = lips * (pred[:, 1].mean() / lips[:, 1].mean())
    times, steps = np.arange(len(pred)) / fps, round(MAX_LAG / LAG_STEP)
    inner = (times >= MAX_LAG) & (times <= times[-1] - MAX_LAG)
    of_track = np.arange(len(lips)) / track.fps
    found = []
    for lag in np.arange(-steps, steps + 1) * LAG_STEP:
        shifted = np.stack([np.interp(times + lag, of_track, curve) for curve in lips.T], 1)
        r_open, r_width = (_correlation(pred[inner, i], shifted[inner, i]) for i in (0, 1))
        found.append((r_open + r_width, r_open, float(lag), shifted))
    _, r_open, lag, shifted = max(found, key=lambda one: one[0])
    if r_open < LEAST_R:
        raise DataError(
            f"The lips of {track.name} do not follow the speech (r = {r_open:.2f}).",
            "Check that both are of the same clip and begin together.",
        )
    return torch.from_numpy(shifted.astype(np.float32)), lag


def lip_error(pred: Tensor, target: Tensor) -> Tensor:
    """Compare measures of the lips (t, m): correlation, amplitude and mean.

    The mean over measures of 2 (1 - r) + ((σ̂ - σ)² + (μ̂ - μ)²) / σ²; r is Pearson's, σ the standard
    deviation and μ the mean over time, and σ counts as `LEAST_SPREAD` at least. A mean squared
    error has 2 (1 - r) σ̂ / σ for the first term, and so prefers lips that move less than the
    person's.
    """
    mean, true_mean = pred.mean(0), target.mean(0)
    centred, true = pred - mean, target - true_mean
    spread = centred.square().mean(0).clamp(min=1e-12).sqrt()  # √ has no slope at 0
    true_spread = true.square().mean(0).sqrt()
    unit = true_spread.clamp(min=LEAST_SPREAD)
    r = (centred * true).mean(0) / (spread.clamp(min=LEAST_SPREAD) * unit)
    apart = (spread - true_spread).square() + (mean - true_mean).square()
    return (2 * (1 - r) + apart / unit.square()).mean()


def _correlation(a: np.ndarray, b: np.ndarray) -> float:
    """Compute Pearson's r of two curves (t,); 0 where one of them is constant."""
    return float(((a - a.mean()) * (b - b.mean())).mean() / max(a.std() * b.std(), 1e-12))
