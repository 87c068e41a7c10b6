"""The answers of a study: a table (.csv) that grows by whole rows."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from filelock import FileLock, Timeout

from jambatalk.app.study.trials import SIDES, Trial
from jambatalk.errors import DataError
from jambatalk.files.table import read_table
from jambatalk.files.unfinished import WHERE

QUESTIONS = ("lips", "realism")
USUAL, PASSED, FAILED = "no", "passed", "failed"  # of the column `check`
KIND = "a table of a study's answers (.csv)"


class Answer(NamedTuple):
    """A row: a participant's answer to one question about one pair.

    Attributes:
        participant: a random name.
        trial, trials: the number of the pair, from 1, and how many the participant is to see.
        sentence: of the pair.
        left, right: the systems.
        question: one of QUESTIONS.
        side, choice: of the video that was chosen, and its system.
        seconds: from the sight of the pair to the answers about it.
        check: "passed" or "failed" for an attention check, "no" for other pairs.
    """

    participant: str
    trial: int
    trials: int
    sentence: str
    left: str
    right: str
    question: str
    side: str
    choice: str
    seconds: float
    check: str


def rate(
    participant: str, number: int, trials: Sequence[Trial], sides: Sequence[str], seconds: float
) -> list[Answer]:
    """Return the rows of the answers to a pair.

    Args:
        number: of the pair, from 0.
        sides: one of SIDES for each of QUESTIONS; the first decides on an attention check.
    """
    trial, check = trials[number], USUAL
    if trial.fits:
        check = PASSED if sides[0] == trial.fits else FAILED
    place = participant, number + 1, len(trials), trial.sentence, *trial.systems
    return [
        Answer(*place, question, side, trial.systems[SIDES.index(side)], round(seconds, 2), check)
        for question, side in zip(QUESTIONS, sides, strict=True)
    ]


class AnswerFile:
    """A file to which answers are added, by one study at a time.

    Args:
        path: created where there is none; missing folders too.

    Raises:
        DataError: it cannot be written, is no such table, or another study writes it.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = FileLock(path.with_name(f".{path.name}.lock"), blocking=False)
        if path.exists() and (not path.is_file() or path.stat().st_size):
            read_answers(path)  # refuses what is none
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._lock.acquire()
            self._file = path.open("ab", 0)
        except Timeout as cause:
            raise DataError(
                f"Another study writes '{path}'.", "Choose another name for this one."
            ) from cause
        except OSError as cause:
            self._lock.release()
            raise self._unwritable(cause) from cause
        if not path.stat().st_size:
            self._write([Answer._fields])

    def add(self, answers: Sequence[Answer]) -> None:
        """Add rows, which are on the disk when this returns.

        Raises:
            DataError: they cannot be written.
        """
        self._write(answers)

    def close(self) -> None:
        """Let other studies write the file."""
        self._file.close()
        self._lock.release()

    def _write(self, rows: Sequence[Sequence]) -> None:
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows(rows)
        end = self._file.seek(0, os.SEEK_END)
        try:
            data = text.getvalue().encode(errors="backslashreplace")  # names of files may be any
            if self._file.write(data) != len(data):
                raise OSError(None, "the disk is full")
            os.fsync(self._file.fileno())
        except OSError as cause:
            self._file.truncate(end)  # no half row
            raise self._unwritable(cause) from cause

    def _unwritable(self, cause: OSError) -> DataError:
        return DataError(f"'{self._path}' cannot be written ({cause.strerror}).", WHERE)


def read_answers(path: Path) -> list[Answer]:
    """Read the answers of a study.

    Raises:
        DataError: there is no such file, or it is none of a study.
    """
    header, rows = read_table(path, kind=KIND)
    if tuple(header) != Answer._fields:
        raise DataError(f"'{path}' is not {KIND}.", "Give the file that 'jambatalk study' wrote.")
    return [_answer(path, number, row) for number, row in enumerate(rows, 2)]


def _answer(path: Path, number: int, row: list[str]) -> Answer:
    try:
        answer = Answer(*row)  # type: ignore[arg-type]
        answer = answer._replace(
            trial=int(answer.trial), trials=int(answer.trials), seconds=float(answer.seconds)
        )
        if (
            answer.question not in QUESTIONS
            or answer.side not in SIDES
            or answer.choice not in (answer.left, answer.right)
            or answer.check not in (USUAL, PASSED, FAILED)
        ):
            raise ValueError
    except (TypeError, ValueError) as cause:
        raise DataError(
            f"Row {number} of '{path}' is no answer.", "Correct or remove it."
        ) from cause
    return answer
