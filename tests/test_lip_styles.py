"""Speaking styles: captured and designed ones, made of the same lips."""

import numpy as np
import pytest

from jambatalk import Face, load_head
from jambatalk.face.lips import aperture, width
from recipes.checkpoint.captured.clip import Clip
from recipes.checkpoint.captured.facegood import STYLE as MANDARIN_WOMAN
from recipes.checkpoint.captured.grid_corpus import STYLE as ENGLISH_MAN
from recipes.checkpoint.corpus.phones import Phone
from recipes.checkpoint.corpus.recording import Recording
from recipes.checkpoint.lip_styles.speakers import NOTES
from recipes.checkpoint.training.styled_clips import StyledMotion

FPS = 30.0


@pytest.fixture(scope="module")
def face() -> Face:
    return load_head(1)


@pytest.fixture(scope="module")
def styled(face: Face) -> StyledMotion:
    """Styles whose blendshapes are those of made-up clips: jaw, lips, pucker and stretch."""
    rng, clips = np.random.default_rng(0), []
    moving = [
        k
        for k, name in enumerate(face.blendshapes)
        if name.startswith(("jawOpen", "mouthLowerDown", "mouthUpperUp", "mouthPucker"))
        or name.startswith("mouthStretch")
    ]
    for style in (ENGLISH_MAN, MANDARIN_WOMAN):
        weights = np.zeros((300, len(face.blendshapes)), np.float32)
        weights[:, moving] = 0.3 * rng.random((300, len(moving))) * rng.random((300, 1))
        clips.append(Clip(style, np.zeros(160_000, np.float32), weights, FPS, style))
    return StyledMotion(clips, [], face)


@pytest.fixture(scope="module")
def lips() -> np.ndarray:
    """Standardised lips (t, 2) that open and close five times a second."""
    time = np.arange(90) / FPS
    return np.stack([np.sin(2 * np.pi * 5 * time), np.cos(2 * np.pi * 3 * time)], 1)


def motion(styled: StyledMotion, lips: np.ndarray, style: str) -> np.ndarray:
    return styled.of_lips(lips)[list(NOTES).index(style)]


def test_lips_follow_the_same_course_in_every_style(
    face: Face, styled: StyledMotion, lips: np.ndarray
) -> None:
    assert list(styled.styles) == list(NOTES)
    for weights in styled.of_lips(lips):
        assert weights.min() >= 0
        assert weights.max() <= 1
        assert np.corrcoef(aperture(face, weights), lips[:, 0])[0, 1] > 0.9
        assert aperture(face, weights).min() > -1e-4


def test_styles_have_their_range_and_posture(
    face: Face, styled: StyledMotion, lips: np.ndarray
) -> None:
    def opened(style: str) -> float:
        return float(aperture(face, motion(styled, lips, style)).std())

    assert opened("expansive") > 1.5 * opened("reserved")
    assert opened("theatrical") > 1.2 * opened("neutral") > 1.2 * opened("relaxed")
    smile = face.blendshapes.index("mouthSmileLeft")
    assert motion(styled, lips, "smiling")[:, smile].min() > 0.3
    wide, plain, round_ = (
        width(face, motion(styled, lips, style)).mean()
        for style in ("smiling", "neutral", "pouting")
    )
    assert wide > plain > round_


def test_sharp_styles_move_faster_than_soft_ones(
    face: Face, styled: StyledMotion, lips: np.ndarray
) -> None:
    def speed(style: str) -> float:
        opened = aperture(face, motion(styled, lips, style))
        return float(np.diff(opened).std() / styled.styles[style].range.spread[0])

    assert speed("crisp") > speed("neutral") > speed("relaxed")


def test_posture_is_held_at_rest_with_closed_lips(face: Face, styled: StyledMotion) -> None:
    rest = styled.resting_faces()
    assert aperture(face, rest).max() < 1e-4
    smiling = rest[list(NOTES).index("smiling")]
    assert smiling[face.blendshapes.index("mouthSmileRight")] > 0.3
    assert not rest[list(NOTES).index("neutral")].any()


def test_lips_close_in_bilabials_in_every_style(face: Face, styled: StyledMotion) -> None:
    phones = [Phone("SIL", 0, 0.5), Phone("AA", 0.5, 1), Phone("M", 1, 1.1), Phone("AA", 1.1, 2)]
    recording = Recording(
        "a", "here", "me", "en", "train", np.zeros(32_000, np.float32), phones, "", "text"
    )
    wide_open = np.ones((60, 2), np.float32)
    (clip,) = styled.labelled_clips([recording], {"here/a": wide_open})
    opened = aperture(face, clip.weights) * 1e3  # (s, t)
    assert opened[:, 31:33].max() < 0.3
    assert opened[:, 20:25].min() > 2.0
    smile = face.blendshapes.index("mouthSmileLeft")
    assert clip.weights[list(NOTES).index("smiling"), 32, smile] > 0.3  # through the closure
