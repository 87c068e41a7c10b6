"""What a study has found: the share that prefers each system, with its uncertainty."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from jambatalk.app.study.answers import FAILED, QUESTIONS, USUAL, Answer

CONFIDENCE = 0.95
LEAST_P = 1e-4  # smaller ones are not told apart


@dataclass(frozen=True)
class Preference:
    """How often one of two systems was preferred.

    Attributes:
        question: one of QUESTIONS.
        system, other: the names, in alphabetical order.
        wins, answers: how many preferred `system`, of how many.
    """

    question: str
    system: str
    other: str
    wins: int
    answers: int

    @property
    def share(self) -> float:
        """The part that preferred `system`."""
        return self.wins / self.answers

    def interval(self) -> tuple[float, float]:
        """Return Wilson's interval of :attr:`share`, 95 %, for independent answers."""
        from scipy.stats import binomtest  # takes a second

        interval = binomtest(self.wins, self.answers).proportion_ci(CONFIDENCE, "wilson")
        return float(interval.low), float(interval.high)

    def p(self) -> float:
        """Return the exact binomial test's p, two-sided, of no preference."""
        from scipy.stats import binomtest

        return float(binomtest(self.wins, self.answers).pvalue)


@dataclass(frozen=True)
class Results:
    """The preferences of the participants who count.

    Attributes:
        counted: participants who saw all pairs and passed all attention checks.
        failed: those who failed one, and are left out.
        unfinished: the others, who are left out too.
    """

    counted: int
    failed: int
    unfinished: int
    preferences: Sequence[Preference]

    @classmethod
    def of(cls, answers: Sequence[Answer]) -> Results:
        """Sum up answers."""
        people: defaultdict[str, list[Answer]] = defaultdict(list)
        for answer in answers:
            people[answer.participant].append(answer)
        failed = {who for who, rows in people.items() if any(row.check == FAILED for row in rows)}
        finished = {who for who, rows in people.items() if _is_whole(rows)} - failed
        wins: Counter[tuple[str, str, str]] = Counter()
        asked: Counter[tuple[str, str, str]] = Counter()
        for answer in answers:
            if answer.participant in finished and answer.check == USUAL:
                system, other = sorted((answer.left, answer.right))
                key = answer.question, system, other
                asked[key] += 1
                wins[key] += answer.choice == key[1]
        order = sorted(asked, key=lambda key: (QUESTIONS.index(key[0]), key))
        return cls(
            len(finished),
            len(failed),
            len(people) - len(finished) - len(failed),
            [Preference(*key, wins[key], asked[key]) for key in order],
        )

    def markdown(self) -> str:
        """Format them as a table, under a sentence about the participants."""
        lines = [
            f"Participants: {self.counted} counted, {self.failed} left out who failed an attention "
            f"check, {self.unfinished} who did not finish."
        ]
        if self.preferences:
            lines += [
                "",
                "| question | A | B | prefer A | 95 % interval | prefer B | answers | p |",
            ]
            lines += ["| --- | --- | --- | --- | --- | --- | --- | --- |"]
        for each in self.preferences:
            low, high = each.interval()
            p = each.p()
            cells = (
                each.question,
                each.system,
                each.other,
                f"{each.share:.1%}",
                f"{low:.1%} to {high:.1%}",
                f"{1 - each.share:.1%}",
                str(each.answers),
                f"{p:.4f}" if p >= LEAST_P else f"< {LEAST_P:.4f}",
            )
            lines.append(f"| {' | '.join(cells)} |")
        return "\n".join(lines)


def _is_whole(rows: Sequence[Answer]) -> bool:
    """Return whether a participant has answered each question about each pair once."""
    answered = Counter((row.trial, row.question) for row in rows)
    trials = {row.trials for row in rows}
    if len(trials) != 1 or max(answered.values()) > 1:
        return False
    return len(answered) == trials.pop() * len(QUESTIONS)
