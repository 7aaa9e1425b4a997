import pytest

from resources.url_settings import PLATFORMS
from resources.web_address import refusal


@pytest.mark.parametrize(
    "url",
    [
        "https://www.tiktok.com/@someone/video/7253412088251534594?lang=en",
        "http://vm.tiktok.com/ZM123/",
        "https://YOUTU.BE/abc",
        "https://www.youtube.com./shorts/abc",
    ],
)
def test_the_platforms_and_what_is_below_them_are_taken(url):
    assert refusal(url, PLATFORMS) == ""


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("https://example.com/a.mp4", "example.com is not on the list"),
        ("https://nottiktok.com/a", "not on the list"),
        ("https://tiktok.com.evil.net/a", "not on the list"),
        ("https://tiktok.com@evil.net/a", "name or password"),
        ("https://evil.net\\@tiktok.com/a", "name or password"),
        ("ftp://tiktok.com/a", "no http"),
        ("file:///etc/passwd", "no http"),
        ("tiktok.com/@a/video/1", "no http"),
        ("https://", "no URL"),
        ("https://[::1/a", "no URL"),
        ("https://tiktok.com:x/a", "no URL"),
        ("https://tiktok.com/a b", "no URL"),
    ],
)
def test_the_rest_is_refused(url, says):
    assert says in refusal(url, PLATFORMS)


def test_a_star_takes_any_host_but_no_other_scheme():
    assert refusal("https://example.com/a.mp4", ["*"]) == ""
    assert refusal("file:///etc/passwd", ["*"])
