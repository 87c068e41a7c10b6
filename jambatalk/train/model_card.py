"""The model card of the bundled checkpoint: what it is, from what, how good, under which licence."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from jambatalk.model.config import JambaTalkConfig

_CARD = """\
---
license: cc-by-4.0
library_name: jambatalk
pipeline_tag: audio-to-video
tags:
  - talking-head
  - 3d-facial-animation
  - mamba
---

# JambaTalk, bundled checkpoint

Speech to the weights of {actions} ARKit actions, {fps:g} frames a second, trained {day}.
The network is the hybrid of Mamba, mixture of experts and attention of arXiv 2408.01627, smaller
and trained on free data. **These are not the paper's weights**, and no figure here can be compared
with the paper's.

| part | what | size |
|---|---|---|
| encoder | Whisper tiny.en's encoder, frozen, layers {heard} of 4, on the real length of the speech | 8.2 M parameters, float16 |
| decoder | {layers} | {decoder:.1f} M parameters |

## Styles
{styles}

## Data
| set | what was taken | licence |
|---|---|---|
| GRID audiovisual corpus, speaker 1 (Cooke, Barker, Cunningham, Shao, JASA 2006) | 900 clips of 3 s; the bundled head fitted to the lips tracked in the video | CC BY 4.0 |
| FACEGOOD Audio2Face | 5 takes, 495 s; the artists' rig weights mapped by name | MIT |

Each recording was also heard {variants} times at another speed, through another microphone and with
noise ({examples} examples in all, with rooms in which nobody speaks).

## Figures
On recordings that were not trained on: every 20th GRID clip, and FACEGOOD's take of continuous
speech (1114_3_15). Same speakers, other sentences. `r` is Pearson's correlation over time with the
captured motion, median over recordings; the aperture is the distance of the inner lips in the
middle of the mouth. The vertex error is the mean squared distance over lips (counted four times)
and the skin around them, mm².

| style | r aperture | r jaw | vertex error, mm² |
|---|---|---|---|
{figures}

## Limits
Two speakers, one of whom reads six-word commands: other voices move the lips in time with what is
said, less exactly than theirs, and English and Mandarin better than languages it never heard.
There is no tongue, no expression, no blinking and no head movement in it.

## Made by
`jambatalk train --data DATA -o checkpoints/default`, {steps} steps of {batch} cuts of {frames}
frames on two CPU cores, seed {seed}.

Licence of these weights: CC BY 4.0 (as GRID's; credit the corpus above). Whisper: MIT, OpenAI.
"""


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
        _CARD.format(
            actions=len(config.actions),
            fps=config.fps,
            day=date.today().isoformat(),
            heard=" and ".join(map(str, config.encoder.layers)),
            layers=", ".join(config.layers).replace("_", " with "),
            decoder=decoder_parameters / 1e6,
            styles="\n".join(
                f"- **{style}**: {config.style_notes[style]}" for style in config.styles
            ),
            figures="\n".join(figures),
            examples=training["examples"],
            **how,
        )
    )
