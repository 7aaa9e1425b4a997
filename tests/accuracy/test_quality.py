"""content_quality on real pictures with known faults, through the decoder."""

from __future__ import annotations

import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from analyzers.methods.picture.quality_score import PARTS
from analyzers.registry import get_analyzer
from analyzers.run import run_analyzer
from analyzers.video import Video
from resources.media import open_video
from tests.accuracy.conftest import Report
from tests.analyzers.made_degradations import DEGRADATIONS, degraded, states

pytestmark = pytest.mark.accuracy

Clips = Callable[[str], Video]
DEMO = ("coffee_pour_product", "woman_and_dog_outdoors", "woman_emotions_closeup")
#: How much any other part may lose by a fault, of 100.
MOST_ELSEWHERE = 15
FPS = 5
OF_THE_PICTURE = ("sharpness", "noise", "blockiness", "banding", "darkness", "overexposure")


def write(path: Path, pictures: list[np.ndarray], codec: str, options: dict[str, str]) -> Path:
    """A video of these pictures."""
    height, width = (side // 2 * 2 for side in pictures[0].shape[:2])
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=FPS, options=options)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for picture in pictures:
            whole = np.ascontiguousarray(picture[:height, :width])
            container.mux(stream.encode(av.VideoFrame.from_ndarray(whole, format="rgb24")))
        container.mux(stream.encode())
    return path


@pytest.mark.parametrize("clip", [*DEMO, "sample"])
def test_each_fault_lowers_its_own_measure(
    clip: str, request: pytest.FixtureRequest, tmp_path: Path, report: Report
) -> None:
    """A picture as it is and with every fault, a second each, without further loss."""
    if clip == "sample":
        source: Video = request.getfixturevalue("sample_video")
    else:
        source = request.getfixturevalue("demo_video")(clip)
    picture = source.detail[2]
    pictures = [
        degraded(picture, *state, seed=frame) for state in states(picture) for frame in range(FPS)
    ]
    path = write(tmp_path / "faults.mkv", pictures, "libx264", {"qp": "0", "preset": "ultrafast"})
    with open_video(path, data_dir=tmp_path) as video:
        result, _ = run_analyzer(get_analyzer("content_quality"), video, {})
    rows = dict(zip(states(picture), result.segments.to_pylist(), strict=True))
    measures = {part.name: part.measure for part in PARTS}
    for fault, (own, _, strengths) in DEGRADATIONS.items():
        found = [rows["", 0], *(rows[fault, strength] for strength in (1, 2, 3))]
        for label, column in (
            (f"{fault} {strengths}: {measures[own]}", measures[own]),
            (f"{fault}: {own}_score", f"{own}_score"),
            (f"{fault}: score", "score"),
        ):
            values = ", ".join(f"{row[column]:.3g}" for row in found)
            report("content_quality", clip, label, values, "monotone")
        lost = others_lost(found, f"{own}_score")
        report("content_quality", clip, f"{fault}: most lost by another", lost, "< 15")
        for weaker, stronger in pairwise(found):
            assert stronger[f"{own}_score"] < weaker[f"{own}_score"]
            assert stronger["score"] < weaker["score"]
        assert lost < MOST_ELSEWHERE


def others_lost(rows: list[dict[str, Any]], own: str) -> float:
    """The most that a part other than the fault's own loses, of 100."""
    names = [n for n in rows[0] if n.endswith("_score") and n != own and rows[0][n] is not None]
    return max(rows[0][n] - row[n] for row in rows for n in names if row[n] is not None)


def test_blocks_of_a_codec(sample_video: Video, tmp_path: Path, report: Report) -> None:
    """MPEG-4 without a deblocking filter, as old phones wrote it, at rising quantiser scales."""
    pictures = [sample_video.analysis[i] for i in range(15)]
    found = []
    for scale in (2, 12, 31):
        options = {"qmin": str(scale), "qmax": str(scale)}
        path = write(tmp_path / f"q{scale}.mp4", pictures, "mpeg4", options)
        with open_video(path, data_dir=tmp_path) as video:
            result, _ = run_analyzer(get_analyzer("content_quality"), video, {})
        found.append(result.summary["blockiness"])
        report("content_quality", "sample", f"MPEG-4 at qscale {scale}: blockiness", found[-1], "")
    assert found == sorted(found)
    assert found[0] < 1.0 < found[2]


def test_clips_as_they_are(demo_dir: Path, demo_video: Clips, report: Report) -> None:
    """None is marked down for what one does not see in it."""
    faulty = {
        "friday_dialogue_bw": "sharpness",  # a film of 1940, soft to the eye
        "nasa_webb_narrated": "darkness",  # seconds of a dark hall
        "street_bikes_taxi": "sharpness",  # a shot out of focus
    }
    for path in sorted(demo_dir.glob("*.gt.json")):
        clip = path.name.removesuffix(".gt.json")
        video = demo_video(clip)
        started = time.process_time()
        result, _ = run_analyzer(get_analyzer("content_quality"), video, {})
        cost = (time.process_time() - started) / video.info.end_s
        summary = result.summary
        report("content_quality", clip, "score", summary["score"], "")
        report("content_quality", clip, "CPU-s per s", cost, "0.02, twice accepted")
        scores = {name: summary[f"{name}_score"] for name in OF_THE_PICTURE}
        low = [name for name, score in scores.items() if score is not None and score < 90]
        report("content_quality", clip, "parts below 90", ", ".join(low), faulty.get(clip, ""))
        assert set(low) <= {faulty.get(clip)}
