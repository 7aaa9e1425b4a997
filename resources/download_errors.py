"""Tells why a download failed: what is to be expected of the web, what passes, what is a fault."""

from __future__ import annotations

import errno
import re
from collections.abc import Iterator
from dataclasses import dataclass

from yt_dlp.cookies import CookieLoadError
from yt_dlp.networking.exceptions import (
    CertificateVerifyError,
    HTTPError,
    RequestError,
    TransportError,
)
from yt_dlp.utils import (
    ContentTooShortError,
    ExtractorError,
    GeoRestrictedError,
    UnsupportedError,
    UserNotLive,
    remove_terminal_sequences,
)

from resources.address_guard import AddressGuard


@dataclass(frozen=True)
class Failure:
    """Why a URL was not downloaded.

    `kind` of those that pass and are tried again: network, timeout, crash, disk. Of those that stay
    as they are until someone does something: private, login, region, removed, forbidden, refused
    (by our own rules), unsupported, unavailable (whatever else the site says). And bug, a fault of
    yt-dlp or of this project.
    """

    kind: str
    reason: str


class Unwanted(Exception):
    """A video that our own rules refuse, with the kind of failure."""

    def __init__(self, kind: str, reason: str) -> None:
        self.kind = kind
        super().__init__(reason)


#: HTTP status codes (RFC 9110, RFC 7725); what is not here and below 500 is "unavailable".
_STATUS_KINDS = {401: "login", 403: "forbidden", 404: "removed", 408: "network", 410: "removed",
                 425: "network", 429: "network", 451: "region"}  # fmt: skip
#: What sites say, by yt-dlp's messages; the first that fits. A region is told of as "not available
#: in your country", a private video as "log in if you have access": the more telling words first.
_SAID = (
    ("region", r"geo.?restrict|your (location|country|region)|(country|region).?blocked"),
    ("private", r"\bprivate\b|do not have permission|friends.only|followers.only"),
    ("login", r"log.?in|sign.?in|registered users|authenticat|--cookies|account that has access|"
              r"members.only|subscri(be|ption)|confirm your age|not a bot"),
    ("removed", r"removed|deleted|no longer|does ?n[o']t exist|not found|terminated|taken down|"
                r"(video|post|status|tweet|account|content|media)( is| was)? (not available|unav)"),
    ("forbidden", r"\bblocked\b|forbidden"),
)  # fmt: skip
_PASSING = (TransportError, ContentTooShortError, ConnectionError, TimeoutError)
_WAYS_OUT = {
    "login": "give cookies (setting urls.cookies_file)",
    "private": "give cookies of an account that may see it (setting urls.cookies_file)",
    "region": "use a proxy elsewhere (setting urls.proxy)",
    "forbidden": "try again later, with cookies or by a proxy (`tiktok-assets urls retry`)",
    "bug": "this is no answer of the site but a fault of yt-dlp or of this project: install the "
    "newest yt-dlp, then `tiktok-assets urls retry`, else report it",
}


def failure(error: Exception, guard: AddressGuard) -> Failure:
    """What an exception of the download means; the reason is one sentence with the way out."""
    kind, said = _kind(error, guard)
    said = " ".join(remove_terminal_sequences(said).split()).removeprefix("ERROR: ").rstrip(".")
    said = re.sub(r"(; please report this issue on| \(caused by) .*", "", said)[:500]
    way_out = _WAYS_OUT.get(kind, "")
    return Failure(kind, f"{said}; {way_out}." if way_out else f"{said}.")


def _kind(error: Exception, guard: AddressGuard) -> tuple[str, str]:
    chain = list(_causes(error))
    for cause in chain:
        if isinstance(cause, Unwanted):
            return cause.kind, str(cause)
    if guard.refusals:
        return "refused", guard.refusals[0]
    for cause in chain:
        if isinstance(cause, OSError) and cause.errno in (errno.ENOSPC, errno.EDQUOT):
            return "disk", "the disk is full"
        if isinstance(cause, MemoryError):
            return "refused", "it needs more memory than a download may have"
        if isinstance(cause, CookieLoadError):
            return "refused", "the cookies are not in Netscape's format (urls.cookies_file)"
        if isinstance(cause, GeoRestrictedError):
            return "region", str(error)
        if isinstance(cause, UnsupportedError):
            return "unsupported", str(error)
        if isinstance(cause, UserNotLive):
            return "unavailable", str(error)
        if isinstance(cause, HTTPError):
            kind = "network" if cause.status >= 500 else "unavailable"
            return _STATUS_KINDS.get(cause.status, kind), str(error)
    for cause in chain:
        if isinstance(cause, CertificateVerifyError):
            return "unavailable", str(error)
        if isinstance(cause, _PASSING):
            return "network", str(error)
        if isinstance(cause, RequestError):  # a redirect to file:, say
            return "unavailable", str(error)
    expected = [e for e in chain if isinstance(e, ExtractorError) and e.expected]
    if expected:
        said = expected[-1].orig_msg
        for kind, words in _SAID:
            if re.search(words, said, re.IGNORECASE):
                return kind, str(error)
        return "unavailable", str(error)
    return "bug", f"{type(error).__name__}: {error}"


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The exception and those it came from, whichever way yt-dlp keeps them."""
    waiting: list[object] = [error]
    seen: set[int] = set()
    while waiting:
        one = waiting.pop(0)
        if not isinstance(one, BaseException) or id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        exc_info = getattr(one, "exc_info", None) or (None, None)
        waiting += [getattr(one, "cause", None), exc_info[1], one.__cause__]
