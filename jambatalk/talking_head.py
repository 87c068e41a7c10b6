"""The one object that turns speech into a talking head."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from jambatalk.errors import ModelError, MotionError, abbreviate
from jambatalk.face.face import Face
from jambatalk.face.library import BUNDLED, HeadLibrary, checkpoint_heads
from jambatalk.files.bundled import DEFAULT_CHECKPOINT
from jambatalk.motion.mood import Mood, check_mood
from jambatalk.motion.mood.tags import MoodSpan, mood_curve, read_tags
from jambatalk.motion.motion import Motion
from jambatalk.motion.nonverbal import STILL, Nonverbal, blend, check_seed, nonverbal_values
from jambatalk.motion.stream import MotionStream, to_motion
from jambatalk.progress import Progress, no_progress
from jambatalk.render.view import View
from jambatalk.speech import Recording, Speech

if TYPE_CHECKING:
    from torch import Tensor

    from jambatalk.model.jambatalk import JambaTalk
    from jambatalk.model.phones import TimedPhone
    from jambatalk.model.speaking_style import SpeakingStyle, Style
    from jambatalk.networks.network import Network
    from jambatalk.styles.fit import StyleFit
    from jambatalk.styles.lip_track import LipTrack

    Features = tuple[Tensor, ...]  # of one recording, piece by piece


FETCH_AGAIN = "Fetch the checkpoint again, with its folder of heads."


class TalkingHead:
    """Speech to motion to video, with one loaded network.

    But for the styles that are added to it, it keeps no state between calls, so that several
    threads may share one.

    Example:
        >>> talking_head = TalkingHead.from_pretrained()
        >>> motion = talking_head.animate("speech.wav", "crisp", head="mara")
        >>> talking_head.video(motion, "speech.wav", "speech.mp4")
    """

    def __init__(self, model: JambaTalk | Network, heads: HeadLibrary = BUNDLED) -> None:
        self.model = model
        self.heads = heads  # that it can move

    @classmethod
    def from_pretrained(
        cls, source: str | Path = DEFAULT_CHECKPOINT, device: str = "auto"
    ) -> TalkingHead:
        """Load a checkpoint.

        Args:
            source: a folder, or OWNER/NAME on the Hugging Face hub; the bundled one by default.
            device: "auto" for a GPU where there is one, "cpu", "cuda" or "cuda:N".

        Raises:
            ModelError: no such device, no such checkpoint, or a damaged one.

        Example:
            >>> talking_head = TalkingHead.from_pretrained(device="cpu")
        """
        from jambatalk.model.checkpoint import fetch_checkpoint  # torch takes seconds to import
        from jambatalk.model.device import choose_device
        from jambatalk.networks.checkpoint import load_network

        device = choose_device(device)
        folder = fetch_checkpoint(source)
        return cls(load_network(folder, device), checkpoint_heads(folder))

    @property
    def styles(self) -> tuple[str, ...]:
        """Names of the speaking styles, neutral first."""
        return self.model.config.styles

    @property
    def style_notes(self) -> dict[str, str]:
        """Name of a style → where it comes from, one sentence."""
        return self.model.config.style_notes

    def add_style(self, path: str | Path) -> str:
        """Add a style of one's own, see :meth:`fit_style`, to :attr:`styles`.

        Call it before other threads use this talking head.

        Returns:
            Its name, that of the file.

        Raises:
            ModelError: there is no such style, it is of another checkpoint, or its name is taken.

        Example:
            >>> style = talking_head.add_style("me.safetensors")
            >>> motion = talking_head.animate("speech.wav", style)
        """
        from jambatalk.styles.own_style import OwnStyle

        model = self._jambatalk
        style, name = OwnStyle.read(path, model.decoder), Path(path).stem
        model.add_style(name, style.vector, "Own: Fitted to a clip of lips.")
        return name

    def fit_style(
        self, track: LipTrack | str | Path, speech: Recording, progress: Progress = no_progress
    ) -> StyleFit:
        """Fit a style to the lips of a clip, 10 s or more, better 30, see docs/styles.md.

        Args:
            track: of the lips, with the same start and end as the speech.
            speech: as for :meth:`animate`.

        Returns:
            The style, and how well it follows a part of the clip that was not fitted.

        Raises:
            DataError: a track that cannot be read or used, or is not of this speech. SpeechError:
            a recording that cannot be read or used. ModelError: a checkpoint without styles.

        Example:
            >>> fit = talking_head.fit_style("me.csv", "me.wav")
            >>> fit.style.save("me.safetensors")
        """
        from jambatalk.styles.fit import fit_style
        from jambatalk.styles.lip_track import LipTrack

        face = self.heads.load(1)
        track = track if isinstance(track, LipTrack) else LipTrack.read(track, face)
        return fit_style(self._jambatalk, face, track, Speech.of(speech), progress)

    def animate(
        self,
        speech: Recording,
        style: Style | None = None,
        strength: float = 1.0,
        head: str | int | Face = 1,
        nonverbal: Nonverbal | None = None,
        seed: int = 0,
        progress: Progress = no_progress,
        mood: Mood | None = None,
    ) -> Motion:
        """Animate a head that speaks a recording.

        Args:
            speech: a recording: a file's path, samples with their rate `(samples, rate)`, or a
                :class:`Speech`.
            style: a name from :attr:`styles`, or names with their shares; None for neutral.
            strength: of the style: 0 is neutral, 1 the style as learned, 1.5 exaggerated; of the
                neutral style itself, 0 is a still face.
            head: name or number of one of :attr:`heads`, or a face with the same vertices.
            nonverbal: which of blinks, brows, gaze and head motion to add; None for all.
            seed: of the nonverbal motion; the mouth does not depend on it, but for FaceDiffuser,
                which draws another sample for every seed.
            progress: called with a stage's name and the part of it that is done.
            mood: a name from :data:`jambatalk.MOODS`; "voice" for one that is as lively as the
                voice; names with intensities of 0 to 1.5; or a curve, [(second, mood), ...]. The
                lips open and close as without it. None for none.

        Returns:
            A motion with `round(duration * fps)` frames.

        Raises:
            SpeechError: a recording that cannot be read or used. ModelError: an unknown style or
            strength. FaceError: an unknown head. MotionError: an invalid seed or mood.
            Stopped: `progress` raised it.

        Example:
            >>> motion = talking_head.animate("speech.wav", "crisp", head="mara")
            >>> motion = talking_head.animate("speech.wav", mood=[(0, "happy"), (3, {"sad": 0.7})])
        """
        styles = [style or self.styles[0]]
        return self.compare(speech, styles, strength, head, nonverbal, seed, progress, mood)[0]

    def say(
        self,
        text: str,
        voice: str | None = None,
        style: Style | None = None,
        strength: float = 1.0,
        head: str | int = 1,
        nonverbal: Nonverbal | None = None,
        seed: int = 0,
        progress: Progress = no_progress,
        mood: Mood | None = None,
    ) -> tuple[Speech, Motion]:
        """Animate a head that says a text.

        Args:
            text: at most 2000 characters, in the language of the voice. Moods in it, such as
                "[happy] You came! [sad 0.6] It rains.", take the place of `mood`.
            voice: a name from :func:`jambatalk.list_voices`; None for the first of them.
            style, strength, head, nonverbal, seed, progress, mood: as for :meth:`animate`.

        Returns:
            The speech, the same for the same text and voice, and the motion to it.

        Raises:
            VoiceError: a text that cannot be said, an unknown voice, or none that is installed.
            SpeechError: speech that is too long. Others as :meth:`animate`.

        Example:
            >>> speech, motion = talking_head.say("Good morning.", voice="bm_george")
            >>> talking_head.video(motion, speech, "morning.mp4")
        """
        from jambatalk.voices import clean_text, load_voice

        said, spans = read_tags(clean_text(text))
        speech = load_voice(voice).synthesise(said, progress)
        mood = self.place_moods(said, spans, speech) or mood
        motion = self.animate(speech, style, strength, head, nonverbal, seed, progress, mood)
        return speech, motion

    def place_moods(self, said: str, spans: Sequence[MoodSpan], speech: Speech) -> Mood | None:
        """Place the moods of a text, see :func:`read_tags`, in the time of its speech.

        Returns:
            A mood for :meth:`animate`; None if there are no spans.
        """
        if not spans:
            return None
        times = [(0.0, speech.duration)]
        if self.model.config.phones:
            phones = self.phones(speech)
            times = [(phone.start, phone.end) for phone in phones if phone.name != "SIL"]
        return mood_curve(said, spans, times)

    def compare(
        self,
        speech: Recording,
        styles: Sequence[Style],
        strength: float = 1.0,
        head: str | int | Face = 1,
        nonverbal: Nonverbal | None = None,
        seed: int = 0,
        progress: Progress = no_progress,
        mood: Mood | None = None,
        features: Features | None = None,
    ) -> list[Motion]:
        """Animate the same recording in several styles, which encodes the speech once.

        Args:
            styles: one for each motion; the other arguments are those of :meth:`animate`.
            features: of this recording, see :meth:`encode`, which is then not encoded again.

        Returns:
            One motion for each style, all with the same nonverbal motion.

        Example:
            >>> motions = talking_head.compare("speech.wav", ["crisp", "smiling"])
        """
        import torch  # takes seconds

        check_seed(seed)
        check_mood(mood)
        speech, nonverbal = Speech.of(speech), Nonverbal.checked(nonverbal)
        face = self._face(head)
        template = torch.tensor(face.template)
        speaking = [
            self.model.style(style, strength)._replace(seed=seed, template=template)
            for style in styles
        ]
        progress("Encoding speech", 0.0)
        pieces = self.model.encode_pieces(speech, progress) if features is None else features
        predicted = self._predict(speech, pieces, speaking, progress)
        motions = [to_motion(frames, self.model.config, face) for frames in predicted]
        if motions and (nonverbal != STILL or mood is not None):  # the same for all styles
            values = nonverbal_values(speech, self.fps, len(motions[0]), seed, mood)
            motions = [blend(motion, values, nonverbal) for motion in motions]
        progress("Predicting motion", 1.0)
        return motions

    @property
    def _jambatalk(self) -> JambaTalk:
        """The network, for what JambaTalk alone can.

        Raises:
            ModelError: it is another.
        """
        from jambatalk.model.jambatalk import JambaTalk

        if isinstance(self.model, JambaTalk):
            return self.model
        raise ModelError(
            "This checkpoint's network has no styles of one's own, no phones and no stream.",
            "Use a checkpoint of JambaTalk.",
        )

    def _face(self, head: str | int | Face) -> Face:
        face = head if isinstance(head, Face) else self.heads.load(head)
        config = self.model.config
        if config.vertices and len(face.template) != config.vertices:
            raise MotionError(
                f"Head '{face.name}' has {len(face.template)} vertices; this checkpoint moves "
                f"{config.vertices}.",
                FETCH_AGAIN,
            )
        missing = [name for name in config.blendshapes if name not in face.blendshapes]
        if missing and len(missing) == len(config.blendshapes):
            raise MotionError(
                f"This checkpoint moves {len(missing)} controls of a rig of its own, such as "
                f"'{missing[0]}'; head '{face.name}' has none of them.",
                "It cannot be animated: its rig's face is not here. Use a checkpoint that moves "
                "vertices or ARKit's blendshapes, of FaceDiffuser 'vocaset', 'biwi' or 'beat'.",
            )
        if missing:
            raise MotionError(
                f"Head '{face.name}' lacks blendshapes that this checkpoint moves: "
                f"{abbreviate(missing)}.",
                FETCH_AGAIN,
            )
        return face

    def _predict(
        self,
        speech: Speech,
        features: Iterable[Tensor],
        styles: Sequence[SpeakingStyle],
        progress: Progress,
    ) -> Iterable[np.ndarray]:
        """Predict a recording in each style, (t, k) each, from the pieces of its features."""
        from jambatalk.model.encoder import count_frames
        from jambatalk.model.streaming_decoder import StreamingDecoder

        if speech.is_silent:  # the face rests
            frames = count_frames(speech.duration, self.fps)
            yield from np.zeros((len(styles), frames, self.model.config.outputs), np.float32)
            return
        if not self.model.config.streamable:
            (whole,) = features
            for done, style in enumerate(styles):
                progress("Predicting motion", done / len(styles))
                yield self.model.predict(whole, style).cpu().numpy()
            return
        decoder = StreamingDecoder(self._jambatalk, styles)
        yield from np.concatenate([decoder.decode(piece) for piece in features], 1)

    def encode(self, speech: Recording) -> Features:
        """Encode a recording for several calls: styles, moods and heads do not change its features.

        Args:
            speech: as for :meth:`animate`.

        Returns:
            What :meth:`compare` and :meth:`phones` take, 140 kB a second with the bundled network.

        Raises:
            SpeechError: a recording that cannot be read or used.

        Example:
            >>> features = talking_head.encode("speech.wav")
            >>> crisp = talking_head.compare("speech.wav", ["crisp"], features=features)
            >>> calm = talking_head.compare("speech.wav", ["relaxed"], features=features)
        """
        return tuple(self.model.encode_pieces(Speech.of(speech)))

    def phones(self, speech: Recording, features: Features | None = None) -> list[TimedPhone]:
        """Recognise the phones of a recording, with their times.

        Args:
            speech: as for :meth:`animate`.
            features: of this recording, see :meth:`encode`.

        Returns:
            Contiguous phones in ARPAbet, from 0 to the end; SIL is silence.

        Raises:
            SpeechError: a recording that cannot be read or used. ModelError: this checkpoint
            recognises no phones.

        Example:
            >>> [phone.name for phone in talking_head.phones("speech.wav")][:4]
            ['SIL', 'AE', 'N', 'D']
        """
        from jambatalk.model.phones import timed_phones

        model, speech = self._jambatalk, Speech.of(speech)
        logits = model.recognise(features or model.encode_pieces(speech))
        return timed_phones(logits.cpu().numpy(), self.model.config.phones, self.fps)

    def stream(
        self,
        style: Style | None = None,
        strength: float = 1.0,
        head: str | int = 1,
        nonverbal: Nonverbal | None = None,
        seed: int = 0,
        mood: Mood | None = None,
    ) -> MotionStream:
        """Start to animate speech as it arrives.

        All its pieces of motion together are what :meth:`animate` gives for the whole recording.

        Args:
            style, strength, head, nonverbal, seed, mood: as for :meth:`animate`.

        Raises:
            ModelError: an unknown style or strength, or a checkpoint that encodes recordings whole.
            FaceError: an unknown head. MotionError: an invalid seed or mood.

        Example:
            >>> stream = talking_head.stream("crisp", head="mara")
            >>> for samples in microphone:  # float32 at 16 kHz
            ...     show(stream.feed(samples))
            >>> show(stream.finish())
        """
        from jambatalk.model.streaming_decoder import StreamingDecoder

        speaking_style, face = self._resolve(style, strength, head)
        decoder = StreamingDecoder(self._jambatalk, [speaking_style])
        return MotionStream(decoder, face, nonverbal, seed, self._resolve, mood)

    def _resolve(
        self, style: Style | None, strength: float, head: str | int
    ) -> tuple[SpeakingStyle, Face]:
        return self.model.style(style or self.styles[0], strength), self._face(head)

    @property
    def fps(self) -> float:
        """Frames a second of the motion."""
        return self.model.config.fps

    def video(
        self,
        motions: Motion | Sequence[Motion],
        speech: Recording | None,
        path: str | Path,
        view: View | None = None,
        captions: Sequence[str] = (),
        progress: Progress = no_progress,
    ) -> Path:
        """Write one motion, or two to four side by side, as an MP4 with sound.

        Args:
            motions: one motion, or several of the same speech; those of another frame rate are
                resampled to that of the first.
            speech: recording for the sound, as for :meth:`animate`; None for a silent video.
            path: ends in ".mp4"; missing folders are created.
            view: size, angle and shading.
            captions: one for each of several motions.
            progress: as for :meth:`animate`.

        Returns:
            `path`.

        Raises:
            SpeechError: a recording that cannot be read or used. RenderError: no offscreen OpenGL.
            VideoError: the file cannot be written. Stopped: `progress` raised it.

        Example:
            >>> talking_head.video(motion, "speech.wav", "speech.mp4")
        """
        from jambatalk.render.video import draw_video

        motions = [motions] if isinstance(motions, Motion) else motions
        speech = None if speech is None else Speech.of(speech)
        return draw_video(motions, speech, path, view, captions, progress)
