"""Whether the engine answers: a fraction of a second of motion, really predicted."""

from __future__ import annotations

import asyncio
import logging
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from jambatalk.app.metrics import Metrics
from jambatalk.app.visitor import log_failure
from jambatalk.speech import SAMPLE_RATE, Speech
from jambatalk.talking_head import TalkingHead

log = logging.getLogger(__name__)

SECONDS = 0.3  # of noise, whose motion is predicted; of silence it is known
PATIENCE = 8.0  # seconds for the answer
CACHED = 5.0  # seconds for which an answer holds, so that asking costs little


class Health:
    """Probes the engine on a thread of its own, which no job occupies."""

    def __init__(self, talking_head: TalkingHead, metrics: Metrics) -> None:
        self._talking_head, self._metrics = talking_head, metrics
        self._thread = ThreadPoolExecutor(1, "health")
        self._probe: asyncio.Future[None] | None = None  # one at a time, even if it hangs
        self._asked = -CACHED

    async def serve(self, _: Request) -> Response:
        """Answer 200 if the engine answers, else 503."""
        now = time.monotonic()
        if self._probe is None or (self._probe.done() and now - self._asked > CACHED):
            self._asked = now
            loop = asyncio.get_running_loop()
            self._probe = loop.run_in_executor(self._thread, self._predict)
        try:
            await asyncio.wait_for(asyncio.shield(self._probe), PATIENCE)
        except Exception as error:
            self._metrics.unhealthy()
            slow = isinstance(error, TimeoutError)
            if not slow:
                log_failure(log, "The engine fails", error)
            why = "The engine is too slow." if slow else "The engine fails."
            return JSONResponse({"status": "unavailable", "why": why}, 503)
        return JSONResponse({"status": "ok"})

    def _predict(self) -> None:
        noise = np.random.default_rng(0).normal(0, 0.05, round(SECONDS * SAMPLE_RATE))
        speech = Speech(noise.astype(np.float32))
        motion = self._talking_head.animate(speech, self._talking_head.styles[0])
        if not len(motion) or not np.isfinite(motion.weights).all():
            raise ValueError("the motion is not finite")
