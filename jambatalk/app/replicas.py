"""The page in several replicas, behind Ray Serve.

Gradio keeps a visitor's place in the queue and the files in the memory and the folder of one
process. So the replica that shows a visitor the page leaves its name in a cookie, by which the
router finds it again.
"""

from __future__ import annotations

import logging
import os
import pickle
import shutil
import signal
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import gradio as gr
from fastapi import FastAPI
from ray import serve
from ray.serve.config import RequestRouterConfig
from ray.serve.experimental.consistent_hash_router import ConsistentHashRouter
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import cookie_parser
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from jambatalk import TalkingHead
from jambatalk.app.page import build, look
from jambatalk.app.studio import Studio
from jambatalk.batch.ray_cluster import connected
from jambatalk.errors import ClusterError
from jambatalk.files.bundled import DEFAULT_CHECKPOINT
from jambatalk.model.jambatalk import fetch

NAME = "jambatalk"  # of the application in the cluster
COOKIE = "replica"
HOST, PORT = "127.0.0.1", 7860  # Gradio's own
MANY = 1000  # requests open at a replica; every page that is open somewhere keeps one


def serve_page(
    replicas: int,
    address: str,
    checkpoint: str | Path = DEFAULT_CHECKPOINT,
    device: str = "cpu",
) -> None:
    """Serves the page until it is interrupted or terminated.

    Where it listens is said as to Gradio: GRADIO_SERVER_NAME and GRADIO_SERVER_PORT.

    Args:
        replicas: how many make a video at a time.
        address: of the Ray cluster, see :func:`jambatalk.batch.ray_cluster.connected`.

    Raises:
        ClusterError: there is no cluster, it has too few cores, or replicas cannot start in it.
        ModelError: no checkpoint.
    """
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    host = os.environ.get("GRADIO_SERVER_NAME", HOST)
    port = os.environ.get("GRADIO_SERVER_PORT", str(PORT))
    if not port.isdigit():
        raise ClusterError(f"GRADIO_SERVER_PORT is '{port}'.", "Give a number.")
    if replicas < 1:
        raise ClusterError(f"{replicas} replicas show no page.", "Give 1 or more.")
    folder = fetch(checkpoint)
    if Path(checkpoint).is_dir():
        checkpoint = folder.resolve()  # replicas are in folders of their own
    logging.getLogger("ray.serve").setLevel(logging.WARNING)
    with connected(address) as ray:
        cores = int(ray.cluster_resources().get("CPU", 0))
        if replicas > cores:
            raise ClusterError(
                f"{replicas} replicas need {replicas} cores, and the cluster has {cores}.",
                "Ask for fewer, or add machines.",
            )
        serve.start(http_options={"host": host, "port": int(port)})
        try:
            try:
                serve.run(application(replicas, checkpoint, device), name=NAME)
            except RuntimeError as error:
                raise ClusterError(
                    f"The replicas do not start ({str(error).splitlines()[0]}).",
                    "Try without --replicas; Ray's own logs say more.",
                ) from error
            print(f"{replicas} replicas at http://{host}:{port}/", flush=True)
            signal.pause()
        finally:
            serve.delete(NAME)  # what else the cluster serves goes on


def application(
    replicas: int, checkpoint: str | Path = DEFAULT_CHECKPOINT, device: str = "cpu"
) -> serve.Application:
    """The page as an application of Ray Serve."""

    def page() -> FastAPI:
        return _page(checkpoint, device)

    return serve.deployment(
        serve.ingress(page)(),
        name="page",
        num_replicas=replicas,
        ray_actor_options={"num_cpus": 1, "num_gpus": 1 if device.startswith("cuda") else 0},
        max_ongoing_requests=MANY,
        request_router_config=RequestRouterConfig(
            request_router_class=VisitorRouter, request_router_kwargs={"num_fallback_replicas": 0}
        ),
    ).bind()


def _page(checkpoint: str | Path, device: str) -> FastAPI:
    """One replica's page, with a folder of its own for visitors' files."""
    studio = Studio(TalkingHead.from_pretrained(checkpoint, device))
    folder = tempfile.mkdtemp(prefix="jambatalk-")
    os.environ["GRADIO_TEMP_DIR"] = folder

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        studio.close()
        shutil.rmtree(folder, ignore_errors=True)

    app = FastAPI(lifespan=lifespan)
    app.add_middleware(NameTag, name=serve.get_replica_context().replica_id.unique_id)
    # Ray's own GradioIngress does not do what Gradio 6 wants done before a page is served.
    return gr.mount_gradio_app(app, build(studio), path="/", **look(studio.talking_head))


class NameTag:
    """Gives whoever opens the page the name of the replica that shows it."""

    def __init__(self, app: ASGIApp, name: str) -> None:
        self.app, self.name = app, name

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """An ASGI application around another."""

        async def tagged(message: Message) -> None:
            if message["type"] == "http.response.start":
                cookie = f"{COOKIE}={self.name}; Path=/; HttpOnly; SameSite=Lax"
                MutableHeaders(scope=message).append("set-cookie", cookie)
            await send(message)

        opens = scope["type"] == "http" and scope["path"] == "/"
        await self.app(scope, receive, tagged if opens else send)


class VisitorRouter(ConsistentHashRouter):
    """Sends all that a visitor asks for to one replica.

    Whoever opens the page is shown it by any. From then on the cookie says by which, as long as
    that one lives. Programs have no cookie: they are known by the header `x-session-id`, or else
    by their address.
    """

    def _routing_key(self, pending_request: Any) -> str | None:
        if pending_request is None:
            return None
        scope = pickle.loads(pending_request.args[0]).asgi_scope  # pickled by Ray's proxy
        headers = Headers(scope=scope)
        tag = cookie_parser(headers.get("cookie", "")).get(COOKIE)  # others' cookies may be odd
        if any(replica.unique_id == tag for replica in self._replica_set_snapshot):
            return tag
        session = pending_request.metadata.session_id
        if session or scope["path"] == "/":
            return session or pending_request.metadata.internal_request_id
        forwarded = headers.get("x-forwarded-for", "").split(",")[0].strip()
        return forwarded or (scope["client"] or [""])[0]

    def _lookup_ranked_replicas(self, routing_key: str) -> list:
        named = [r for r in self._replica_set_snapshot if r.unique_id == routing_key]
        return named or super()._lookup_ranked_replicas(routing_key)
