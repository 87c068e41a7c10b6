"""Model cards: what a checkpoint is, from what, how good, its licence."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from jambatalk.data.dataset import Dataset
from jambatalk.model.config import JambaTalkConfig
from jambatalk.model.encoder import FEATURE_RATE
from jambatalk.train.config_file import dump_config
from jambatalk.train.training_config import TrainingConfig
from recipes.checkpoint.corpus.speech_sources import SOURCES

TEMPLATE = (
    Path(__file__).parents[2] / "recipes" / "checkpoint" / "model_card.md"
)  # of the bundled checkpoint
RUN = Path(__file__).with_name("run_card.md")  # of everybody else's
CARD = "README.md"


def write_model_card(
    folder: Path, config: JambaTalkConfig, training: dict, encoder: int, decoder: int
) -> None:
    """Writes the bundled checkpoint's `README.md` into its folder.

    Args:
        training: what :class:`recipes.checkpoint.training.styled_task.StyledTask` wrote to `training.json`.
        encoder, decoder: how many weights they have.
    """
    scores, how = training["held_out"], training["config"]
    recordings, variants = training["recordings"], training["variants"]
    sources = [
        f"| {SOURCES[name].credit} | taught | {count} | {SOURCES[name].licence} |"
        for name, count in recordings.items()
        if name not in ("grid", "facegood")
    ]
    before, step, after = config.encoder.window
    captured = [style for style in config.styles if f"{style}.r_jaw" in scores]
    figures = [
        f"| {style} | {scores[f'{style}.r_aperture']:.2f} | {scores[f'{style}.r_jaw']:.2f} "
        f"| {scores[f'{style}.vertices']:.2f} |"
        for style in captured
    ]
    (folder / CARD).write_text(
        TEMPLATE.read_text().format(
            blendshapes=len(config.blendshapes),
            fps=config.fps,
            day=date.today().isoformat(),
            heard=", ".join(map(str, config.encoder.layers)),
            window=f"{before / FEATURE_RATE:.2f} + {step / FEATURE_RATE:.2f} + "
            f"{after / FEATURE_RATE:.2f} s",
            ahead=(step + after + 1) / FEATURE_RATE,
            layers=", ".join(config.layers).replace("mamba_moe", "mamba with experts"),
            encoder=encoder / 1e6,
            decoder=decoder / 1e6,
            styles="\n".join(
                f"- **{style}**: {config.style_notes[style]}" for style in config.styles
            ),
            figures="\n".join(figures),
            clips=", ".join(f"{scores[f'{style}.recordings']} {style}" for style in captured),
            grid=recordings.get("grid", 0),
            facegood=recordings.get("facegood", 0),
            sources="\n".join(sources),
            examples=training["examples"],
            taught=variants.get("taught", 0),
            clip=variants.get("grid", 0),
            take=variants.get("facegood", 0),
            epochs=how["epochs"],
            batch=how["batch"],
            frames=how["data"]["cut"],
            seed=how["seed"],
        )
    )


def write_run_card(
    folder: Path,
    network: JambaTalkConfig,
    config: TrainingConfig,
    dataset: Dataset,
    scores: dict[str, float],
) -> None:
    """Writes the `README.md` of a checkpoint that was trained on somebody's recordings."""
    moves = f"offsets of {network.vertices} vertices, one unit of which is {network.unit:g} m"
    (folder / CARD).write_text(
        RUN.read_text().format(
            day=date.today().isoformat(),
            fps=network.fps,
            moves=moves
            if network.vertices
            else f"weights of {len(network.blendshapes)} blendshapes",
            dataset=dataset.name,
            recordings=len(dataset),
            subjects=len(dataset.subjects),
            styles=", ".join(network.styles),
            start=config.network.start or "nothing",
            encoder=network.encoder.source or network.encoder.kind,
            frozen="frozen" if network.encoder.frozen else "trained",
            val=config.data.val,
            scores="\n".join(f"| {name} | {value:.5g} |" for name, value in scores.items()),
            config=dump_config(config),
        )
    )
