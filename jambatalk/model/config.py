"""The network as data: the contents of `config.json`."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from jambatalk.errors import ModelError
from jambatalk.files.fields import Range, check, check_fields, read_fields

Layer = Literal["mamba", "mamba_moe", "attention"]
Kind = Literal["whisper", "wav2vec2", "hubert", "wavlm"]
Width = Annotated[int, Range(1, 65_536)]
Count = Annotated[int, Range(1, 1024)]
Small = Annotated[int, Range(1, 64)]
Feature = Annotated[int, Range(0, 3000)]

MAX_WEIGHTS = 4_000_000_000  # of encoder and of decoder; a damaged file must not fill the memory
# fmt: off
LAYERS: tuple[Layer, ...] = (
    "mamba", "mamba_moe", "attention", "mamba_moe", "mamba", "mamba_moe",
)
# fmt: on


@dataclass(frozen=True)
class WhisperConfig:
    """The shape of Whisper's encoder; the fields are named as in `transformers`."""

    d_model: Annotated[int, Range(4, 16_384)]
    encoder_layers: Count
    encoder_attention_heads: Count
    encoder_ffn_dim: Width
    num_mel_bins: Count

    def __post_init__(self) -> None:
        check_fields(self, "encoder.architecture.")
        if self.d_model % self.encoder_attention_heads or self.d_model % 2:
            raise ModelError(
                "encoder.architecture: encoder_attention_heads and 2 do not divide d_model.",
                "Give the values of a Whisper model.",
            )


@dataclass(frozen=True)
class EncoderConfig:
    """Which speech encoder, and which of its features the decoder uses.

    Attributes:
        kind: "whisper", "wav2vec2", "hubert" or "wavlm", a model type of `transformers`.
        layers: the hidden layers whose outputs the decoder mixes; 1 is the first.
        source: a hub name or local folder in the format of `transformers`; None for weights that
            the checkpoint itself holds (`encoder.safetensors`).
        architecture: without a source, the fields of the `transformers` configuration.
        resample: how 50 features a second become the motion's frames.
            "after": the encoder's output is interpolated at the time of each frame;
            "before": its convolutions' output is stretched to the number of frames and its
            transformer works at the motion's rate, as in the paper at 30 frames a second;
            "pairs": two features side by side make one frame, as in the paper at 25.
        window: features (of 20 ms) before, in and after each step of a moving window, on which
            alone the features of the step depend: speech of any length can be encoded as it
            arrives. None encodes a recording whole (in windows of 20 s if it is long). Whisper
            only.
        frozen: its weights are never trained, and stored in float16; otherwise they are trained
            and stored like the decoder's, even if they came from a source. Whisper's are frozen.
    """

    kind: Kind = "whisper"
    layers: Annotated[tuple[Count, ...], Range(1, 1000)] = (3, 4)
    source: str | None = None
    architecture: dict[str, Any] = field(default_factory=dict)
    resample: Literal["after", "before", "pairs"] = "after"
    window: tuple[Feature, Feature, Feature] | None = None
    frozen: bool = True

    def __post_init__(self) -> None:
        check_fields(self, "encoder.")
        if self.kind == "whisper" and not self.frozen:
            raise ModelError("Whisper is not trained here.", "Leave encoder.frozen true.")
        if self.kind == "whisper" and self.resample == "before":
            raise ModelError(
                "Whisper's features cannot be resampled before its transformer, whose positions "
                "are tied to 50 features a second.",
                "Set encoder.resample to 'after' or 'pairs'.",
            )
        if self.window is not None:
            if self.kind != "whisper" or self.resample != "after":
                raise ModelError(
                    "Only Whisper, resampled 'after', encodes in a moving window.",
                    "Leave encoder.window out.",
                )
            if self.window[1] < 1:
                raise ModelError(
                    f"encoder.window {list(self.window)} has a step of no features.",
                    "Give three numbers of features: before, in and after a step.",
                )
        if self.source is None and self.architecture:
            self._check_architecture()

    def _check_architecture(self) -> None:
        if self.kind == "whisper":
            shape = read_fields(WhisperConfig, self.architecture, "encoder.architecture.")
            width, hidden, layers = shape.d_model, shape.encoder_ffn_dim, shape.encoder_layers
        else:
            defaults = {"hidden_size": 768, "intermediate_size": 3072, "num_hidden_layers": 12}
            values = defaults | self.architecture
            for name, value in values.items():
                low, high = (1, 65_536) if name in defaults else (-1_000_000, 1_000_000)
                for item in value if isinstance(value, list | tuple) else [value]:
                    valid = low <= item <= high if isinstance(item, int) else name not in defaults
                    key = f"encoder.architecture.{name}"
                    check(valid, key, item, f"Give a whole number, {low:,} to {high:,}.")
            width, hidden, layers = (values[name] for name in defaults)
        _check_weights("encoder", layers * (4 * width**2 + 2 * width * hidden))


@dataclass(frozen=True)
class JambaTalkConfig:
    """Everything that determines the network's shape and meaning.

    Attributes:
        encoder: the speech encoder.
        encoder_width: channels of its features: of its hidden layers, twice that with "pairs".
        fps: frames a second of the motion.
        layers: the decoder, layer by layer.
        tied: layers of the same name are one module, run again.
        block: the wiring of the layers: "adaln", norms set by the speaking style and residuals
            (:mod:`jambatalk.model.decoder`), or "paper", as in the paper's code, without styles
            (:mod:`jambatalk.model.paper_decoder`).
        width: channels of the decoder.
        feed_forward: hidden channels behind attention; None for four times the width.
        d_state, d_conv, expand: of Mamba (N, the convolution's width and E of its paper).
        moe_d_state, moe_d_conv: of the Mamba beside experts; None for the same.
        experts, experts_per_frame: of each mixture of experts.
        second_expert: of the paper's block: "all" frames use one, "none" does, or "random": drawn
            by its weight while training, as published, and all frames otherwise.
        heads, kv_heads: of attention; several query heads share one key-value head.
        attention_window: frames before itself that a frame attends to; None attends to the whole
            recording.
        rotary_rank: rank of the learned correction to the rotary angles (LRL-RoPE).
        styles: names of the rows of the style table. The first is the neutral one, from which
            style strength is measured.
        style_notes: name → one sentence about where that style comes from.
        style_width: length of a style vector.
        dropout: while training.
        blendshapes: names of the predicted weights, in order; none where vertices are predicted.
        phones: names of the phones that the decoder recognises beside the motion, as it then does
            lip contact; none for neither. It needs blendshapes, among them mouthClose.
        vertices: of the mesh whose offsets from its template are predicted; 0 for blendshapes.
        unit: metres that one unit of predicted vertices is.
    """

    encoder: EncoderConfig = field(default_factory=EncoderConfig)
    encoder_width: Width = 384
    fps: Annotated[float, Range(1, 240)] = 30.0
    layers: Annotated[tuple[Layer, ...], Range(1, 256)] = LAYERS
    tied: bool = False
    block: Literal["adaln", "paper"] = "adaln"
    width: Annotated[int, Range(2, 16_384)] = 128
    feed_forward: Width | None = None
    d_state: Count = 16
    d_conv: Small = 4
    expand: Annotated[int, Range(1, 16)] = 2
    moe_d_state: Count | None = None
    moe_d_conv: Small | None = None
    experts: Small = 2
    experts_per_frame: Small = 2
    second_expert: Literal["all", "none", "random"] = "all"
    heads: Count = 4
    kv_heads: Count = 2
    attention_window: Annotated[int, Range(1, 100_000)] | None = 30
    rotary_rank: Annotated[int, Range(1, 4096)] = 16
    styles: Annotated[tuple[str, ...], Range(1, 10_000)] = ("neutral",)
    style_notes: dict[str, str] = field(default_factory=dict)
    style_width: Annotated[int, Range(0, 4096)] = 16
    dropout: Annotated[float, Range(0, 0.95)] = 0.1
    blendshapes: Annotated[tuple[str, ...], Range(0, 10_000)] = ()
    phones: Annotated[tuple[str, ...], Range(0, 1000)] = ()
    vertices: Annotated[int, Range(0, 1_000_000)] = 0
    unit: Annotated[float, Range(1e-9, 1000)] = 1.0

    def __post_init__(self) -> None:
        check_fields(self)
        if self.blendshapes and self.vertices:
            raise ModelError("Either blendshapes or vertices are predicted, not both.")
        if self.phones and (self.block == "paper" or "mouthClose" not in self.blendshapes):
            raise ModelError(
                "Phones are recognised beside mouthClose, and not in the paper's block.",
                "Leave phones out.",
            )
        for name in ("styles", "blendshapes", "phones"):
            if len(set(getattr(self, name))) < len(getattr(self, name)):
                raise ModelError(f"{name} has a name twice.", "Give each name once.")
        if self.width % self.heads or self.heads % self.kv_heads:
            raise ModelError(
                f"{self.heads} heads with {self.kv_heads} key-value heads do not divide "
                f"a width of {self.width}.",
                "Let heads divide width, and kv_heads divide heads.",
            )
        if (self.width // self.heads) % 2:
            raise ModelError(
                "Rotary embedding needs an even number of channels a head.",
                "Change width or heads.",
            )
        if self.encoder.resample == "pairs" and self.fps != 25:
            raise ModelError(
                f"Pairs of features make 25 frames a second, not {self.fps:g}.",
                "Set fps to 25, or resample 'after'.",
            )
        if self.block == "paper" and (
            self.style_width or self.experts < 2 or len(self.encoder.layers) > 1
        ):
            raise ModelError(
                "The paper's block has no styles, two experts or more, and one encoder layer.",
                "Set style_width to 0, experts to 2 and encoder.layers to one layer.",
            )
        inner, hidden = self.width * self.expand, self.feed_forward or 4 * self.width
        largest = max(  # of the layers
            self.width * inner * 4,
            self.width * (inner * 4 + self.experts * 8 * self.width),
            self.width * (4 * self.width + 2 * hidden),
        )
        ends = self.width * (self.encoder_width + self.outputs) + len(self.blendshapes) ** 2
        _check_weights("decoder", len(self.layers) * largest + ends)

    @property
    def streamable(self) -> bool:
        """Whether motion can be predicted as speech arrives: nothing needs a whole recording."""
        causal = self.attention_window is not None or "attention" not in self.layers
        return self.encoder.window is not None and self.block == "adaln" and causal

    @property
    def outputs(self) -> int:
        """The number of values predicted for a frame."""
        return 3 * self.vertices or len(self.blendshapes)

    def block_keys(self, names: Sequence[str]) -> list[str]:
        """Return the key of each block's module: its name if layers are tied, else its index."""
        return list(names) if self.tied else [str(index) for index in range(len(names))]

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, for config.json."""
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> JambaTalkConfig:
        """Read the values of :meth:`to_dict`.

        Raises:
            ModelError: a field that does not exist or has no valid value.
        """
        return read_fields(cls, values)


def _check_weights(part: str, count: int) -> None:
    if count > MAX_WEIGHTS:
        raise ModelError(
            f"The network's configuration describes a {part} of {count:.1g} weights.",
            f"Give sizes that make less than {MAX_WEIGHTS:.0g}.",
        )
