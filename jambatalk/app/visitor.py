"""Who a visitor is to the server: an address, a site; and what the log may hold of one."""

from __future__ import annotations

import ipaddress
import logging
import traceback
from contextlib import suppress
from urllib.parse import urlsplit

from starlette.requests import HTTPConnection
from starlette.types import Scope


def address_of(connection: HTTPConnection) -> str:
    """Return who asks: the client's address, of IPv6 the network that a client has to itself.

    Behind a proxy it is what the proxy says, if the server trusts it (`--trusted-proxies`).
    """
    host = connection.client.host if connection.client else ""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host
    if isinstance(address, ipaddress.IPv4Address):
        return host
    return str(address.ipv4_mapped or ipaddress.ip_network((int(address), 64), strict=False))


def vouch(scope: Scope) -> None:
    """Replace what a request says of its sender's address by what this server knows.

    The Model Context Protocol's server asks this one with the headers of its client: the address
    that counts is the client's, and no other that the client may claim.
    """
    host, _ = scope["client"] or ("", 0)
    others = [header for header in scope["headers"] if header[0] != b"x-forwarded-for"]
    scope["headers"] = [*others, (b"x-forwarded-for", host.encode("latin-1"))]


def is_same_site(connection: HTTPConnection) -> bool:
    """Return whether a browser asks for a page of this server; programs do not say.

    Proxies replace Host and keep it as X-Forwarded-Host, which no page can make a browser send.
    """
    origin = connection.headers.get("origin")
    if origin is None:
        return True
    hosts = (connection.headers.get(name) for name in ("host", "x-forwarded-host"))
    with suppress(ValueError):  # of an origin that is none, as http://[
        return urlsplit(origin).netloc in {host for host in hosts if host}
    return False


def log_failure(log: logging.Logger, what: str, error: BaseException) -> None:
    """Log where an error was raised and of which kind: its message may quote a visitor."""
    where = "".join(traceback.format_tb(error.__traceback__))
    log.error("%s: %s\n%s", what, type(error).__name__, where)
