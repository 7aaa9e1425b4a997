"""yt-dlp's extractor for TikTok, which here tells the pictures of a slideshow as well.

yt-dlp gives a slideshow's sound alone, and does not know addresses with /photo/. The pictures stand
in the same answers of TikTok that it reads: `imagePost` in the page's, `image_post_info` in the
app's. The two methods that are wrapped are private to yt-dlp; where a new version has others, its
own answer comes through, the sound, which is then refused as no video.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from yt_dlp.extractor.tiktok import TikTokIE as _TikTokIE
from yt_dlp.utils import url_or_none
from yt_dlp.utils.traversal import traverse_obj

#: In the info dict: for each picture its URLs, best first.
PICTURES = "slideshow_pictures"
_WEB = ("imagePost", "images", ..., "imageURL", "urlList", {list})
_APP = ("image_post_info", "images", ..., "display_image", "url_list", {list})


class TikTokIE(_TikTokIE):
    """The same name as yt-dlp's, whose place it takes."""

    _VALID_URL = _TikTokIE._VALID_URL.replace("/video)", "/(?:video|photo))")

    def _parse_aweme_video_web(
        self, aweme_detail: dict[str, Any], *args: Any, **kwargs: Any
    ) -> dict[str, Any]:
        info = super()._parse_aweme_video_web(aweme_detail, *args, **kwargs)
        return _with_pictures(info, traverse_obj(aweme_detail, _WEB))

    def _parse_aweme_video_app(self, aweme_detail: dict[str, Any]) -> dict[str, Any]:
        info = super()._parse_aweme_video_app(aweme_detail)
        return _with_pictures(info, traverse_obj(aweme_detail, _APP))


def _with_pictures(info: Mapping[str, Any], found: list[list[object]]) -> dict[str, Any]:
    pictures = [urls for choices in found if (urls := [u for u in choices if url_or_none(u)])]
    if not pictures:
        return dict(info)
    sounds = [f for f in info.get("formats") or () if f.get("vcodec") == "none"]
    # Without sound a picture stands as the format, since yt-dlp takes no video without one.
    formats = sounds or [{"format_id": "picture", "url": pictures[0][0], "ext": "jpg"}]
    return {**info, "formats": formats, PICTURES: pictures}
