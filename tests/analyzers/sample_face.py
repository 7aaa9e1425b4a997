"""The face in the sample video, and videos made of stills, for tests of what reads faces."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from analyzers.models.lending import Models
from analyzers.models.weights import ModelMissing
from analyzers.video import MappedFrames, Video
from tests.analyzers.made import made_video

SAMPLE = Path(__file__).resolve().parents[2] / "sample" / "street_portrait.mp4"
#: A time at which the astronaut Eileen Collins is on screen: she smiles into the camera.
_PORTRAIT_S = 11.8


@cache
def portrait() -> np.ndarray:
    """One woman's face, upright and sharp, uint8 RGB (640, 360, 3)."""
    capture = cv2.VideoCapture(str(SAMPLE))
    capture.set(cv2.CAP_PROP_POS_MSEC, _PORTRAIT_S * 1000)
    read, picture = capture.read()
    capture.release()
    assert read
    small = cv2.resize(picture, (360, 640), interpolation=cv2.INTER_AREA)
    rgb = cv2.cvtColor(small, cv2.COLOR_BGR2RGB)
    rgb.flags.writeable = False
    return rgb


def without_face() -> np.ndarray:
    """The same picture from below the chin on."""
    return np.ascontiguousarray(portrait()[260:])


def turned(picture: np.ndarray, clockwise_deg: float) -> np.ndarray:
    """A picture rotated about its middle; the corners repeat its edge."""
    height, width = picture.shape[:2]
    rotation = cv2.getRotationMatrix2D((width / 2, height / 3), -clockwise_deg, 1)
    return cv2.warpAffine(picture, rotation, (width, height), borderMode=cv2.BORDER_REPLICATE)


def video_of(pictures: Sequence[np.ndarray]) -> Video:
    """A video that shows each still for a second; `detail` is as large as `analysis`."""
    end_s = float(len(pictures))
    plain = made_video(end_s, sound=False)

    def rung(rate: int, grey: bool = False) -> MappedFrames:
        shown = [cv2.cvtColor(p, cv2.COLOR_RGB2GRAY) if grey else p for p in pictures]
        times_s = np.arange(int(end_s * rate)) / rate
        return MappedFrames(
            times_s,
            np.round(times_s * 30).astype(np.int64),
            np.stack([shown[int(t)] for t in times_s]),
        )

    height, width = pictures[0].shape[:2]
    return replace(
        plain,
        info=replace(plain.info, width_px=width, height_px=height),
        motion=rung(15, grey=True),
        analysis=rung(5),
        detail=rung(1),
    )


def borrowed(role: str) -> Any:
    """The embedded model of a role; skips where its weights are not here."""
    try:
        with Models.embedded().lend(role) as model:
            return model
    except ModelMissing as missing:
        pytest.skip(str(missing))
