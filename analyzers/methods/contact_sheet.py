"""Pictures side by side in one JPEG, for previews."""

from __future__ import annotations

import colorsys
from collections.abc import Sequence

import cv2
import numpy as np


def contact_sheet(tiles: Sequence[np.ndarray], columns: int) -> bytes:
    """RGB tiles of one size in lines of `columns`, as a JPEG; white where the last line ends."""
    columns = min(columns, len(tiles))
    full = [*tiles, *[np.full_like(tiles[0], 255)] * (-len(tiles) % columns)]
    lines = [np.hstack(full[i : i + columns]) for i in range(0, len(full), columns)]
    _, jpeg = cv2.imencode(
        ".jpg", cv2.cvtColor(np.vstack(lines), cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, 72]
    )
    return jpeg.tobytes()


def tag(picture: np.ndarray, text: str, left: int, bottom: int, colour: tuple[int, ...]) -> None:
    """Dark text on a coloured plate, moved to the left where it would leave the picture."""
    (width, height), _ = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, 0.4, 1)
    left = max(0, min(left, picture.shape[1] - width - 4))
    cv2.rectangle(picture, (left, bottom - height - 5), (left + width + 3, bottom), colour, -1)
    place = (left + 2, bottom - 4)
    cv2.putText(picture, text, place, cv2.FONT_HERSHEY_SIMPLEX, 0.4, (20, 20, 20), 1, cv2.LINE_AA)


def track_colour(track_id: int) -> tuple[int, int, int]:
    """A bright colour; steps of the golden angle keep neighbours apart."""
    r, g, b = colorsys.hsv_to_rgb(track_id * 0.381966 % 1, 0.65, 1.0)
    return int(r * 255), int(g * 255), int(b * 255)
