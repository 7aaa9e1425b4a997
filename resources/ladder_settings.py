"""How the frame ladder is made; part of the key under which it is cached."""

from __future__ import annotations

import hashlib
import json
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

#: Raise it when the same settings give other pictures or other sound than before.
LADDER_VERSION = 3


class LadderSettings(BaseModel):
    """Rates and sizes of the rungs. Thumbs are always every frame at 48x27."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    motion_rate_hz: float = Field(
        default=15.0, gt=0, description="Frames a second of the motion rung"
    )
    analysis_rate_hz: float = Field(
        default=5.0, gt=0, description="Frames a second of the analysis rung"
    )
    detail_rate_hz: float = Field(
        default=1.0, gt=0, description="Frames a second of the detail rung"
    )
    short_side_px: int = Field(
        default=360, ge=16, description="Short side of motion and analysis, at most"
    )
    detail_short_side_px: int = Field(
        default=1080, ge=16, description="Short side of detail, at most"
    )
    jpeg_quality: int = Field(
        default=92, ge=1, le=100, description="JPEG quality of the detail rung"
    )
    decoder: Literal["cpu", "nvdec"] = Field(
        default="cpu",
        description="nvdec: an NVIDIA GPU's own decoder, where it can decode the file",
    )

    def what_counts(self) -> dict[str, Any]:
        """The settings that the pictures follow from; that the CPU decodes goes without saying."""
        return self.model_dump(mode="json", exclude={"decoder"} if self.decoder == "cpu" else None)

    def key(self) -> str:
        """Eight hex digits that change with every setting and with `LADDER_VERSION`."""
        told = json.dumps(self.what_counts(), separators=(",", ":"))
        text = f"{LADDER_VERSION}:{told}"
        return hashlib.sha256(text.encode()).hexdigest()[:8]


class DecodeLimits(BaseModel):
    """What a decode may cost before it is given up; no part of the cache key."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    stall_timeout_s: float = Field(
        default=50.0, gt=0, description="Longest wall time without another frame"
    )
    timeout_per_video_s: float = Field(
        default=5.0, gt=0, description="Wall time allowed for a second of 1080x1920 video at 30 fps"
    )
    memory_bytes: int = Field(
        default=4 * 1024**3,
        gt=0,
        description="Resident memory a decode may take",
    )
    threads: int = Field(
        default=0, ge=0, description="Decoder threads; 0 takes the cores this process has, up to 8"
    )
