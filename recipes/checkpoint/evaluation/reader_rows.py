"""Rows of the benchmark table: lip sounds of children, and of adults with an accent.

They read the sentences of speechocean762; the corpus holds their speakers out.
"""

from __future__ import annotations

from jambatalk.errors import NotInstalledError
from jambatalk.evaluate.curve_metrics import CLOSED
from jambatalk.talking_head import TalkingHead
from recipes.checkpoint.evaluation.benchmark_table import INF, NAN, Row
from recipes.checkpoint.evaluation.held_out_data import HeldOutData
from recipes.checkpoint.evaluation.phone_statistics import (
    NEAR_TEETH,
    PhoneStatistics,
    percent_below,
)

OLDEST_CHILD = 10  # years
CHILDREN, ACCENTS = "children of 6 to 10 years", "accents"


def reader_rows(head: TalkingHead, data: HeldOutData) -> list[Row]:
    """Measure the lip sounds of children and of adults with an accent, held out of the corpus."""
    try:
        readers = data.readers
    except NotInstalledError as error:
        return [Row("readers", "P/B/M closed, children and accents", NAN, note=f"needs: {error}")]
    groups = {name: PhoneStatistics() for name in (CHILDREN, ACCENTS)}
    for age, speech, phones in readers:
        motion = head.animate(speech)
        name = CHILDREN if age <= OLDEST_CHILD else ACCENTS
        groups[name].add(motion.lip_aperture(), motion.fps, phones)
    rows = []
    for name, found in groups.items():
        for metric, values, limit, low in (
            ("P/B/M closed", found.bilabials, CLOSED, 95.0),
            ("F/V near the teeth", found.labiodentals, NEAR_TEETH, 92.0),
        ):
            rows.append(
                Row(
                    key=f"{name.split()[0]}_{'bilabials' if limit == CLOSED else 'labiodentals'}",
                    metric=f"{metric} (≤ {limit:.2f}): {name}",
                    value=percent_below(values, limit),
                    unit="%",
                    digits=1,
                    low=low,
                    high=INF,
                    sample=f"{len(values)} phones of speechocean762, style neutral",
                )
            )
    return rows
