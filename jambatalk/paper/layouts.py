"""The two layouts of the paper's network, as data. JambaTalk, arXiv 2408.01627."""

from dataclasses import replace

from jambatalk.model.config import LAYERS, EncoderConfig, JambaTalkConfig, Layer

# wav2vec2-large-xlsr-53, as fields of its configuration in `transformers`.
WAV2VEC2_LARGE = {
    "hidden_size": 1024,
    "num_hidden_layers": 24,
    "num_attention_heads": 16,
    "intermediate_size": 4096,
    "conv_bias": True,
    "feat_extract_norm": "layer",
    "do_stable_layer_norm": True,
    "vocab_size": 33,
}
# fmt: off
BIWI_LAYERS: tuple[Layer, ...] = (
    "mamba", "mamba_moe", "mamba", "mamba_moe", "attention",
    "mamba_moe", "mamba", "mamba_moe", "mamba", "mamba_moe",
)
# fmt: on
LETTERS = 33  # classes of the lip reader, the CTC blank among them

_COMMON = JambaTalkConfig(
    encoder=EncoderConfig("wav2vec2", layers=(24,), architecture=WAV2VEC2_LARGE, frozen=False),
    encoder_width=1024,
    block="paper",
    tied=True,
    feed_forward=2048,
    moe_d_state=8,
    moe_d_conv=8,
    attention_window=None,
    style_width=0,
    dropout=0.1,
)
LAYOUTS = {
    "vocaset": replace(
        _COMMON,
        encoder=replace(_COMMON.encoder, resample="before"),
        fps=30.0,
        layers=LAYERS,
        width=512,
        heads=8,
        kv_heads=8,
        vertices=5023,
    ),
    "biwi": replace(
        _COMMON,
        encoder=replace(_COMMON.encoder, resample="pairs"),
        encoder_width=2048,  # of a pair
        fps=25.0,
        layers=BIWI_LAYERS,
        width=1024,
        heads=4,
        kv_heads=4,
        vertices=3895,
    ),
}
