import io

import pytest
from yt_dlp.networking import Response
from yt_dlp.networking.exceptions import HTTPError, TransportError
from yt_dlp.utils import DownloadError, ExtractorError, GeoRestrictedError, UnsupportedError

from resources.address_guard import AddressGuard
from resources.download_errors import Unwanted, failure


def _raised(error):
    """As YoutubeDL raises it: wrapped, with what it came from in `exc_info`."""
    return DownloadError(f"ERROR: {error}", (type(error), error, None))


def _status(code):
    return HTTPError(Response(io.BytesIO(), "https://example.com", {}, status=code))


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        # As the extractors of yt-dlp 2026.10 say it.
        ("You do not have permission to view this post. Log into an account that has access",
         "private"),
        ("TikTok is requiring login for access to this content", "login"),
        ("Your IP address is blocked from accessing this post", "forbidden"),
        ("Private video. Sign in if you've been granted access to this video", "private"),
        ("Video unavailable. This video has been removed by the uploader", "removed"),
        ("This video is no longer available because the YouTube account associated with this "
         "video has been terminated.", "removed"),
        ("The uploader has not made this video available in your country", "region"),
        ("Sign in to confirm you're not a bot. Use --cookies-from-browser or --cookies", "login"),
        ("Requested format is not available", "unavailable"),
    ],
)  # fmt: skip
def test_what_sites_say_is_told_apart(said, kind):
    why = failure(_raised(ExtractorError(said, expected=True)), AddressGuard())
    assert why.kind == kind
    assert said[:40] in why.reason
    assert "ERROR" not in why.reason


@pytest.mark.parametrize(
    ("code", "kind"),
    [(401, "login"), (403, "forbidden"), (404, "removed"), (410, "removed"), (429, "network"),
     (451, "region"), (418, "unavailable"), (500, "network"), (503, "network")],
)  # fmt: skip
def test_what_servers_answer(code, kind):
    cause = _status(code)
    error = ExtractorError("Unable to download webpage", cause=cause, expected=True)
    assert failure(_raised(error), AddressGuard()).kind == kind


def test_a_connection_that_fails_passes():
    error = ExtractorError("no answer", cause=TransportError("timed out"))
    assert failure(_raised(error), AddressGuard()).kind == "network"


def test_a_region_and_a_page_without_video():
    assert failure(_raised(GeoRestrictedError("no")), AddressGuard()).kind == "region"
    assert failure(_raised(UnsupportedError("https://a")), AddressGuard()).kind == "unsupported"


@pytest.mark.parametrize(
    "error", [ExtractorError("Unable to extract universal data"), KeyError("x")]
)
def test_a_fault_is_called_one_with_the_way_out(error):
    why = failure(_raised(error) if isinstance(error, ExtractorError) else error, AddressGuard())
    assert why.kind == "bug"
    assert "a fault of yt-dlp or of this project" in why.reason
    assert "github.com" not in why.reason


def test_a_page_without_end_is_no_fault():
    assert failure(_raised(MemoryError()), AddressGuard()).kind == "refused"


def test_a_full_disk_is_no_fault():
    assert failure(OSError(28, "No space left"), AddressGuard()).kind == "disk"


def test_our_own_rules_come_first():
    guard = AddressGuard()
    with pytest.raises(PermissionError):
        guard.check(("10.0.0.1", 80))
    error = ExtractorError("no answer", cause=TransportError("refused"))
    assert failure(_raised(error), guard).kind == "refused"
    assert failure(Unwanted("refused", "too large"), guard).reason == "too large."
