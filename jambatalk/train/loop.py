"""The training loop, to be read from top to bottom."""

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

from jambatalk.errors import JambaTalkError, ModelError, RenderError, VideoError, abbreviate
from jambatalk.model.checkpoint import replace_files
from jambatalk.train.batch_sampler import BatchSampler, ErrorsAsExamples, collate
from jambatalk.train.config_file import dump_config
from jambatalk.train.optimizer import make_optimizers
from jambatalk.train.task import Losses, Task
from jambatalk.train.training_config import LoopConfig

log = logging.getLogger(__name__)

CHECKPOINT = "checkpoint"  # folder of the saved network
STATE = "state.pt"  # from which a run resumes
CONFIG = "config.yaml"
STEPS_PER_ENTRY = 10  # of the TensorBoard curves


def train(
    make_task: Callable[[], Task], config: LoopConfig, folder: Path, resume: bool = False
) -> dict[str, float]:
    """Train a network; several processes, as `accelerate launch` starts them, share each step.

    Args:
        make_task: builds the task, once it is clear that the results can be written.
        folder: becomes `checkpoint/`, `state.pt`, `config.yaml`, `log.jsonl`, `tensorboard/` and
            `videos/`.
        resume: continue an earlier run in this folder, as if it had not stopped.

    Returns:
        The validation scores of the saved checkpoint.

    Raises:
        ModelError: nothing to resume, a run in the way, or a loss that is not finite.
    """
    accelerator = _accelerator(config)
    from accelerate.utils import broadcast_object_list

    main = accelerator.is_main_process
    state = _load_state(folder, resume)
    task = make_task()
    task.module.to(accelerator.device)
    sampler = BatchSampler(
        task.dataset, config, accelerator.process_index, accelerator.num_processes
    )
    loader: DataLoader = DataLoader(
        ErrorsAsExamples(task.dataset),
        batch_sampler=sampler,
        collate_fn=collate,
        num_workers=config.workers,
        multiprocessing_context="spawn" if config.workers else None,  # safe beside a GPU
        persistent_workers=config.workers > 0,
    )
    weights = [weight for weight in task.module.parameters() if weight.requires_grad]
    optimizers = make_optimizers(weights, config.optimizer)
    if state:
        _restore(task.module, optimizers, state, folder)
    module, *optimizers = accelerator.prepare(task.module, *optimizers)

    done = state.get("epoch", 0)  # epochs
    best = state.get("best", {"error": math.inf})
    stale = state.get("stale", 0)  # validations without improvement
    clip = config.optimizer.clip or math.inf
    step, steps, started = done * sampler.steps, config.epochs * sampler.steps, time.monotonic()
    if main:
        from jambatalk.train.run_logger import RunLogger

        folder.mkdir(parents=True, exist_ok=True)
        _write_config(folder / CONFIG, config, resumed=done > 0)
        logger = RunLogger(folder, done, step)
        count = sum(weight.numel() for weight in weights)
        log.info("%d weights to train, %d steps an epoch", count, sampler.steps)

    for epoch in range(done + 1, config.epochs + 1):
        if config.patience is not None and stale >= config.patience:
            log.info("stopped: no improvement in %d validations", stale)
            break
        _seed(config.seed, epoch, accelerator.process_index)
        sampler.epoch = epoch
        task.module.train()
        means: defaultdict[str, float] = defaultdict(float)  # of this epoch's losses
        for batch in loader:
            if isinstance(batch, JambaTalkError):
                raise batch
            with accelerator.accumulate(module):
                losses = module(*batch)
                loss = task.total_loss(losses)
                accelerator.backward(loss)
                if accelerator.sync_gradients:
                    norm = accelerator.clip_grad_norm_(weights, clip)
                    if not torch.isfinite(norm):  # the same in all processes
                        raise _not_finite(losses, epoch, step + 1, folder)
                    rate = config.optimizer.rate(step, steps)
                    for group in (g for optimizer in optimizers for g in optimizer.param_groups):
                        group["lr"] = rate
                    step += 1
                for optimizer in optimizers:
                    optimizer.step()
                    optimizer.zero_grad()
            values = {name: value.item() for name, value in (losses | {"loss": loss}).items()}
            for name, value in values.items():
                means[name] += value / len(sampler)
            if main and accelerator.sync_gradients and step % STEPS_PER_ENTRY == 0:
                logger.log_step(step, values | {"gradient": norm.item()})

        entry = {"epoch": epoch, "step": step, "minutes": (time.monotonic() - started) / 60}
        entry |= {"learning_rate": rate}
        averages = torch.tensor(list(means.values()), device=accelerator.device)
        entry |= zip(means, accelerator.reduce(averages, "mean").tolist(), strict=True)
        validating = epoch % config.validate_every == 0 or epoch == config.epochs
        if validating:
            (scores,) = broadcast_object_list([task.validate() if main else None])
            entry |= {f"val.{name}": value for name, value in scores.items()}
            better = config.save == "last" or scores["error"] < best["error"]
            best, stale = (scores, 0) if better else (best, stale + 1)
            if better and main:
                task.save_checkpoint(folder / CHECKPOINT, scores)
        if main:
            logger.log_epoch(step, entry)
            if validating:
                progress = {"epoch": epoch, "best": best, "stale": stale}
                _save_state(folder, task.module, optimizers, progress)
            if config.video_every and epoch % config.video_every == 0:
                _write_sample_video(task, folder / "videos" / f"epoch{epoch:04}.mp4")
        accelerator.wait_for_everyone()
    if main:
        logger.close()
    return best


def _accelerator(config: LoopConfig) -> Any:
    try:
        import tensorboard  # noqa: F401
        from accelerate import Accelerator
        from accelerate.utils import DistributedDataParallelKwargs
    except ImportError as error:
        raise ModelError(
            f"Training needs {error.name}, which is not installed.",
            "Install it: pip install 'jambatalk[train]'.",
        ) from error
    distributed = int(os.environ.get("WORLD_SIZE", 1)) > 1
    accelerator = Accelerator(
        cpu=distributed and not torch.cuda.is_available(),  # or each would train alone
        mixed_precision=config.precision,
        gradient_accumulation_steps=config.accumulate,
        # encoder layers above the last one used have no gradient
        kwargs_handlers=[DistributedDataParallelKwargs(find_unused_parameters=True)],
    )
    if not accelerator.is_main_process:
        logging.getLogger("jambatalk").setLevel(logging.ERROR)  # one process logs for all
    return accelerator


def _seed(seed: int, epoch: int, process: int) -> None:
    """Seed all generators, so that an epoch's dropout does not depend on earlier epochs."""
    number = int(np.random.SeedSequence((seed, epoch, process)).generate_state(1)[0])
    random.seed(number)
    np.random.seed(number)  # SpecAugment of transformers draws from it
    torch.manual_seed(number)


def _load_state(folder: Path, resume: bool) -> dict[str, Any]:
    path = folder / STATE
    if not resume:
        if path.exists():
            raise ModelError(
                f"There is a run in {folder} already.",
                "Continue it with --resume, or choose another folder with -o.",
            )
        return {}
    try:
        return torch.load(path, "cpu", weights_only=True)
    except Exception as error:  # a damaged file may raise nearly anything
        raise ModelError(
            f"There is no run to resume in {folder} ({str(error).splitlines()[0]}).",
            "Leave out --resume.",
        ) from error


def _restore(
    module: nn.Module,
    optimizers: Sequence[torch.optim.Optimizer],
    state: dict[str, Any],
    folder: Path,
) -> None:
    """Load trained weights and optimizer states; every weight to be trained must be there."""
    trained, saved = set(_trained_names(module)), set(state["weights"])
    reason = None
    if missing := sorted(trained - saved):
        reason = f"its state lacks the weights {abbreviate(missing)}"
    elif unknown := sorted(saved - trained):
        reason = f"the network has no weights {abbreviate(unknown)}"
    else:
        try:
            module.load_state_dict(state["weights"], strict=False)  # frozen weights are not saved
            for optimizer, before in zip(optimizers, state["optimizers"], strict=True):
                optimizer.load_state_dict(before)
        except (RuntimeError, ValueError) as error:  # other shapes, another optimizer
            reason = str(error).splitlines()[-1].strip()
    if reason:
        raise ModelError(
            f"The run in {folder} cannot be resumed with this configuration: {reason}.",
            f"Resume with the configuration it was started with, {folder / CONFIG}.",
        )


def _trained_names(module: nn.Module) -> list[str]:
    return [name for name, weight in module.named_parameters() if weight.requires_grad]


def _write_config(path: Path, config: LoopConfig, resumed: bool) -> None:
    text = dump_config(config)
    lines = text.splitlines()
    before = path.read_text(encoding="utf-8").splitlines() if resumed and path.exists() else lines
    if changed := [line.strip() for line in lines if line not in before]:
        log.warning("The run was started with other values of: %s", ", ".join(changed))
    path.write_text(text, encoding="utf-8")


def _save_state(
    folder: Path,
    module: nn.Module,
    optimizers: Sequence[torch.optim.Optimizer],
    progress: dict[str, Any],
) -> None:
    """Write trained weights, optimizer states and progress, whole or not at all."""
    trained = set(_trained_names(module))
    weights = {name: w for name, w in module.state_dict().items() if name in trained}
    states = [optimizer.state_dict() for optimizer in optimizers]
    state = {"weights": weights, "optimizers": states, **progress}
    replace_files(folder, {STATE: lambda path: torch.save(state, path)})


def _not_finite(losses: Losses, epoch: int, step: int, folder: Path) -> ModelError:
    values = ", ".join(f"{name} {loss.item():.3g}" for name, loss in losses.items())
    checkpoint = folder / CHECKPOINT
    saved = f" {checkpoint} holds the checkpoint saved before." if checkpoint.exists() else ""
    return ModelError(
        f"The gradient is not finite in epoch {epoch}, step {step} ({values}).{saved}",
        "Lower optimizer.learning_rate, or look for damaged recordings.",
    )


def _write_sample_video(task: Task, path: Path) -> None:
    path.parent.mkdir(exist_ok=True)
    try:
        task.write_sample_video(path)
    except (RenderError, VideoError) as error:  # no reason to lose the run
        log.warning("No sample video: %s", error)
