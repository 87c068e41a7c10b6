"""Serve a study: one page, its videos, and the answers that come back."""

from __future__ import annotations

import json
import logging
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route

from jambatalk.app.study.answers import QUESTIONS, AnswerFile, rate
from jambatalk.app.study.trials import SIDES, Trial, plan_trials
from jambatalk.app.study.videos import Videos
from jambatalk.errors import DataError

log = logging.getLogger(__name__)

PAGE = Path(__file__).parent / "page"
FILES = {"": "study.html", "study.css": "study.css", "study.js": "study.js"}
MAX_PARTICIPANTS = 10_000  # at a time; the one who was idle longest is forgotten
MAX_BODY = 1000  # bytes of an answer
MAX_CONNECTIONS = 500
DAY = 24 * 3600
HEADERS = {
    "Content-Security-Policy": "default-src 'self'; img-src data:; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'self'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}


@dataclass
class Participant:
    """Who takes part.

    Attributes:
        trials: what the participant sees.
        done: how many of them are answered.
        since: when the next was first seen, seconds of the machine's clock; None if not yet.
    """

    trials: list[Trial]
    done: int = 0
    since: float | None = None


@dataclass
class Study:
    """A study that runs.

    Attributes:
        videos: what is shown.
        answers: where the answers go.
        most: pairs that a participant sees, beside the attention checks.
        seed: of orders and sides.
    """

    videos: Videos
    answers: AnswerFile
    most: int
    seed: int
    _people: OrderedDict[str, Participant] = field(default_factory=OrderedDict)

    def __post_init__(self) -> None:
        paths = [*self.videos.files.values(), *(path for _, path in self.videos.checks.values())]
        self._served = {path.name: path for path in paths}

    def app(self) -> Starlette:
        """Build the server's application."""
        return Starlette(
            routes=[
                *(Route(f"/{name}", _page(file)) for name, file in FILES.items()),
                Route("/participants", self.begin, methods=["POST"]),
                Route("/participants/{participant}", self.show),
                Route("/participants/{participant}", self.answer, methods=["POST"]),
                Route("/videos/{name}", self.video),
            ],
            exception_handlers={HTTPException: _refuse},
        )

    async def begin(self, request: Request) -> Response:
        """Let somebody take part, under a random name."""
        name = secrets.token_hex(6)
        self._people[name] = Participant(plan_trials(self.videos, self.most, self.seed, name))
        if len(self._people) > MAX_PARTICIPANTS:
            self._people.popitem(last=False)
        return JSONResponse({"participant": name}, headers=HEADERS)

    async def show(self, request: Request) -> Response:
        """Tell a participant's next pair."""
        return self._next(self._person(request))

    async def answer(self, request: Request) -> Response:
        """Take the answers to a pair, and tell the next one."""
        person = self._person(request)
        given = await _read(request)
        if given.get("trial") != person.done or person.done == len(person.trials):
            raise HTTPException(409, "This pair is answered already. Reload the page.")
        sides = [given.get(question) for question in QUESTIONS]
        if not all(side in SIDES for side in sides):
            raise HTTPException(400, "Answer both questions with left or right.")
        seconds = time.monotonic() - (person.since or time.monotonic())
        name = request.path_params["participant"]
        try:
            self.answers.add(rate(name, person.done, person.trials, sides, seconds))  # type: ignore[arg-type]
        except DataError as error:
            log.error("%s", error)
            raise HTTPException(507, "The answer could not be stored. Try again later.") from error
        person.done, person.since = person.done + 1, None
        return self._next(person)

    async def video(self, request: Request) -> Response:
        """Send a video, or the part of it that is asked for."""
        path = self._served.get(request.path_params["name"])
        if path is None:
            raise HTTPException(404, "There is no such video.")
        kept = {"Cache-Control": f"private, max-age={DAY}"}
        return FileResponse(path, media_type="video/mp4", headers=HEADERS | kept)

    def _person(self, request: Request) -> Participant:
        name = request.path_params["participant"]
        if name not in self._people:
            raise HTTPException(404, "This study has been started anew. Begin again.")
        self._people.move_to_end(name)
        return self._people[name]

    def _next(self, person: Participant) -> Response:
        state: dict[str, Any] = {"done": person.done, "trials": len(person.trials)}
        if person.done < len(person.trials):
            if person.since is None:
                person.since = time.monotonic()
            files = person.trials[person.done].files
            state |= {side: f"videos/{file.name}" for side, file in zip(SIDES, files, strict=True)}
        return JSONResponse(state, headers=HEADERS | {"Cache-Control": "no-store"})


def serve(study: Study, host: str, port: int) -> None:
    """Serve a study until it is interrupted, which raises a KeyboardInterrupt."""
    uvicorn.run(
        study.app(),
        host=host,
        port=port,
        log_level="error",
        access_log=False,
        server_header=False,
        ws="none",
        lifespan="off",
        limit_concurrency=MAX_CONNECTIONS,
        timeout_graceful_shutdown=3,
    )


def _page(file: str) -> Callable[[Request], Any]:
    async def send(request: Request) -> Response:
        return FileResponse(PAGE / file, headers=HEADERS | {"Cache-Control": "no-cache"})

    return send


async def _read(request: Request) -> dict[str, Any]:
    """Read an answer."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY:
            raise HTTPException(413, "This is too long for an answer.")
    try:
        given = json.loads(body)
    except (ValueError, RecursionError):
        given = None
    if not isinstance(given, dict):
        raise HTTPException(400, "This is no answer.")
    return given


async def _refuse(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    what = error.detail
    if what == HTTPStatus(error.status_code).phrase:  # Starlette's own
        what = "There is no such page."
    return JSONResponse({"detail": what}, error.status_code, HEADERS)
