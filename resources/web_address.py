"""Which URLs may be downloaded, by what is written in them."""

from __future__ import annotations

from collections.abc import Collection
from urllib.parse import urlsplit


def refusal(url: str, hosts: Collection[str]) -> str:
    """Why a URL is not taken, in a few words; "" for one that is.

    `hosts` are host names, each with those below it; `*` is any. What a name resolves to is not
    looked at here: that is up to `address_guard`, at the moment of connecting.
    """
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "").rstrip(".").lower()
        _ = parts.port  # raises where it is no number
    except ValueError as error:
        return f"it is no URL ({error})"
    if parts.scheme.lower() not in ("http", "https"):
        return "it is no http or https URL"
    if not host or any(c.isspace() or not c.isprintable() for c in url):
        return "it is no URL"
    if parts.username is not None or parts.password is not None:
        return "it has a name or password in it"
    if not is_listed(host, hosts):
        return f"the host {host} is not on the list (setting urls.hosts)"
    return ""


def is_listed(host: str, hosts: Collection[str]) -> bool:
    """Whether a host, or one that it lies below, is among `hosts`; `*` is any."""
    return "*" in hosts or any(host == one or host.endswith(f".{one}") for one in hosts)
