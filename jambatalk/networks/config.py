"""The published networks as data: the contents of their `config.json`."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from jambatalk.errors import ModelError
from jambatalk.files.fields import Range, check_fields, read_fields
from jambatalk.model.config import Count, EncoderConfig, Kind, Width

HEADS = 4  # of the decoders of FaceFormer, CodeTalker and SelfTalk
Name = Literal[
    "faceformer",
    "codetalker",
    "selftalk",
    "facexhubert",
    "facediffuser",
    "facediffuser_beat",
    "facediffuser_rig",
]


@dataclass(frozen=True)
class NetworkConfig:
    """What determines a network's shape and meaning.

    Attributes:
        network: its name; FaceDiffuser is three networks.
        encoder: fields of the configuration of its wav2vec 2.0 or HuBERT in `transformers`; the
            others are the default.
        fps: frames a second of the motion.
        width: channels of the decoder or GRU.
        layers: of the decoder or GRU.
        styles: names of what the network can be conditioned on, the first of them neutral.
        vertices: of the mesh whose offsets from its template are predicted; 0 for blendshapes.
        blendshapes: names of the predicted weights, in order; none where vertices are predicted.
        axes: metres that one unit along x, y and z is; negative where the axis is turned round.
        relative: coordinates were divided by the extent of the subject's template along each axis:
            a unit is then so many extents, not metres.
        longest: frames of a recording, the limit of the published code; None for no limit.
    """

    network: Name
    encoder: dict[str, Any] = field(default_factory=dict)
    fps: Annotated[float, Range(25, 30)] = 30.0
    width: Width = 64
    layers: Count = 1
    styles: Annotated[tuple[str, ...], Range(1, 10_000)] = ("neutral",)
    vertices: Annotated[int, Range(0, 1_000_000)] = 0
    blendshapes: Annotated[tuple[str, ...], Range(0, 10_000)] = ()
    axes: Annotated[tuple[float, ...], Range(3, 3)] = (1.0, 1.0, 1.0)
    relative: bool = False
    longest: Count | None = None

    # as a JambaTalkConfig answers
    phones = ()
    streamable = False  # every one of them encodes the whole recording first
    style_width = 0

    def __post_init__(self) -> None:
        check_fields(self)
        EncoderConfig(self.encoder_kind, architecture=self.encoder)  # checks them
        if bool(self.vertices) == bool(self.blendshapes):
            raise ModelError("Either vertices or blendshapes are predicted, one of the two.")
        for name in ("styles", "blendshapes"):
            if len(set(getattr(self, name))) < len(getattr(self, name)):
                raise ModelError(f"{name} has a name twice.", "Give each name once.")
        if 0 in self.axes:
            raise ModelError("axes cannot be 0.", "Give metres.")
        if self.network in ("faceformer", "codetalker", "selftalk") and self.width % HEADS:
            raise ModelError(f"{HEADS} heads do not divide a width of {self.width}.")
        if self.network == "facexhubert" and (self.fps != 25 or len(self.styles) % 2):
            raise ModelError("FaceXHuBERT has two styles a subject, and 25 frames a second.")

    @property
    def encoder_kind(self) -> Kind:
        """What kind of speech encoder the network has."""
        hubert = self.network.startswith(("facediffuser", "facexhubert"))
        return "hubert" if hubert else "wav2vec2"

    @property
    def features_per_frame(self) -> int:
        """Features of 50 Hz that make a frame; 1 where they are stretched to the frames."""
        return 2 if self.fps == 25 else 1

    @property
    def outputs(self) -> int:
        """The number of values predicted for a frame."""
        return 3 * self.vertices or len(self.blendshapes)

    @property
    def style_notes(self) -> dict[str, str]:
        """Name of a style → where it comes from, one sentence."""
        return {}

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, for config.json."""
        return dataclasses.asdict(self)


@dataclass(frozen=True)
class DiffuserConfig(NetworkConfig):
    """FaceDiffuser.

    Attributes:
        steps: of the diffusion.
        sampling_steps: how many of them are taken without drawing anything but the start (DDIM,
            which the published code does not have); None for all of them as published.
        skipped_steps: how many of the first steps are left out, as the published code can; it then
            starts from noise of the strength that they leave.
        token_width: channels of the diffusion step; those of the GRU where vertices are predicted.
    """

    steps: Annotated[int, Range(1, 5000)] = 1000
    sampling_steps: Annotated[int, Range(1, 5000)] | None = None
    skipped_steps: Annotated[int, Range(0, 4999)] = 0
    token_width: Width = 256

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.skipped_steps >= self.steps:
            raise ModelError(f"{self.skipped_steps} of {self.steps} steps cannot be skipped.")


@dataclass(frozen=True)
class CodeTalkerConfig(NetworkConfig):
    """CodeTalker: the second stage as in any network, and the autoencoder of motion.

    Attributes:
        hidden: channels of the autoencoder.
        blocks: of its encoder, and as many of its decoder.
        feed_forward: channels within a block.
        attention_heads: of a block.
        parts: codes of a frame.
        code_width: channels of a code.
        codes: in the codebook.
        narrow: a linear map lies between the autoencoder's channels and the codes (BIWI).
    """

    hidden: Width = 1024
    blocks: Count = 6
    feed_forward: Width = 1536
    attention_heads: Count = 8
    parts: Count = 16
    code_width: Width = 64
    codes: Width = 256
    narrow: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.hidden % self.attention_heads:
            raise ModelError(
                f"{self.attention_heads} attention_heads do not divide {self.hidden} channels."
            )


CONFIGS: dict[str, type[NetworkConfig]] = {
    "codetalker": CodeTalkerConfig,
    "facediffuser": DiffuserConfig,
    "facediffuser_beat": DiffuserConfig,
    "facediffuser_rig": DiffuserConfig,
}


def config_of(values: Any) -> NetworkConfig:
    """Read the values of :meth:`NetworkConfig.to_dict`.

    Raises:
        ModelError: a field that does not exist or has no valid value.
    """
    name = values.get("network") if isinstance(values, dict) else None
    return read_fields(CONFIGS.get(str(name), NetworkConfig), values)
