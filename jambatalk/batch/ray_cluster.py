"""The way to a Ray cluster."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from socket import create_connection
from threading import current_thread, main_thread
from types import ModuleType

from jambatalk.errors import ClusterError

LOCAL = "local"
STORE = 100 << 20  # bytes of shared memory of a local one: what we send is small


@contextmanager
def connected(address: str, cores: int | None = None) -> Iterator[ModuleType]:
    """Ray, connected until the end; a connection that was there before is used and left open.

    Args:
        address: "local" for a cluster of this machine alone, which ends with the connection; "auto"
            for the one that runs on this machine; or HOST:PORT.
        cores: how many a local one has; those of the machine by default.

    Raises:
        ClusterError: Ray is not installed, or there is no cluster at that address.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # else it tells its makers
    require_ray()
    import ray

    if ray.is_initialized():
        yield ray
        return
    own = {"num_cpus": cores, "object_store_memory": STORE, "include_dashboard": False}
    options = own if address == LOCAL else {}
    host, _, port = address.rpartition(":")
    on_termination = signal.getsignal(signal.SIGTERM)
    try:
        if port.isdigit() and "/" not in host:
            create_connection((host, int(port)), timeout=5).close()  # Ray waits for two minutes
        ray.init(address, log_to_driver=False, logging_level="ERROR", **options)
    except (OSError, ValueError, RuntimeError) as error:
        raise ClusterError(
            f"There is no Ray cluster at '{address}' ({str(error).splitlines()[0]}).",
            "'ray start --head' starts one; 'local' does without.",
        ) from error
    if current_thread() is main_thread():
        signal.signal(signal.SIGTERM, on_termination)  # Ray's own leaves no time to tidy up
    try:
        yield ray
    finally:
        ray.shutdown()


def require_ray() -> None:
    """Raises a ClusterError if it is not installed."""
    if not find_spec("ray"):
        raise ClusterError("Ray is not installed.", "Install it: pip install -e '.[ray]'")
