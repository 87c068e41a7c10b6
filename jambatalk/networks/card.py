"""The model card of converted weights, and where the files beside them come from."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

from jambatalk.files.origins import (
    BIWI,
    BIWI_FILES,
    FACEXHUBERT_BIWI,
    FLAME_MASKS,
    FLAME_MESH,
    MULTIFACE,
    PEERS_BIWI,
    PEERS_BIWI_LIPS,
    VOCASET,
    WEIGHTS,
)
from jambatalk.model.config import JambaTalkConfig
from jambatalk.networks.config import DiffuserConfig, NetworkConfig
from jambatalk.networks.conversion import Conversion

CARD = Path(__file__).with_name("card.md")
NOTES = {  # on a network, beside what its configuration says
    "jambatalk": (
        "The second expert always answers. In the published code it is left out by chance, so "
        "that two runs differ.",
        "There is one speaking style.",
    ),
    "selftalk": ("There is one speaking style.",),
    "facexhubert": (
        "A style is a subject, who speaks neutrally, or expressively (M3-expressive).",
        "Offsets are scaled to the extents of the head that moves, as the training set was to "
        "those of each subject.",
    ),
}


def sources(network: str, layout: str) -> dict[str, str]:
    """Return where the files of the faces come from: "lip mask" and "template"; {} for none."""
    if layout == "vocaset":
        return {"lip mask": FLAME_MASKS, "template": f"{FLAME_MESH} {VOCASET}"}
    if layout == "biwi" and network == "jambatalk":
        return {"lip mask": BIWI_FILES, "template": BIWI}
    if layout == "biwi":
        mesh = FACEXHUBERT_BIWI if network == "facexhubert" else PEERS_BIWI
        return {"lip mask": PEERS_BIWI_LIPS, "template": f"{mesh} {BIWI}"}
    return {"lip mask": MULTIFACE, "template": MULTIFACE} if layout == "multiface" else {}


def conversion_card(
    job: Conversion,
    config: JambaTalkConfig | NetworkConfig,
    heads: Sequence[str],
    reads_lips: bool,
) -> str:
    """Write the card of a converted checkpoint.

    Args:
        heads: names; none where the bundled heads are moved.
        reads_lips: whether the weights have a lip reader, which only training needs.
    """
    published = WEIGHTS[job.network]
    made_from = [f"Made from `{path.name}`, SHA-256 `{_digest(path)}`." for path in job.weights]
    facts = [*made_from, _outputs(config), _styles(config), *NOTES.get(job.network, ())]
    if heads:
        assert job.template is not None
        assert job.lip_mask is not None
        templates = ", ".join(path.name for path in job.templates) or job.template.name
        facts.append(
            f"Heads: {', '.join(heads)} (from `{templates}` on the mesh of `{job.template.name}`; "
            f"lips from `{job.lip_mask.name}`)."
        )
    if isinstance(config, DiffuserConfig):
        facts.append(
            f"Motion is sampled in all {config.steps} steps of the diffusion, as published; a "
            "seed gives a sample. `sampling_steps` of `config.json` takes fewer, without drawing "
            "anything on the way (DDIM), which the published code does not have."
        )
    if isinstance(config, NetworkConfig) and config.longest is not None:
        facts.append(f"Recordings have {config.longest} frames at most, as published.")
    if reads_lips:
        kept = "are kept beside it" if job.for_training else "were left out"
        facts.append(f"The lip reader and the text encoder, which only training needs, {kept}.")
    facts.append("Blinks and head movements are not predicted." if config.vertices else "")
    named = sources(job.network, job.layout).values()
    return CARD.read_text(encoding="utf-8").format(
        title=published.title,
        paper=published.paper,
        layout=job.layout,
        repository=published.repository,
        licence=published.licence,
        facts="\n".join(f"- {fact}" for fact in facts if fact),
        sources="\n".join(f"- {text}" for text in dict.fromkeys(named)) or "- nothing: no heads",
    )


def _outputs(config: JambaTalkConfig | NetworkConfig) -> str:
    if not config.vertices:
        return (
            f"Speech to the weights of {len(config.blendshapes)} blendshapes, {config.fps:g} "
            "times a second."
        )
    if isinstance(config, JambaTalkConfig):
        unit = f"{config.unit:g} m"
    elif config.relative:
        unit = "the extent of the head along each axis"
    else:
        unit = f"{abs(config.axes[0]):g} m"
    return (
        f"Speech to the offsets of {config.vertices} vertices from a template, {config.fps:g} "
        f"times a second. One unit of the training set is {unit} here."
    )


def _styles(config: JambaTalkConfig | NetworkConfig) -> str:
    return f"Styles: {', '.join(config.styles)}." if len(config.styles) > 1 else ""


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
