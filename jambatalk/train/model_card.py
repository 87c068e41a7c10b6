"""The model card of the bundled checkpoint: what it is, from what, how good, its licence."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from jambatalk.model.config import JambaTalkConfig

TEMPLATE = Path(__file__).with_suffix(".md")


def write_model_card(
    folder: Path, config: JambaTalkConfig, training: dict, decoder_parameters: int
) -> None:
    """Writes `README.md` into a checkpoint folder.

    Args:
        training: what :func:`jambatalk.train.loop.train` wrote to `training.json`.
    """
    scores, how = training["held_out"], training["config"]
    captured = [style for style in config.styles if f"{style}.r_jaw" in scores]
    figures = [
        f"| {style} | {scores[f'{style}.r_aperture']:.2f} | {scores[f'{style}.r_jaw']:.2f} "
        f"| {scores[f'{style}.vertices']:.2f} |"
        for style in captured
    ]
    (folder / "README.md").write_text(
        TEMPLATE.read_text().format(
            actions=len(config.actions),
            fps=config.fps,
            day=date.today().isoformat(),
            heard=" and ".join(map(str, config.encoder.layers)),
            layers=", ".join(config.layers).replace("mamba_moe", "mamba with experts"),
            decoder=decoder_parameters / 1e6,
            styles="\n".join(
                f"- **{style}**: {config.style_notes[style]}" for style in config.styles
            ),
            figures="\n".join(figures),
            clips=", ".join(f"{scores[f'{style}.recordings']} {style}" for style in captured),
            examples=training["examples"],
            looks=how["steps"] // how["evaluate_every"],
            **how,
        )
    )
