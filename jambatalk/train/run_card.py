"""Model cards of trained checkpoints: data, scores, configuration, licence."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from jambatalk.data.dataset import Dataset
from jambatalk.model.config import JambaTalkConfig
from jambatalk.train.config_file import dump_config
from jambatalk.train.training_config import TrainingConfig

TEMPLATE = Path(__file__).with_name("run_card.md")
CARD = "README.md"


def write_run_card(
    folder: Path,
    network: JambaTalkConfig,
    config: TrainingConfig,
    dataset: Dataset,
    scores: dict[str, float],
) -> None:
    """Write the model card of a network trained on a data set, as `README.md` in its folder."""
    if network.vertices:
        outputs = f"offsets of {network.vertices} vertices in units of {network.unit:g} m"
    else:
        outputs = f"weights of {len(network.blendshapes)} blendshapes"
    card = TEMPLATE.read_text(encoding="utf-8").format(
        day=date.today().isoformat(),
        fps=network.fps,
        outputs=outputs,
        dataset=dataset.name,
        recordings=len(dataset),
        subjects=len(dataset.subjects),
        styles=", ".join(network.styles),
        start=config.network.start or "random weights",
        encoder=network.encoder.source or network.encoder.kind,
        frozen="frozen" if network.encoder.frozen else "trained",
        val=config.data.val,
        save=config.save,
        scores="\n".join(f"| {name} | {value:.5g} |" for name, value in scores.items()),
        config=dump_config(config),
    )
    (folder / CARD).write_text(card, encoding="utf-8")
