"""The report of a batch: printed lines and a JSON file."""

from __future__ import annotations

import json
import time
from dataclasses import asdict
from pathlib import Path

from jambatalk.batch.job_runner import Outcome
from jambatalk.errors import BatchError
from jambatalk.files.unfinished import whole_file


class Report:
    """Collect the outcomes of a batch.

    Args:
        jobs: number of jobs.
    """

    def __init__(self, jobs: int) -> None:
        self.jobs = jobs
        self.outcomes: list[Outcome] = []
        self._started = time.perf_counter()

    def add(self, outcome: Outcome) -> None:
        """Add the outcome of a job."""
        self.outcomes.append(outcome)

    @property
    def failed(self) -> list[Outcome]:
        """Outcomes with a file that could not be written."""
        return [outcome for outcome in self.outcomes if outcome.failed]

    def totals(self) -> dict[str, float]:
        """Count recordings and files by status, seconds of speech and elapsed seconds.

        `real_time_factor` is elapsed time per second of speech, for all styles and formats
        together; 0 if no file was written.
        """
        made = [outcome for outcome in self.outcomes if outcome.made]
        speech = sum(outcome.speech_seconds for outcome in made)
        seconds = time.perf_counter() - self._started
        return {
            "recordings": self.jobs,
            "done": sum(not outcome.failed for outcome in made),
            "skipped": sum(not outcome.made and not outcome.failed for outcome in self.outcomes),
            "failed": len(self.failed),
            "left": self.jobs - len(self.outcomes),
            "files_made": sum(len(outcome.made) for outcome in self.outcomes),
            "files_kept": sum(len(outcome.kept) for outcome in self.outcomes),
            "files_failed": sum(len(outcome.failed) for outcome in self.outcomes),
            "speech_seconds": round(speech, 3),
            "seconds": round(seconds, 3),
            "real_time_factor": round(seconds / speech, 4) if speech else 0.0,
        }

    def write(self, path: Path) -> Path:
        """Write a JSON file with `totals` and `recordings`, sorted by name.

        Raises:
            BatchError: it cannot be written.
        """
        ordered = sorted(self.outcomes, key=lambda outcome: outcome.name)
        content = {"totals": self.totals(), "recordings": [asdict(outcome) for outcome in ordered]}
        with whole_file(path, BatchError) as unfinished:
            unfinished.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
        return path

    def lines(self) -> list[str]:
        """Return lines to print: the failures, then the totals."""
        totals = self.totals()
        lines = [
            f"failed: {outcome.name}: {reason}"
            for outcome in self.failed
            for reason in dict.fromkeys(outcome.failed.values())
        ]
        counts = [f"{totals[status]} {status}" for status in ("done", "skipped", "failed")]
        if totals["left"]:
            counts.append(f"{totals['left']} left")
        lines.append(f"{totals['recordings']} recordings: {', '.join(counts)}")
        if totals["files_made"]:
            files = f"{totals['files_made']} file{'s' * (totals['files_made'] > 1)}"
            lines.append(
                f"{files} of {totals['speech_seconds']:.1f} s of speech in "
                f"{totals['seconds']:.1f} s (real-time factor {totals['real_time_factor']:.3f})"
            )
        return lines
