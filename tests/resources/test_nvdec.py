"""NVDEC as far as it goes without a GPU.

What a GPU would hand over is made from the CPU's frames: luma and interleaved chroma (NV12, P010
for ten bits), as NVDEC writes them and FFmpeg copies them to main memory. All else is real.
"""

import ctypes
import shutil
from functools import partial
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from resources import decode
from resources.decode_child import NotAVideo
from resources.frame_reader import FrameReader
from resources.ladder_settings import LadderSettings
from resources.media import MediaError, open_video
from resources.nvdec import NoGpu, NotForNvdec, open_on_gpu
from resources.streams import open_source
from tests.resources.clips import make_clip, moving

NVDEC = LadderSettings(decoder="nvdec")
RUNGS = ("thumbs", "motion", "analysis")


def has_driver() -> bool:
    try:
        ctypes.CDLL("libcuda.so.1")
    except OSError:
        return False
    return True


def test_without_a_gpu_the_way_out_is_told(tmp_path):
    if has_driver():
        pytest.skip("an NVIDIA driver is here")
    clip = make_clip(tmp_path / "clip.mp4", count=3)
    with pytest.raises(MediaError) as caught, open_video(clip, settings=NVDEC):
        pass
    assert not isinstance(caught.value, NotAVideo), "the file is good: it is not given up"
    assert str(caught.value).startswith("clip.mp4: no NVIDIA GPU decodes here (")
    assert 'set decoder = "cpu" below [ladder]' in str(caught.value)


def test_a_gpu_decodes_as_the_cpu_does(tmp_path):
    if not has_driver():
        pytest.skip("no NVIDIA driver is here")
    clip = make_clip(tmp_path / "clip.mp4", count=30, paint=moving(320, 180))
    with open_video(clip) as expected, open_video(clip, settings=NVDEC) as found:
        assert (expected.info.decoder, found.info.decoder) == ("cpu", "nvdec")
        np.testing.assert_array_equal(found.thumbs.times_s, expected.thumbs.times_s)
        for i in range(len(expected.analysis)):
            assert np.abs(found.analysis[i].astype(int) - expected.analysis[i]).mean() < 1.5


def test_the_decoder_is_part_of_the_key_only_where_it_is_not_the_usual():
    assert NVDEC.key() != LadderSettings().key()
    assert "decoder" not in LadderSettings().what_counts()
    assert NVDEC.what_counts()["decoder"] == "nvdec"


class GpuReader(FrameReader):
    """Gives frames as they come from a GPU, where the file was opened on one."""

    on_gpu = False
    pixels: set[str] = set()

    def __iter__(self):
        for number, time_s, frame in super().__iter__():
            if self.on_gpu and number >= 0:
                deep = frame.format.components[0].bits > 8
                told = frame.color_range, frame.colorspace, frame.color_trc
                frame = frame.reformat(
                    format="p010le" if deep else "nv12",
                    src_colorspace=frame.colorspace, dst_colorspace=frame.colorspace,
                )  # fmt: skip
                frame.color_range, frame.colorspace, frame.color_trc = told
                self.pixels.add(frame.format.name)
            yield number, time_s, frame


@pytest.fixture
def gpu(monkeypatch):
    """A machine with a GPU: files open on it as on the CPU, and their frames come as from it."""
    GpuReader.pixels = set()

    def opened(path: Path):
        GpuReader.on_gpu = True
        return open_source(path, 1, frame_threads=False)

    def on_cpu(path, threads, frame_threads):
        GpuReader.on_gpu = False
        return open_source(path, threads, frame_threads)

    monkeypatch.setattr(decode, "FrameReader", GpuReader)
    monkeypatch.setattr(decode, "open_on_gpu", opened)
    monkeypatch.setattr(decode, "open_source", on_cpu)
    return opened


def built(path: Path, folder: Path, decoder: str) -> dict:
    folder.mkdir()
    settings = LadderSettings(decoder=decoder).model_dump()
    return decode.build_ladder(path, folder, settings, threads=2)


def differences(a: Path, b: Path) -> dict[str, float]:
    """Mean absolute difference of the pixels of each rung; frames and times must be the same."""
    for name in (*RUNGS, "detail"):
        for part in ("frames", "times_s"):
            one, other = (np.load(folder / f"{name}.{part}.npy") for folder in (a, b))
            np.testing.assert_array_equal(one, other)
    found = {
        name: float(
            np.abs(np.load(a / f"{name}.npy").astype(int) - np.load(b / f"{name}.npy")).mean()
        )
        for name in RUNGS
    }
    pictures = sorted(path.name for path in (a / "detail").iterdir())
    assert pictures == sorted(path.name for path in (b / "detail").iterdir())
    pairs = [
        (cv2.imread(str(a / "detail" / n)), cv2.imread(str(b / "detail" / n))) for n in pictures
    ]
    found["detail"] = float(np.mean([np.abs(x.astype(int) - y).mean() for x, y in pairs]))
    return found


@pytest.mark.parametrize(
    ("name", "pixels"),
    [
        ("demo/nasa_webb_narrated.mp4", "nv12"),
        ("broken/mpy_fire2_rotated_vfr.mp4", "nv12"),
        ("broken/ax_sample_rotate_and_reflect.mp4", "nv12"),
        ("broken/tc_nasa_13013_vfr.mp4", "nv12"),
        ("broken/tc_h264_10bits.mp4", "p010le"),
        ("broken/ax_hlg10-color-test.mp4", "p010le"),
    ],
)
def test_frames_of_a_gpu_give_the_same_ladder(tmp_path, demo_dir, broken_dir, gpu, name, pixels):
    path = demo_dir.parent / name
    expected = built(path, tmp_path / "cpu", "cpu")
    found = built(path, tmp_path / "gpu", "nvdec")
    assert GpuReader.pixels == {pixels}
    assert (expected["decoder"], found["decoder"]) == ("cpu", "nvdec")
    assert {**found, "decoder": "cpu"} == expected
    apart = differences(tmp_path / "cpu", tmp_path / "gpu")
    # Where nothing is scaled, FFmpeg takes a quicker way for planar chroma, and rounds otherwise.
    assert apart.pop("detail") < 1.5
    assert max(apart.values()) < 0.1


def left_to_the_cpu(found: dict, expected: dict) -> str:
    """The remark that says so; all else must be as without a GPU."""
    assert found["decoder"] == "cpu"
    [remark] = set(found["warnings"]) - set(expected["warnings"])
    assert {**found, "warnings": expected["warnings"]} == expected
    assert remark.startswith("decoded on the CPU: NVDEC cannot decode it (")
    return remark


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("decord_corrupted.mp4", "a frame of it is corrupt"),
        ("k3b_interlaced_svcd.mpg", "it is interlaced"),
    ],
)
def test_what_it_cannot_do_is_left_to_the_cpu_and_told(tmp_path, broken_dir, gpu, name, why):
    expected = built(broken_dir / name, tmp_path / "cpu", "cpu")
    found = built(broken_dir / name, tmp_path / "gpu", "nvdec")
    assert why in left_to_the_cpu(found, expected)
    assert max(differences(tmp_path / "cpu", tmp_path / "gpu").values()) == 0


def test_transparency_is_left_to_the_cpu_and_told(tmp_path, gpu):
    def paint(_):
        return np.full((48, 64, 4), 128, np.uint8)

    clip = make_clip(
        tmp_path / "alpha.mkv", count=2, paint=paint, codec="ffv1", pixels="bgra", options={},
        paint_pixels="rgba",
    )  # fmt: skip
    found = built(clip, tmp_path / "gpu", "nvdec")
    assert "it is transparent" in left_to_the_cpu(found, built(clip, tmp_path / "cpu", "cpu"))


def test_a_codec_that_it_was_not_made_for_is_left_to_the_cpu(tmp_path, monkeypatch):
    def refuse(path):
        raise NotForNvdec("it is not made for theora")

    monkeypatch.setattr(decode, "open_on_gpu", refuse)
    clip = make_clip(tmp_path / "clip.mp4", count=5)
    found = built(clip, tmp_path / "gpu", "nvdec")
    assert "it is not made for theora" in left_to_the_cpu(found, built(clip, tmp_path / "a", "cpu"))


def test_errors_of_the_device_are_told_from_those_of_the_codec(tmp_path, monkeypatch):
    clip = make_clip(tmp_path / "clip.mp4", count=3)

    def failing(error):
        def opened(*_, **__):
            raise error

        return opened

    monkeypatch.setattr(
        "resources.nvdec.open_source", failing(av.error.ExternalError(1, "no device"))
    )
    with pytest.raises(NoGpu, match="no device"):
        open_on_gpu(clip)
    monkeypatch.setattr("resources.nvdec.open_source", failing(RuntimeError("no stream")))
    with pytest.raises(NotForNvdec, match="no codec of its kind"):
        open_on_gpu(clip)
    # A file whose stream has no decoder in hardware, beside another that has one.
    software = partial(open_source, clip, 1, frame_threads=False)
    monkeypatch.setattr("resources.nvdec.open_source", lambda *_, **__: software())
    with pytest.raises(NotForNvdec, match="not made for h264"):
        open_on_gpu(clip)
    request = {"what": "ladder", "path": str(clip), "threads": 1, "folder": str(tmp_path / "f"),
               "settings": NVDEC.model_dump()}  # fmt: skip
    (tmp_path / "f").mkdir()
    monkeypatch.setattr(decode, "open_on_gpu", failing(NoGpu("no device")))
    assert decode.answer(request) == {"error": {"kind": "gpu", "cause": "no device"}}
    shutil.rmtree(tmp_path / "f")
