"""Text in pictures: PP-OCRv6 run by RapidOCR, and EasyOCR, behind the same two calls.

Finding lines and reading them are separate calls, because finding works on a small picture and
reading wants each line as large as it is there.

PP-OCRv6 small (Apache-2.0) reads, by the 18,710 signs of its dictionary: Latin with the accents of
the European languages, Greek, Chinese (simplified and traditional), Japanese kana, digits,
punctuation and common symbols. It does not read Cyrillic, Arabic, Hebrew, Hangul, Thai or
Devanagari, nor the Vietnamese vowels with two marks: such lines are found and then misread or
dropped. EasyOCR is bundled with its English network only.
"""

from __future__ import annotations

import sys
import threading
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from analyzers.models.base import Model, ModelIdentity

if TYPE_CHECKING:
    from analyzers.models.lending import ModelChoice

#: A crop this much taller than wide is a line written from top to bottom: it is read turned.
_TALL = 1.5


@dataclass(frozen=True)
class Lines:
    """Where text stands in a picture.

    `quads`: float32 (n, 4, 2), corners as x, y relative to the picture, clockwise from the line's
    top left. `confidence`: float32 (n,), that there is text, not what it says.
    """

    quads: np.ndarray
    confidence: np.ndarray

    def __len__(self) -> int:
        return len(self.quads)


@dataclass(frozen=True)
class Reading:
    """What a line says, and how sure the network is of it."""

    text: str
    confidence: float


class TextReader(Model):
    """Finds lines of text in a picture and reads them. Safe to call from several threads."""

    #: Confidence from which on a line's readings were right on the demo clips.
    reliable_from: float

    def __init__(self, identity: ModelIdentity) -> None:
        super().__init__(identity)
        # Both libraries keep buffers of the call under way in their objects.
        self._lock = threading.Lock()

    def find(self, picture: np.ndarray, scale: float = 1.0) -> Lines:
        """The lines of text in an RGB picture, uint8 (height, width, 3), in reading order.

        The picture is looked at in `scale` times its size: the cost goes with the pixels.
        """
        small = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        with self._lock:
            quads, confidence = self._find(small)
        self.served()
        size = np.array([small.shape[1], small.shape[0]], np.float32)
        return Lines(
            np.clip(np.asarray(quads, np.float32).reshape(-1, 4, 2) / size, 0.0, 1.0),
            np.asarray(confidence, np.float32),
        )

    def read(self, picture: np.ndarray, quads: np.ndarray) -> list[Reading]:
        """What each of the lines (quads as in `Lines`) says; an empty text where nothing is."""
        if not len(quads):
            return []
        crops = [line_crop(picture, quad) for quad in quads]
        with self._lock:
            readings = self._read(crops)
        self.served(len(crops))
        return readings

    @abstractmethod
    def _find(self, picture: np.ndarray) -> tuple[Sequence[Any], Sequence[float]]:
        """Quads in pixels, and their confidence."""

    @abstractmethod
    def _read(self, crops: list[np.ndarray]) -> list[Reading]: ...


def line_crop(picture: np.ndarray, quad: np.ndarray) -> np.ndarray:
    """A line cut out of a picture and laid straight; a tall one is turned by 90 degrees.

    `quad` as in `Lines`. The crop is at least 4 pixels in each direction.
    """
    corners = (quad * [picture.shape[1], picture.shape[0]]).astype(np.float32)
    sides = np.linalg.norm(np.roll(corners, -1, axis=0) - corners, axis=1)
    width, height = max(4, round(max(sides[0], sides[2]))), max(4, round(max(sides[1], sides[3])))
    target = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    crop = cv2.warpPerspective(
        picture,
        cv2.getPerspectiveTransform(corners, target),
        (width, height),
        flags=cv2.INTER_CUBIC,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return np.ascontiguousarray(np.rot90(crop)) if height >= _TALL * width else crop


class RapidOcr(TextReader):
    """PP-OCR through RapidOCR (https://github.com/RapidAI/RapidOCR)."""

    # Real lines were read with 0.89 and more, spots of two signs or more with 0.78 and less.
    reliable_from = 0.85

    def __init__(self, identity: ModelIdentity, engine: Any) -> None:
        super().__init__(identity)
        self._engine = engine

    def _find(self, picture: np.ndarray) -> tuple[Sequence[Any], Sequence[float]]:
        found = self._engine(_even_contrast(picture), use_det=True, use_cls=False, use_rec=False)
        return ([], []) if found.boxes is None else (found.boxes, found.scores)

    def _read(self, crops: list[np.ndarray]) -> list[Reading]:
        read = self._engine.recognize_txt([cv2.cvtColor(c, cv2.COLOR_RGB2BGR) for c in crops])
        return [
            Reading(text.strip(), float(score))
            for text, score in zip(read.txts, read.scores, strict=True)
        ]


def _even_contrast(picture: np.ndarray) -> np.ndarray:
    """The picture as BGR with its local contrast evened out (CLAHE, Zuiderveld 1994).

    The detector misses large dull lettering without it (the TAXI sign of street_bikes_taxi), and
    over the demo clips it reports fewer spots that are no text.
    """
    lab = cv2.cvtColor(picture, cv2.COLOR_RGB2LAB)
    lab[..., 0] = cv2.createCLAHE(clipLimit=2.0, tileGridSize=(4, 4)).apply(lab[..., 0])
    return cv2.cvtColor(lab, cv2.COLOR_LAB2BGR)


def load_rapidocr(
    identity: ModelIdentity, files: Mapping[str, Path], choice: ModelChoice
) -> RapidOcr:
    """Loader of PP-OCR: a detection and a recognition network in ONNX.

    OpenVINO and onnxruntime open the same files; OpenVINO is three times faster on a CPU. Raises
    `ValueError` for another runtime or a GPU.
    """
    from rapidocr import EngineType, RapidOCR

    from analyzers.models.runtime import model_threads

    engines = {"openvino": EngineType.OPENVINO, "onnxruntime": EngineType.ONNXRUNTIME}
    if identity.runtime not in engines or identity.device != "cpu":
        raise ValueError(
            f"{identity.model_id} runs on the CPU in {' or '.join(engines)}, not on "
            f"{identity.device} in {identity.runtime}; choose one of these, or EasyOCR for a GPU"
        )
    engine = engines[identity.runtime]
    threads = model_threads()
    params = {
        "Global.log_level": "error",
        # Lines that stand on their head are rare; the network that turns them also turns good ones.
        "Global.use_cls": False,
        # Nothing is dropped here: the analyzer decides over all frames of a line.
        "Global.text_score": 0.0,
        "Det.engine_type": engine,
        "Rec.engine_type": engine,
        # A path that is given is never downloaded.
        "Det.model_path": str(_with(files, "_det_", identity)),
        "Rec.model_path": str(_with(files, "_rec_", identity)),
        # The picture comes in the size that is wanted: never enlarge it.
        "Det.limit_type": "min",
        "Det.limit_side_len": 32,
        "EngineConfig.onnxruntime.intra_op_num_threads": threads,
        "EngineConfig.openvino.inference_num_threads": threads,
        "EngineConfig.openvino.performance_hint": "LATENCY",
    }
    reader = RapidOcr(identity, RapidOCR(params=params))
    blank = np.zeros((64, 64, 3), np.uint8)
    reader._find(blank)  # RapidOCR opens each network at its first use: do it here, under the lock
    reader._read([blank])
    return reader


def _with(files: Mapping[str, Path], part: str, identity: ModelIdentity) -> Path:
    for name, path in files.items():
        if part in name and path.suffix == ".onnx":
            return path
    raise ValueError(f"{identity.model_id} lists no *{part}*.onnx file in the manifest")


class EasyOcr(TextReader):
    """EasyOCR (https://github.com/JaidedAI/EasyOCR): CRAFT finds, a CRNN reads."""

    # Half of a line's letters wrong gave 0.04, one wrong 0.46 to 0.8.
    reliable_from = 0.5

    def __init__(self, identity: ModelIdentity, reader: Any) -> None:
        super().__init__(identity)
        self._reader = reader

    def _find(self, picture: np.ndarray) -> tuple[Sequence[Any], Sequence[float]]:
        level, tilted = self._reader.detect(picture, min_size=8)
        quads = [[[x1, y1], [x2, y1], [x2, y2], [x1, y2]] for x1, x2, y1, y2 in level[0]] + [
            np.asarray(quad).tolist() for quad in tilted[0]
        ]
        quads.sort(key=lambda quad: (quad[0][1], quad[0][0]))
        # CRAFT's own score is not handed out; what it returns passed its text threshold of 0.7.
        return quads, [0.7] * len(quads)

    def _read(self, crops: list[np.ndarray]) -> list[Reading]:
        readings = []
        for crop in crops:
            grey = cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY)
            read = self._reader.recognize(grey, reformat=False)
            text, score = (read[0][1], float(read[0][2])) if read else ("", 0.0)
            readings.append(Reading(text.strip(), min(1.0, score)))
        return readings


def load_easyocr(
    identity: ModelIdentity, files: Mapping[str, Path], choice: ModelChoice
) -> EasyOcr:
    """Loader of EasyOCR with English weights (`craft_mlt_25k.pth` and `english_g2.pth`).

    Raises `ValueError` where the two files do not lie in one folder; EasyOCR wants that.
    """
    folders = {path.parent for path in files.values() if path.suffix == ".pth"}
    if len(folders) != 1:
        raise ValueError(f"{identity.model_id}: its .pth files must lie in one folder")
    import easyocr

    folder = str(folders.pop())
    search_path = list(sys.path)
    reader = easyocr.Reader(
        ["en"],
        gpu=False if identity.device == "cpu" else identity.device,
        model_storage_directory=folder,
        user_network_directory=folder,  # or it makes a folder in the user's home
        download_enabled=False,
        quantize=False,
        verbose=False,
    )
    sys.path[:] = search_path  # it adds the folder of weights to the places of importable code
    return EasyOcr(identity, reader)
