"""How videos are downloaded from URLs."""

from __future__ import annotations

from ipaddress import ip_network
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

#: The big platforms; a name stands for the hosts below it as well.
PLATFORMS = (
    "tiktok.com", "tiktokv.com", "douyin.com", "iesdouyin.com",
    "youtube.com", "youtu.be",
    "instagram.com", "threads.net", "threads.com", "facebook.com", "fb.watch",
    "x.com", "twitter.com", "snapchat.com", "pinterest.com", "pin.it", "reddit.com", "redd.it",
    "vimeo.com", "dailymotion.com", "dai.ly", "twitch.tv", "likee.video", "triller.co",
    "kuaishou.com", "bilibili.com", "b23.tv", "linkedin.com",
)  # fmt: skip


class UrlSettings(BaseModel):
    """Where the lists of URLs lie, what may be downloaded, and how politely."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    lists: list[Path] = Field(
        default_factory=list,
        description="Lists that the download job reads; none: urls.txt and urls.csv below data_dir",
    )
    schedule: str = Field("0 * * * *", description="When the download job runs (cron, UTC)")
    hosts: list[str] = Field(
        list(PLATFORMS),
        description='Hosts of URLs, each with those below it; ["*"] takes any',
    )
    private_networks: list[str] = Field(
        default_factory=list,
        description="Networks that may be connected to although they are no public addresses, "
        "such as 192.168.1.0/24",
    )
    cookies_file: Path | None = Field(
        None, description="Cookies in Netscape's format, for what needs a login; it is only read"
    )
    proxy: SecretStr = Field(
        SecretStr(""),
        description="URL of a proxy; which addresses are connected to is then up to the proxy",
    )
    format: str = Field("bv*+ba/b", description="What is taken, as yt-dlp's --format")
    format_sort: list[str] = Field(
        ["res:1080", "vcodec:h264", "hasaud", "acodec:aac", "ext:mp4:m4a"],
        description="What is preferred, as yt-dlp's --format-sort",
    )
    at_once: int = Field(2, ge=1, le=16, description="Downloads at once")
    pause_s: float = Field(5.0, ge=0, description="Least time between the starts of downloads")
    most_attempts: int = Field(4, ge=1, description="Attempts at a URL that fails for a time")
    retry_after_s: float = Field(
        600.0, ge=0, description="Time before the second attempt; it doubles with each"
    )
    timeout_s: float = Field(3600.0, gt=0, description="A download may take so long")
    stall_s: float = Field(180.0, gt=0, description="It may show no progress for so long")
    most_mb: float = Field(2000.0, gt=0, description="Size of a file, at most")
    most_videos: int = Field(
        20, ge=1, description="Videos behind one URL, at most; one with more is a list, and refused"
    )

    @field_validator("private_networks")
    @classmethod
    def _are_networks(cls, names: list[str]) -> list[str]:
        for name in names:
            ip_network(name)
        return names
