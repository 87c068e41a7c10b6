"""The network as data."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from jambatalk.errors import ModelError

Layer = Literal["mamba", "mamba_moe", "attention"]
LAYERS = ("mamba", "mamba_moe", "attention")
ENCODERS = ("whisper", "wav2vec2", "hubert", "wavlm")
Resampling = Literal["after", "before", "pairs"]
RESAMPLINGS = ("after", "before", "pairs")
BLOCKS = ("adaln", "paper")
SECOND_EXPERT = ("all", "none", "random")


@dataclass(frozen=True)
class EncoderConfig:
    """Which speech encoder, and what is heard of it.

    Attributes:
        kind: "whisper", "wav2vec2", "hubert" or "wavlm", a model type of `transformers`.
        layers: the hidden layers whose outputs the decoder mixes; 1 is the first.
        source: a hub name or local folder in the format of `transformers`; None for weights that
            lie in the checkpoint itself (`encoder.safetensors`).
        architecture: without a source, the fields of the `transformers` configuration.
        resample: how 50 features a second become the motion's frames.
            "after": the encoder's output is interpolated at the time of each frame;
            "before": its convolutions' output is stretched to the number of frames and its
            transformer works at the motion's rate, as JambaTalk was published for VOCASET;
            "pairs": two features side by side make one of 25 frames a second, as for BIWI.
        window: features (of 20 ms) heard before, in and after each step of a moving window, alone
            in which what is heard of a step lies: speech can be heard while it is spoken, however
            long. None hears a recording whole (in windows of 20 s where it is long). Whisper only.
        frozen: its weights are never trained, and kept in float16; otherwise they are trained and
            kept like the decoder's, also those that came from a source. Whisper's are frozen.
    """

    kind: str = "whisper"
    layers: tuple[int, ...] = (3, 4)
    source: str | None = None
    architecture: dict[str, Any] = field(default_factory=dict)
    resample: Resampling = "after"
    window: tuple[int, int, int] | None = None
    frozen: bool = True

    def __post_init__(self) -> None:
        if self.kind not in ENCODERS:
            raise ModelError(f"Unknown encoder '{self.kind}'.", f"Use {', '.join(ENCODERS)}.")
        if self.resample not in RESAMPLINGS:
            raise ModelError(
                f"Features cannot be resampled '{self.resample}'.", f"Use {', '.join(RESAMPLINGS)}."
            )
        if self.kind == "whisper" and not self.frozen:
            raise ModelError("Whisper is not trained here.", "Leave it frozen.")
        if self.kind == "whisper" and self.resample == "before":
            raise ModelError(
                "Whisper's features cannot be resampled before its transformer, whose positions "
                "are tied to 50 features a second.",
                "Use 'after' or 'pairs'.",
            )
        if self.window is not None:
            if self.kind != "whisper" or self.resample != "after":
                raise ModelError(
                    "Only Whisper, resampled 'after', is heard in a moving window.",
                    "Leave window out.",
                )
            if len(self.window) != 3 or min(self.window) < 0 or self.window[1] < 1:
                raise ModelError(
                    f"{list(self.window)} is no window.",
                    "Give three numbers of features: before, in and after a step.",
                )


@dataclass(frozen=True)
class JambaTalkConfig:
    """Everything that determines the network's shape and meaning.

    Attributes:
        encoder: the speech encoder.
        encoder_width: channels of its features: of its hidden layers, twice that with "pairs".
        fps: frames a second of the motion.
        layers: the decoder, block by block.
        tied: layers of the same name are one module, run again.
        block: what goes round the layers: "adaln", norms set by the speaking style and residuals
            (:mod:`jambatalk.model.decoder`), or "paper", as in the paper's code, without
            styles (:mod:`jambatalk.model.paper_decoder`).
        width: channels of the decoder.
        feed_forward: hidden channels behind attention; None for four times the width.
        d_state, d_conv, expand: of Mamba (its paper's N, convolution width and E).
        moe_d_state, moe_d_conv: of the Mamba beside experts; None for the same.
        experts, experts_per_frame: of each mixture of experts.
        second_expert: of the published block: "all" frames have one, "none" has, or "random":
            drawn by its share while training, as published, and all frames otherwise.
        heads, kv_heads: of attention; several query heads share one key-value head.
        attention_window: frames before itself that a frame attends to; None attends to the whole
            recording.
        rotary_rank: rank of the learned correction to the rotary angles (LRL-RoPE).
        styles: names of the rows of the style table. The first is the neutral one, from which
            style strength is measured.
        style_notes: name → one sentence about where that style comes from.
        style_width: length of a style vector.
        dropout: while training.
        blendshapes: names of what is predicted, in order; none where vertices are predicted.
        vertices: of the mesh whose offsets from its template are predicted; 0 for blendshapes.
        unit: metres that one unit of predicted vertices is.
    """

    encoder: EncoderConfig = field(default_factory=EncoderConfig)
    encoder_width: int = 384
    fps: float = 30.0
    layers: tuple[Layer, ...] = (
        *("mamba", "mamba_moe", "attention"),
        *("mamba_moe", "mamba", "mamba_moe"),
    )
    tied: bool = False
    block: Literal["adaln", "paper"] = "adaln"
    width: int = 128
    feed_forward: int | None = None
    d_state: int = 16
    d_conv: int = 4
    expand: int = 2
    moe_d_state: int | None = None
    moe_d_conv: int | None = None
    experts: int = 2
    experts_per_frame: int = 2
    second_expert: Literal["all", "none", "random"] = "all"
    heads: int = 4
    kv_heads: int = 2
    attention_window: int | None = 30
    rotary_rank: int = 16
    styles: tuple[str, ...] = ("neutral",)
    style_notes: dict[str, str] = field(default_factory=dict)
    style_width: int = 16
    dropout: float = 0.1
    blendshapes: tuple[str, ...] = ()
    vertices: int = 0
    unit: float = 1.0

    def __post_init__(self) -> None:
        for layer in self.layers:
            _known("layer", layer, LAYERS)
        _known("block", self.block, BLOCKS)
        _known("choice of second experts", self.second_expert, SECOND_EXPERT)
        if self.blendshapes and self.vertices:
            raise ModelError("Either blendshapes or vertices are predicted, not both.")
        if self.width % self.heads or self.heads % self.kv_heads:
            raise ModelError(
                f"{self.heads} heads with {self.kv_heads} key-value heads do not divide "
                f"a width of {self.width}.",
                "Let heads divide width, and kv_heads divide heads.",
            )
        if (self.width // self.heads) % 2:
            raise ModelError("Rotary embedding needs an even number of channels a head.")
        if self.encoder.resample == "pairs" and self.fps != 25:
            raise ModelError(
                f"Pairs of features make 25 frames a second, not {self.fps:g}.",
                "Set fps to 25, or resample 'after'.",
            )

    @property
    def streamable(self) -> bool:
        """Whether motion can be predicted as speech arrives: nothing asks for all of it."""
        looks_back = self.attention_window is not None or "attention" not in self.layers
        return self.encoder.window is not None and self.block == "adaln" and looks_back

    @property
    def outputs(self) -> int:
        """Numbers predicted a frame."""
        return 3 * self.vertices or len(self.blendshapes)

    def order(self, names: Sequence[str]) -> list[str]:
        """The key of the module that each of these layers runs: one a name where they are tied,
        one a place otherwise."""
        return list(names) if self.tied else [str(place) for place in range(len(names))]

    def to_dict(self) -> dict[str, Any]:
        """As plain values, for config.json."""
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> JambaTalkConfig:
        """Reads what :meth:`to_dict` gave.

        Raises:
            ModelError: a field that does not exist or has no valid value.
        """
        try:
            encoder = EncoderConfig(**_tuples(values.get("encoder", {})))
            return cls(**{**_tuples(values), "encoder": encoder})
        except TypeError as error:
            raise ModelError(f"The configuration does not fit this version ({error}).") from error


def _known(what: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        raise ModelError(f"Unknown {what} '{value}'.", f"Use {', '.join(known)}.")


def _tuples(values: dict[str, Any]) -> dict[str, Any]:
    """JSON knows no tuples: its lists become them."""
    return {key: tuple(v) if isinstance(v, list) else v for key, v in values.items()}
