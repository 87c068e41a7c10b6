"""Which task a configuration asks for."""

from __future__ import annotations

from jambatalk.train.recordings import RecordingTask
from jambatalk.train.task import Task
from jambatalk.train.training_config import TrainingConfig
from recipes.checkpoint.training.bundled import bundled_task


def make_task(config: TrainingConfig) -> Task:
    """What a configuration asks for, ready to be trained.

    Raises:
        JambaTalkError: data, face or network cannot be had or do not fit each other.
    """
    return bundled_task(config) if config.data.set == "bundled" else RecordingTask(config)
