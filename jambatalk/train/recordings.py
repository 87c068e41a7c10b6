"""Learning from the recordings of a training set, vertices or weights."""

from __future__ import annotations

import logging
from collections import defaultdict
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from jambatalk.data.dataset import Dataset, Recording
from jambatalk.data.registry import open_dataset
from jambatalk.errors import DataError
from jambatalk.face.face import Face
from jambatalk.face.library import load_head, write_heads
from jambatalk.face.user_face import guess_unit, make_heads, read_mask
from jambatalk.model.config import JambaTalkConfig
from jambatalk.model.jambatalk import JambaTalk
from jambatalk.motion.motion import Motion
from jambatalk.render.thumbnail import draw_thumbnails
from jambatalk.render.video import draw_video
from jambatalk.speech import SAMPLE_RATE, Speech
from jambatalk.train.losses import MotionLoss, VertexLoss
from jambatalk.train.model_card import write_run_card
from jambatalk.train.network import build_network
from jambatalk.train.task import Draw
from jambatalk.train.training_config import TrainingConfig
from jambatalk.train.training_module import Learner

log = logging.getLogger(__name__)

NEUTRAL_SHARE = 0.5  # of the examples teach the neutral style, the others their subject's
FILM_SECONDS = 8.0
SLACK = 2  # frames that headers may promise too many


class RecordingTask:
    """A network that learns a training set (a :class:`jambatalk.train.task.Task`).

    Raises:
        DataError: see :func:`open_dataset`. FaceError: mesh or lips do not fit the set.
        ModelError: see :func:`build_network`.
    """

    def __init__(self, config: TrainingConfig) -> None:
        self.config = config
        data = config.data
        train, self.held_out = (
            open_dataset(data.set, data.folder, split) for split in (data.train, data.val)
        )
        self.unit, self.faces, lips = 1.0, {}, None  # faces: of vertices, by subject
        if train.templates:
            masks = read_mask(config.face.lips)
            self.unit = guess_unit(next(iter(train.templates.values())))
            heads = make_heads(config.face.mesh, train.templates, masks, self.unit)
            self.faces = {face.name: face for face in heads}
            lips = masks["lips"] if config.loss.reads_lips else None
        torch.manual_seed(config.seed)
        network = build_network(config.network, train, self.unit, lips)
        loss = MotionLoss(load_head(1)) if train.blendshapes else VertexLoss()
        self.learner = Learner(network, loss)
        if train.blendshapes and config.network.start is None:
            # every output moves the face equally far
            self.model.decoder.output_units.copy_(loss.units(config.loss))
        self.view = RecordingView(self.model.config, self.unit)
        self.examples = Cuts(train, self.view, data.cut)

    @property
    def model(self) -> JambaTalk:
        """What is kept of the learner."""
        return self.learner.model

    @torch.inference_mode()
    def check(self) -> dict[str, float]:
        """The mean losses of whole recordings that are held out; "error" is their weighted sum."""
        self.learner.eval()
        sums: defaultdict[str, float] = defaultdict(float)
        for recording in self.held_out:
            motion, predicted = self._predict(recording)
            losses = self.learner.compare(predicted, motion)
            losses["error"] = self.config.loss.total(losses)
            for name, loss in losses.items():
                sums[name] += loss.item() / len(self.held_out)
        return dict(sums)

    def keep(self, folder: Path, scores: dict[str, float]) -> None:
        """Writes network, heads and model card."""
        self.model.save_pretrained(folder)
        if self.faces and not (folder / "heads").exists():
            write_heads(folder / "heads", list(self.faces.values()))
            draw_thumbnails(folder / "heads", self.faces.values())
        write_run_card(folder, self.model.config, self.config, self.examples.dataset, scores)

    @torch.inference_mode()
    def film(self, path: Path) -> None:
        """Writes a held-out recording as it was captured beside what is predicted for it."""
        self.learner.eval()
        recording = self.held_out[0]
        both = [values[0].float().cpu().numpy() for values in self._predict(recording)]
        frames = min(*map(len, both), round(FILM_SECONDS * recording.fps))
        motions = [self._motion(values[:frames], recording) for values in both]
        samples = recording.audio[: round(frames / recording.fps * SAMPLE_RATE)]
        draw_video(motions, Speech(samples, recording.name), path, captions=["Captured", "Network"])

    def _predict(self, recording: Recording) -> tuple[Tensor, Tensor]:
        """What was captured and what is predicted, both (1, t, k)."""
        samples, motion = self.view.tensors(recording)
        style = torch.tensor([self.view.style(recording)])
        return motion[None], self.learner.predict(samples[None], len(motion), style)

    def _motion(self, values: np.ndarray, recording: Recording) -> Motion:
        if recording.weights is not None:
            return Motion(values.clip(0, 1), recording.fps, load_head(1))
        offsets = values.reshape(len(values), -1, 3) * np.float32(self.model.config.unit)
        face: Face = self.faces[recording.subject]
        return Motion.of_vertices(offsets, recording.fps, face)


class RecordingView:
    """Recordings as a network sees them.

    Args:
        unit: metres that one unit of the set's vertices is.
    """

    def __init__(self, config: JambaTalkConfig, unit: float) -> None:
        self.scale = np.float32(unit / config.unit)
        self.styles = config.styles

    def tensors(self, recording: Recording) -> tuple[Tensor, Tensor]:
        """Samples (n,), loudness_normalised, and motion (t, k): offsets in the network's unit, or weights."""
        samples = Speech(recording.audio, recording.name).loudness_normalised()
        if recording.weights is not None:
            return torch.from_numpy(samples), torch.from_numpy(recording.weights)
        offsets = (recording.vertices - recording.template) * self.scale
        return torch.from_numpy(samples), torch.from_numpy(offsets).flatten(1)

    def style(self, recording: Recording) -> int:
        """The row of the style table that is the subject's; the neutral one for strangers."""
        known = recording.subject in self.styles
        return self.styles.index(recording.subject) if known else 0


class Cuts:
    """Random pieces of recordings, or recordings as a whole, each once an epoch.

    Args:
        frames: of a piece; None for the whole.

    Raises:
        DataError: no recording is long enough.
    """

    def __init__(self, dataset: Dataset, view: RecordingView, frames: int | None) -> None:
        self.dataset, self.view, self.frames = dataset, view, frames
        least = (frames or 0) + SLACK
        self.long = [i for i in range(len(dataset)) if dataset.frame_count(i) >= least]
        if short := len(dataset) - len(self.long):
            log.warning("%d recordings are shorter than %d frames: left out.", short, least)
        if not self.long:
            raise DataError(
                f"No recording of '{dataset.name}' has {least} frames.", "Lower data.cut."
            )

    def __len__(self) -> int:
        return len(self.long)

    def order(self, rng: np.random.Generator) -> np.ndarray:
        """Each recording once, shuffled."""
        return rng.permutation(self.long)

    def __getitem__(self, draw: Draw) -> tuple[Tensor, Tensor, Tensor]:
        """Samples (n,), motion (t, k) and the row of a style."""
        index, seed = draw
        recording, rng = self.dataset[index], np.random.default_rng(seed)
        samples, motion = self.view.tensors(recording)
        style = self.view.style(recording) if rng.random() >= NEUTRAL_SHARE else 0
        if self.frames is not None:
            start = int(rng.integers(len(motion) - self.frames + 1))
            motion = motion[start : start + self.frames]
            first, count = (round(n / recording.fps * SAMPLE_RATE) for n in (start, self.frames))
            first = min(first, max(0, len(samples) - count))  # both were rounded
            samples = samples[first : first + count]
        return samples, motion, torch.tensor(style)
