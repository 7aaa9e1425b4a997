"""Keeps a process from connecting to addresses that are not public, and from starting programs.

An audit hook sees every connection that Python code opens, at the moment of `connect`, with the
address that the name resolved to: redirects, names that point inwards, and names that change
between two look-ups (DNS rebinding) all come through here. It cannot be taken out again, so it is
for a process of its own. Native code that connects by itself is not seen: nothing of that kind may
be loaded (`forbid_native_clients`), and no program may be started but a JavaScript engine, which
yt-dlp runs without network access.
"""

from __future__ import annotations

import socket
import sys
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from pathlib import Path
from typing import Any

from resources.web_address import is_listed

_NAT64 = IPv6Network("64:ff9b::/96")  # RFC 6052
_ENGINES = frozenset({"deno", "bun", "node", "qjs", "quickjs"})
_REACHES_OUT = frozenset(
    {"os.exec", "os.posix_spawn", "os.spawn", "os.startfile", "os.system", "pty.spawn"}
)


class Refused(PermissionError):
    """A connection or a program that is not allowed."""


class AddressGuard:
    """Decides on connections; `refusals` tells what it refused."""

    def __init__(self, networks: Sequence[str] = (), proxy_host: str = "") -> None:
        """`networks` are allowed although not public; so is the proxy, by name or address."""
        self._networks = [ip_network(name) for name in networks]
        self._proxy_host = proxy_host
        self._proxies: set[str] = set()
        self._hosts: Collection[str] = ("*",)
        #: One sentence each.
        self.refusals: list[str] = []

    def install(self) -> None:
        """Watch this process from now on, for as long as it lives."""
        sys.addaudithook(self._on_event)

    def _on_event(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event in ("socket.connect", "socket.sendto"):
            self.check(arguments[1])
        elif event == "socket.getaddrinfo":
            self._look_up(arguments[0])
        elif event in _REACHES_OUT or (
            event == "subprocess.Popen" and Path(str(arguments[0])).stem not in _ENGINES
        ):
            # Not among the refusals: yt-dlp looks for programs and does without those it lacks.
            raise Refused(f"{event}: no program may be started during a download")

    @contextmanager
    def only(self, hosts: Collection[str]) -> Iterator[None]:
        """Allow only these hosts (see `web_address`) to be looked up inside the block."""
        before, self._hosts = self._hosts, hosts
        try:
            yield
        finally:
            self._hosts = before

    def check(self, address: object) -> None:
        """Raise `Refused` unless the address is that of an allowed host.

        `address` is what `socket.connect` gets: (host, port, ...), the host as a literal.
        """
        host = address[0] if isinstance(address, tuple) and address else address
        try:
            ip = ip_address(str(host).partition("%")[0])
        except ValueError:  # a name that nobody looked up yet, or a socket of another kind
            ip = None
        if ip is not None and self._allowed(ip):
            return
        raise self._refused(
            f"{host} is no public address; the setting urls.private_networks allows it"
        )

    def _refused(self, why: str) -> Refused:
        self.refusals.append(why)
        return Refused(why)

    def _allowed(self, ip: IPv4Address | IPv6Address) -> bool:
        forms = _forms(ip)
        if any(form in network for form in forms for network in self._networks):
            return True
        return all(form.is_global and not form.is_multicast for form in forms)

    def _look_up(self, host: str | bytes | None) -> None:
        name = host.decode() if isinstance(host, bytes) else host or ""
        if self._proxy_host and name == self._proxy_host:
            self._allow_proxy()
        elif name not in self._proxies and not is_listed(name, self._hosts):
            raise self._refused(f"the host {name} is not on the list (setting urls.hosts)")

    def _allow_proxy(self) -> None:
        host, self._proxy_host = self._proxy_host, ""  # the look-up comes here again
        self._proxies.add(host)
        found = {str(info[4][0]).partition("%")[0] for info in socket.getaddrinfo(host, None)}
        self._networks += [ip_network(ip) for ip in found]


def _forms(ip: IPv4Address | IPv6Address) -> list[IPv4Address | IPv6Address]:
    """The address, or the IPv4 address that it stands for, where it is reached by way of another.

    For 6to4 and Teredo both the address and what is inside.
    """
    if isinstance(ip, IPv4Address):
        return [ip]
    if ip.ipv4_mapped is not None:
        return [ip.ipv4_mapped]
    if ip in _NAT64:
        return [IPv4Address(int(ip) & 0xFFFFFFFF)]
    if ip.sixtofour is not None:
        return [ip, ip.sixtofour]
    if ip.teredo is not None:
        return [ip, *ip.teredo]
    return [ip]


def forbid_native_clients() -> None:
    """Make HTTP clients that connect outside of Python fail to import; call it before yt-dlp's."""
    sys.modules["curl_cffi"] = None  # type: ignore[assignment]
