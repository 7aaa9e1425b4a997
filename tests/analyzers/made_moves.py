"""Camera moves of known speed over a still, with noise and, where wanted, things in front of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np

from analyzers.video import MappedFrames, Video
from tests.analyzers.made import made_video

FPS = 15
WIDTH, HEIGHT = 360, 640

#: Moves at three speeds: kind, arguments of `moved`, speed in frame widths a second at the edge.
MOVES = [
    *((f"pan_{way}", {"pan": sign * v}, v) for v in (0.05, 0.3, 1.0)
      for way, sign in (("right", 1), ("left", -1))),
    *((f"tilt_{way}", {"tilt": sign * v}, v) for v in (0.05, 0.3, 1.0)
      for way, sign in (("up", 1), ("down", -1))),
    *((f"zoom_{way}", {"zoom_ratio": r**sign}, np.log(r) / 2) for r in (1.1, 1.3, 1.8)
      for way, sign in (("in", 1), ("out", -1))),
    *((f"roll_{way}", {"roll_deg": sign * v}, np.radians(v) / 2) for v in (5, 20, 60)
      for way, sign in (("clockwise", 1), ("counterclockwise", -1))),
]  # fmt: skip

#: Draws on a frame (its number, the frame).
Foreground = Callable[[int, np.ndarray], None]


def still(seed: int = 0, size_px: int = 2400) -> np.ndarray:
    """A large grey picture with detail of many sizes: boxes, lines and clouds."""
    rng = np.random.default_rng(seed)
    picture = np.full((size_px, size_px), 120, np.float32)
    for cells in (8, 24, 80):
        clouds = rng.normal(0, 25, (cells, cells)).astype(np.float32)
        picture += cv2.resize(clouds, (size_px, size_px), interpolation=cv2.INTER_CUBIC)
    for _ in range(900):
        x, y = (int(v) for v in rng.integers(0, size_px, 2))
        width, height = (int(v) for v in rng.integers(8, 120, 2))
        cv2.rectangle(picture, (x, y), (x + width, y + height), float(rng.uniform(10, 245)), -1)
    return cv2.GaussianBlur(picture, (0, 0), 1.2)


def moved(
    picture: np.ndarray,
    seconds: float,
    *,
    pan: float = 0.0,
    tilt: float = 0.0,
    zoom_ratio: float = 1.0,
    roll_deg: float = 0.0,
    noise: float = 2.0,
    foreground: Foreground | None = None,
) -> np.ndarray:
    """What a camera sees that pans right, tilts up (frame widths a second), zooms in and rolls.

    `zoom_ratio`: growth of the content in a second. `roll_deg`: clockwise, in a second. uint8
    (n, HEIGHT, WIDTH). The middle of the move looks at the middle of the picture.
    """
    rng = np.random.default_rng(1)
    count = round(seconds * FPS)
    frames = []
    for i in range(count):
        t = (i - count / 2) / FPS
        scale = zoom_ratio**t
        # The camera's turn is the content's the other way round; OpenCV's angle is against the
        # clock.
        matrix = cv2.getRotationMatrix2D(
            (picture.shape[1] / 2, picture.shape[0] / 2), roll_deg * t, scale
        )
        matrix[:, 2] += [
            WIDTH / 2 - picture.shape[1] / 2 - pan * t * WIDTH,
            HEIGHT / 2 - picture.shape[0] / 2 + tilt * t * WIDTH,
        ]
        frame = cv2.warpAffine(
            picture, matrix, (WIDTH, HEIGHT), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT
        )
        if foreground is not None:
            foreground(i, frame)
        frames.append(frame + rng.normal(0, noise, frame.shape))
    return np.clip(np.rint(np.stack(frames)), 0, 255).astype(np.uint8)


def walker(i: int, frame: np.ndarray) -> None:
    """A striped figure that crosses the frame, a fifth of its area."""
    x = int(30 + 12 * i) % (WIDTH + 160) - 160
    top = 160 + int(12 * np.sin(i / 2))
    body = frame[max(0, top) : top + 400, max(0, x) : max(0, x + 130)]
    body[:] = 60
    body[::14] = 200
    body[:, ::11] = 230


def caption(i: int, frame: np.ndarray) -> None:
    """Two lines of white text with a dark edge, as burned-in captions are."""
    drawn = np.clip(frame, 0, 255).astype(np.uint8)
    for line, text in enumerate(("WAIT FOR THE", "VERY LAST ONE")):
        place = (40, 120 + 46 * line)
        cv2.putText(drawn, text, place, cv2.FONT_HERSHEY_SIMPLEX, 1.1, 0, 8, cv2.LINE_AA)
        cv2.putText(drawn, text, place, cv2.FONT_HERSHEY_SIMPLEX, 1.1, 255, 3, cv2.LINE_AA)
    frame[:] = drawn


def video_of(*shots: np.ndarray) -> Video:
    """Shots one after the other as a video's motion rung; its other rungs are noise."""
    pixels = np.concatenate(shots)
    video = made_video(end_s=len(pixels) / FPS, sound=False)
    frames = MappedFrames(np.arange(len(pixels)) / FPS, 2 * np.arange(len(pixels)), pixels)
    info = replace(video.info, width_px=pixels.shape[2], height_px=pixels.shape[1])
    return replace(video, motion=frames, info=info)


@dataclass(frozen=True)
class Plane:
    """A flat thing in space, in metres: x to the right, y down, z away from the camera's start.

    `corner`: its upper left corner. `across`, `down`: its edges. `seed`: of its picture.
    """

    corner: tuple[float, float, float]
    across: tuple[float, float, float]
    down: tuple[float, float, float]
    seed: int


def facing(x_m: float, y_m: float, z_m: float, width_m: float, height_m: float, seed: int) -> Plane:
    """A plane that faces the camera, from its upper left corner."""
    return Plane((x_m, y_m, z_m), (width_m, 0, 0), (0, height_m, 0), seed)


#: A wall, two things halfway and two close by: a room, or a street with posts.
ROOM = (
    facing(-12, -14, 12, 24, 28, 1),
    facing(-3.5, -2, 6, 2.2, 7, 2),
    facing(1.6, -3, 5, 1.8, 8, 3),
    facing(-1.5, 0.7, 3.5, 0.9, 3, 4),
    facing(0.6, 0.2, 3, 0.7, 4, 5),
)
#: A floor that runs up to the wall, so that distances change without a step.
HALL = (
    facing(-12, -14, 12, 24, 15.2, 1),
    Plane((-6, 1.2, 12), (12, 0, 0), (0, 0, -10.5), 6),
    facing(-3.2, -1.8, 6, 1.4, 3, 2),
    facing(1.4, -2.8, 5, 1.6, 4, 3),
)
#: Of a phone's main camera held upright, in frame widths.
_FOCAL_LENGTH = 1.28


def travelled(
    planes: Sequence[Plane],
    seconds: float,
    *,
    truck: float = 0.0,
    pedestal: float = 0.0,
    dolly: float = 0.0,
    pan_deg: float = 0.0,
    noise: float = 2.0,
) -> np.ndarray:
    """What a camera sees that travels right, up, forwards (metres a second) and turns right.

    `planes`: far ones first. uint8 (n, HEIGHT, WIDTH). The middle of the move is at the origin.
    """
    rng = np.random.default_rng(2)
    pictures = [still(plane.seed, 900) for plane in planes]
    lens = np.array([[_FOCAL_LENGTH * WIDTH, 0, WIDTH / 2],
                     [0, _FOCAL_LENGTH * WIDTH, HEIGHT / 2],
                     [0, 0, 1]])  # fmt: skip
    count = round(seconds * FPS)
    frames = []
    for i in range(count):
        t = (i - count / 2) / FPS
        eye = np.array([truck * t, -pedestal * t, dolly * t])
        turn = cv2.Rodrigues(np.array([0.0, -np.radians(pan_deg * t), 0.0]))[0]
        frame = np.full((HEIGHT, WIDTH), 120, np.float32)
        for plane, picture in zip(planes, pictures, strict=True):
            size = picture.shape[0]
            space = np.stack(
                [
                    np.array(plane.across) / size,
                    np.array(plane.down) / size,
                    np.array(plane.corner) - eye,
                ],
                axis=1,
            )
            matrix = lens @ turn @ space
            seen = cv2.warpPerspective(picture, matrix, (WIDTH, HEIGHT), flags=cv2.INTER_AREA)
            there = cv2.warpPerspective(
                np.ones_like(picture), matrix, (WIDTH, HEIGHT), flags=cv2.INTER_LINEAR
            )
            frame = np.where(there > 0.5, seen, frame)
        frames.append(frame + rng.normal(0, noise, frame.shape))
    return np.clip(np.rint(np.stack(frames)), 0, 255).astype(np.uint8)
