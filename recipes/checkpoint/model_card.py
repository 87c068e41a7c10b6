"""The bundled checkpoint's model card: data, scores, architecture, licence."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

from jambatalk.model.config import JambaTalkConfig
from jambatalk.model.encoder import FEATURE_RATE
from recipes.checkpoint.corpus.speech_sources import SOURCES

TEMPLATE = Path(__file__).with_name("model_card.md")
CARD = "README.md"
# what `network.start` of the bundled checkpoint is
EARLIER = """\
It starts from `checkpoints/default` of revision `d4bfc5f`, which was trained for 60 epochs from
random weights on the earlier heads, whose blendshapes have the same names.
"""


def write_model_card(
    folder: Path, config: JambaTalkConfig, training: dict[str, Any], encoder: int, decoder: int
) -> None:
    """Write the bundled checkpoint's `README.md` into its folder.

    Args:
        training: content of `training.json`, see
            :class:`recipes.checkpoint.training.style_task.StyleTask`.
        encoder, decoder: numbers of their weights.
    """
    scores, run = training["held_out"], training["config"]
    recordings, variants = training["recordings"], run["data"]["variants"]
    sources = [
        f"| {SOURCES[name].credit} | labelled | {count} | {SOURCES[name].licence} |"
        for name, count in recordings.items()
        if name in SOURCES and name not in ("grid", "facegood")
    ]
    window = config.encoder.window or (0, 0, 0)
    before, step, after = (count / FEATURE_RATE for count in window)
    styles = [style for style in config.styles if f"{style}.r_jaw" in scores]
    figures = [
        f"| {style} | {scores[f'{style}.r_aperture']:.2f} | {scores[f'{style}.r_jaw']:.2f} "
        f"| {scores[f'{style}.vertices']:.2f} |"
        for style in styles
    ]
    card = TEMPLATE.read_text(encoding="utf-8").format(
        blendshapes=len(config.blendshapes),
        fps=config.fps,
        day=date.today().isoformat(),
        encoder_layers=", ".join(map(str, config.encoder.layers)),
        window=f"{before:.2f} + {step:.2f} + {after:.2f} s",
        lookahead=step + after + 1 / FEATURE_RATE,
        layers=", ".join(config.layers).replace("mamba_moe", "mamba with experts"),
        encoder=encoder / 1e6,
        decoder=decoder / 1e6,
        styles="\n".join(f"- **{style}**: {config.style_notes[style]}" for style in config.styles),
        figures="\n".join(figures),
        clips=", ".join(f"{scores[f'{style}.recordings']} {style}" for style in styles),
        grid=recordings.get("grid", 0),
        people=recordings.get("people", 0),
        spliced=recordings.get("spliced", 0),
        facegood=recordings.get("facegood", 0),
        sources="\n".join(sources),
        examples=training["examples"],
        labelled_variants=variants.get("labelled", 0),
        grid_variants=variants.get("grid", 0),
        facegood_variants=variants.get("facegood", 0),
        changes=_changes(run),
        start=EARLIER if run["network"]["start"] else "",
        epochs=run["epochs"],
        batch=run["batch"],
        crop=run["data"]["crop"],
        seed=run["seed"],
    )
    (folder / CARD).write_text(card, encoding="utf-8")


def _changes(run: dict[str, Any]) -> str:
    """Return what the command of a run changes of `train.yaml` that bears on its result."""
    start = run["network"]["start"]
    if not start:
        return ""
    rate = run["optimizer"]["learning_rate"]
    return f" network.start={start} optimizer.learning_rate={rate:g} epochs={run['epochs']}"
