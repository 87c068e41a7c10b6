"""What an operator chooses for the page: address, limits, and how long files are kept."""

from __future__ import annotations

import errno
import re
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from jambatalk.errors import JambaTalkError
from jambatalk.files.bundled import DEFAULT_CHECKPOINT

MIN_KEPT, MAX_KEPT = 15, 7 * 24 * 3600  # seconds; files must outlast their request


@dataclass(frozen=True)
class Settings:
    """The settings of one page; each is an option of `jambatalk app` of the same name.

    Attributes:
        checkpoint, device: see :meth:`TalkingHead.from_pretrained`.
        style: files of own styles, which the page offers too.
        host, port: where the server listens.
        root_path: the path below which a proxy shows the page, such as "/talk".
        trusted_proxies: addresses and networks of proxies that tell a visitor's address.
        frame_ancestors: origins of sites that may show the page in a frame.
        auth: "NAME:PASSWORD" of everyone who may log in; nobody has to where it is empty.
        max_seconds: the longest recording, seconds.
        max_waiting: requests that may wait, all visitors together.
        max_each: videos that may wait, and live sessions, of one address.
        max_work: the largest video, seconds of 512 pixels: its seconds · styles · (size / 512)².
        max_requests: of one address in a minute.
        max_disk: of all recordings and results, megabytes; an address may upload a quarter.
        keep: seconds for which recordings and results are kept.
        share: whether Gradio's servers lend a public address, which leads here.
    """

    checkpoint: str | Path = DEFAULT_CHECKPOINT
    device: str = "auto"
    style: Sequence[Path] = ()
    host: str = "127.0.0.1"
    port: int = 7860
    root_path: str = ""
    trusted_proxies: Sequence[str] = ("127.0.0.1", "::1")
    frame_ancestors: Sequence[str] = ()
    auth: Sequence[str] = ()
    max_seconds: float = 600
    max_waiting: int = 20
    max_each: int = 1
    max_work: float = 1200
    max_requests: int = 600
    max_disk: float = 4000
    keep: float = 3600
    share: bool = False

    def __post_init__(self) -> None:
        check_number("--port", self.port, 1, 65535)
        check_number("--max-seconds", self.max_seconds, 1, 3600)
        check_number("--max-waiting", self.max_waiting, 1, 10_000)
        check_number("--max-each", self.max_each, 1, 10_000)
        check_number("--max-work", self.max_work, 1, 1e6)
        check_number("--max-requests", self.max_requests, 30, 1e6)
        check_number("--max-disk", self.max_disk, 1, 1e6)
        check_number("--keep", self.keep, MIN_KEPT, MAX_KEPT)
        for origin in self.frame_ancestors:
            if not re.fullmatch(r"https?://[\w.*:-]+", origin):
                raise JambaTalkError(
                    f"--frame-ancestors cannot be '{origin}'.", "Give origins, as https://a.org."
                )
        if self.root_path and not self.root_path.startswith(("/", "http://", "https://")):
            raise JambaTalkError(
                f"--root-path cannot be '{self.root_path}'.", "Begin it with /, as in /talk."
            )
        if not all(name and password for name, password in self.logins):
            raise JambaTalkError("--auth lacks a name or a password.", "Give NAME:PASSWORD.")

    @property
    def logins(self) -> list[tuple[str, str]]:
        """The names and passwords of who may log in."""
        parts = (each.partition(":") for each in self.auth)
        return [(name, password) for name, _, password in parts]


def check_address(host: str, port: int) -> None:
    """Check that a server can listen.

    Raises:
        JambaTalkError: the port is in use, or the host is not this machine's.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        family, *_, address = found[0]
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise busy(port) from error
        raise JambaTalkError(
            f"The page cannot be served on {host}, port {port} ({error.strerror or error}).",
            "Choose another --host or --port.",
        ) from error


def busy(port: int) -> JambaTalkError:
    """Return the error of a port that is in use."""
    return JambaTalkError(f"Port {port} is in use by another program.", "Choose another --port.")


def check_number(name: str, value: float, low: float, high: float) -> None:
    """Raise a JambaTalkError for the value of an option that is not from `low` to `high`."""
    if not low <= value <= high:  # NaN fails too
        raise JambaTalkError(f"{name} cannot be {value:g}.", f"Choose {low:g} to {high:g}.")


def in_words(seconds: float) -> str:
    """Return a duration as people say it: "40 s", "10 minutes", "an hour"."""
    if seconds < 100:
        return f"{seconds:g} s"
    minutes = round(seconds / 60)
    if minutes == 60:
        return "an hour"
    return f"{minutes} minutes" if minutes < 100 else f"{round(minutes / 60)} hours"
