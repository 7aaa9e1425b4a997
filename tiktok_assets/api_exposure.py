"""Who can reach the HTTP API, and that nobody does unasked."""

from __future__ import annotations

from ipaddress import ip_address

from tiktok_assets.settings import ApiSettings


class Exposed(ValueError):
    """Other machines could reach the API, and no token is set."""


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches what listens on an address or name."""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:  # some other name, which may stand for any address
        return False


def check_exposed(settings: ApiSettings) -> None:
    """Raise `Exposed` where the API would be open to other machines without a token."""
    if not is_loopback(settings.host) and not settings.token.get_secret_value():
        raise Exposed(
            f"The HTTP API is not started on {settings.host} without a token, since others could "
            "reach it: set api.token (TIKTOK_ASSETS_API__TOKEN), or api.host to 127.0.0.1."
        )
