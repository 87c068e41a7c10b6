"""Training, to be read from top to bottom."""

from __future__ import annotations

import logging
import math
import os
import random
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader

from jambatalk.errors import JambaTalkError, ModelError, RenderError, VideoError
from jambatalk.train.config_file import dump_config
from jambatalk.train.optimizer import make_optimizers
from jambatalk.train.task import Order, Reader, Task
from jambatalk.train.training_config import TrainingConfig

log = logging.getLogger(__name__)

CHECKPOINT = "checkpoint"  # the folder of the network that is kept
STATE = "state.pt"  # where a run goes on
CONFIG = "config.yaml"
STEPS_A_NOTE = 10


def train(
    make: Callable[[], Task], config: TrainingConfig, folder: Path, resume: bool = False
) -> dict[str, float]:
    """Trains a network; several processes, as `accelerate launch` starts them, share a step.

    Args:
        make: makes the task, once it is clear that there is room for its results.
        folder: becomes `checkpoint/`, `state.pt`, `config.yaml`, `log.jsonl`, `tensorboard/` and
            `videos/`.
        resume: go on where an earlier run with this folder stopped. The curves are those of a run
            that did not stop.

    Returns:
        The scores of the checkpoint that was kept.

    Raises:
        ModelError: nothing to resume, something in the way, or a loss that is no number.
    """
    accelerator = _accelerator(config)
    main = accelerator.is_main_process
    state = _load_state(folder, resume)
    task = make()
    task.learner.to(accelerator.device)
    order = Order(task.examples, config, accelerator.process_index, accelerator.num_processes)
    loader = DataLoader(
        Reader(task.examples),
        batch_sampler=order,
        collate_fn=Reader.batch,
        num_workers=config.data.workers,
        multiprocessing_context="spawn" if config.data.workers else None,  # safe beside a GPU
        persistent_workers=config.data.workers > 0,
    )
    weights = [weight for weight in task.learner.parameters() if weight.requires_grad]
    optimizers = make_optimizers(weights, config.optimizer)
    if state:
        task.learner.load_state_dict(state["learner"], strict=False)
        for optimizer, before in zip(optimizers, state["optimizers"], strict=True):
            optimizer.load_state_dict(before)
    learner, *optimizers = accelerator.prepare(task.learner, *optimizers)

    done = state.get("epoch", 0)  # epochs
    best, waited = state.get("best", {"error": math.inf}), state.get("waited", 0)
    step, steps, started = done * order.steps, config.epochs * order.steps, time.monotonic()
    if main:
        from jambatalk.train.run_log import Journal

        folder.mkdir(parents=True, exist_ok=True)
        _write_config(folder / CONFIG, config, resumed=done > 0)
        journal = Journal(folder, done, step)
        trained = sum(weight.numel() for weight in weights)
        log.info("%d weights, %d steps an epoch", trained, order.steps)

    for epoch in range(done + 1, config.epochs + 1):
        if config.patience is not None and waited >= config.patience:
            log.info("no better for %d looks: stopped", waited)
            break
        _seed(config.seed, epoch, accelerator.process_index)
        order.epoch = epoch
        task.learner.train()
        sums: defaultdict[str, float] = defaultdict(float)  # of this epoch's losses
        for batch in loader:
            if isinstance(batch, JambaTalkError):
                raise batch
            with accelerator.accumulate(learner):
                losses = learner(*batch)
                loss = config.loss.total(losses)
                accelerator.backward(loss)
                if accelerator.sync_gradients:
                    norm = accelerator.clip_grad_norm_(weights, config.optimizer.clip)
                    if not torch.isfinite(norm):  # the same in all processes
                        raise _no_number(losses, epoch, step + 1, folder)
                    rate = config.optimizer.rate(step, steps)
                    for group in (g for optimizer in optimizers for g in optimizer.param_groups):
                        group["lr"] = rate
                    step += 1
                for optimizer in optimizers:
                    optimizer.step()
                    optimizer.zero_grad()
            values = {name: value.item() for name, value in (losses | {"loss": loss}).items()}
            for name, value in values.items():
                sums[name] += value / len(order)
            if main and accelerator.sync_gradients and step % STEPS_A_NOTE == 0:
                journal.step(step, values | {"gradient": norm.item()})

        row = {"epoch": epoch, "step": step, "minutes": (time.monotonic() - started) / 60}
        row |= {"learning_rate": rate}
        row |= _mean(accelerator, sums)
        look = epoch % config.check_every == 0 or epoch == config.epochs
        if look:
            scores = _from_main(accelerator, task.check)
            row |= {f"val.{name}": value for name, value in scores.items()}
            better = config.keep == "last" or scores["error"] < best["error"]
            best, waited = (scores, 0) if better else (best, waited + 1)
            if better and main:
                task.keep(folder / CHECKPOINT, scores)
        if main:
            journal.epoch(step, row)
            if look:
                now = {"epoch": epoch, "best": best, "waited": waited}
                _save_state(folder, task.learner, optimizers, now)
            if config.video_every and epoch % config.video_every == 0:
                _film(task, folder / "videos" / f"epoch{epoch:04}.mp4")
        accelerator.wait_for_everyone()
    if main:
        journal.close()
    return best


def _accelerator(config: TrainingConfig) -> Any:
    try:
        import tensorboard  # noqa: F401
        from accelerate import Accelerator
        from accelerate.utils import DistributedDataParallelKwargs
    except ImportError as error:
        raise ModelError(
            f"Training needs {error.name}, which is not installed.",
            'Run: pip install -e ".[train]".',
        ) from error
    shared = int(os.environ.get("WORLD_SIZE", 1)) > 1
    accelerator = Accelerator(
        cpu=shared and not torch.cuda.is_available(),  # or each would be alone
        mixed_precision=config.precision,
        gradient_accumulation_steps=config.accumulate,
        # layers above the last one that is heard have no gradient
        kwargs_handlers=[DistributedDataParallelKwargs(find_unused_parameters=True)],
    )
    if not accelerator.is_main_process:
        logging.getLogger("jambatalk").setLevel(logging.ERROR)  # it is said once
    return accelerator


def _seed(seed: int, epoch: int, process: int) -> None:
    """Dropout and masks of an epoch do not depend on what was before it."""
    number = int(np.random.SeedSequence((seed, epoch, process)).generate_state(1)[0])
    random.seed(number)
    np.random.seed(number)  # SpecAugment of transformers draws from it
    torch.manual_seed(number)


def _mean(accelerator: Any, sums: dict[str, float]) -> dict[str, float]:
    """Over all processes."""
    values = torch.tensor(list(sums.values()), device=accelerator.device)
    return dict(zip(sums, accelerator.reduce(values, "mean").tolist(), strict=True))


def _from_main(accelerator: Any, look: Callable[[], dict[str, float]]) -> dict[str, float]:
    """What the main process sees, known to all."""
    from accelerate.utils import broadcast_object_list

    scores = [look() if accelerator.is_main_process else None]
    return broadcast_object_list(scores)[0]


def _load_state(folder: Path, resume: bool) -> dict[str, Any]:
    path = folder / STATE
    if not resume:
        if path.exists():
            raise ModelError(
                f"There is a run in {folder} already.",
                "Go on with it by --resume, or choose another folder with -o.",
            )
        return {}
    try:
        return torch.load(path, "cpu", weights_only=True)
    except Exception as error:  # a damaged file may raise nearly anything
        raise ModelError(
            f"There is no run to resume in {folder} ({str(error).splitlines()[0]}).",
            "Leave out --resume.",
        ) from error


def _write_config(path: Path, config: TrainingConfig, resumed: bool) -> None:
    text = dump_config(config)
    lines = text.splitlines()
    before = path.read_text().splitlines() if resumed and path.exists() else lines
    if changed := [line.strip() for line in lines if line not in before]:
        log.warning("Not as the run was begun: %s", ", ".join(changed))
    path.write_text(text)


def _save_state(
    folder: Path,
    learner: nn.Module,
    optimizers: Sequence[torch.optim.Optimizer],
    now: dict[str, Any],
) -> None:
    """Writes what is learned so far: frozen weights come from where they came from."""
    learned = {name for name, weight in learner.named_parameters() if weight.requires_grad}
    weights = {name: w for name, w in learner.state_dict().items() if name in learned}
    part = folder / f"{STATE}.part"
    steps = [optimizer.state_dict() for optimizer in optimizers]
    torch.save({"learner": weights, "optimizers": steps, **now}, part)
    os.replace(part, folder / STATE)  # whenever it is stopped, one of the two is whole


def _no_number(losses: dict[str, torch.Tensor], epoch: int, step: int, folder: Path) -> ModelError:
    values = ", ".join(f"{name} {loss.item():.3g}" for name, loss in losses.items())
    before = folder / CHECKPOINT
    kept = f"{before} holds a network from before." if before.exists() else ""
    return ModelError(
        f"In epoch {epoch}, step {step}, the gradient is no longer a number ({values}). {kept}",
        "Lower optimizer.learning_rate, or look for recordings that are broken.",
    )


def _film(task: Task, path: Path) -> None:
    path.parent.mkdir(exist_ok=True)
    try:
        task.film(path)
    except (RenderError, VideoError) as error:  # the run is worth more than its pictures
        log.warning("No sample video: %s", error)
