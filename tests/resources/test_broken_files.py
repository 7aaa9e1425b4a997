"""Odd and corrupt files from the field: each is decoded, or refused with a reason."""

import pytest

from benchmarks.broken_files import Outcome, decode_outcomes, media_files, table
from resources.media import MediaError, MediaLibrary

#: What a refusal must name.
REFUSED = {
    "mpy_zero_bytes.webm": "empty file",
    "ax_sample_audio_only.mp4": "no video stream (the file holds audio)",
    "ax_sample_malformed_free_box.mp4": "moov atom missing",
    "ax_sample_fragmented_widevine.mp4": "encrypted (Common Encryption, Widevine)",
    "ax_sample_fragmented_clearkey.mp4": "encrypted (Common Encryption, ClearKey)",
    "ax_subsample_encrypted_noaltref.webm": "encrypted (WebM",
    "mmocr_broken.jpg": "a still picture",
    "tc_transparent.gif": "a still picture",
    "ax_invalid-bitstream.webm": "no good video frame",
    "ax_video_init.mp4": "no video frame",
    "git_lfs_pointer.wav": "not a media file",
}
#: What the probe must find.
PROBED = {
    "tc_test_non_zero_start.mp4": {"start_s": 8.333},
    "ax_mv_with_2_top_shots.mp4": {"width_px": 1080, "height_px": 1440, "rotation_deg": 270},
    "ax_sample_rotate_and_reflect.mp4": {"mirrored": True, "height_px": 1080},
    "ax_water_180_mvhevc_5frames.mov": {"width_px": 1934},
    "k3b_interlaced_svcd.mpg": {"width_px": 768, "height_px": 576},
    "ax_sample_vvc.mp4": {"codec": "vvc"},
}


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    return MediaLibrary(tmp_path_factory.mktemp("data"))


@pytest.mark.parametrize("name", REFUSED)
def test_a_refusal_names_its_cause(broken_dir, library, name):
    with pytest.raises(MediaError) as caught:
        library.probe(library.register(broken_dir / name))
    assert str(caught.value).startswith(f"{name}: {REFUSED[name]}")


@pytest.mark.parametrize("name", PROBED)
def test_an_odd_file_is_understood(broken_dir, library, name):
    probed = library.probe(library.register(broken_dir / name))
    for field, value in PROBED[name].items():
        assert getattr(probed, field) == pytest.approx(value, abs=1e-3)


@pytest.mark.parametrize(
    ("name", "frames", "end_s"),
    [
        ("ax_sample-with-large-length.avi", 58, 1.967),
        ("decord_corrupted.mp4", 49, 5.0),
        ("ax_edit_list_positive_shift.mp4", 270, 9.0),
        ("mpy_no_duration.webm", 74, 4.94),
        ("tc_discard_first_keyframe.mp4", 25, 1.0),
    ],
)
def test_an_odd_file_is_decoded_whole(broken_dir, library, name, frames, end_s):
    with library.open(library.register(broken_dir / name)) as video:
        assert video.info.frame_count == pytest.approx(frames, abs=1)
        assert video.info.end_s == pytest.approx(end_s, abs=0.01)
        if video.audio_16k is not None:
            assert len(video.audio_16k) / 16000 == pytest.approx(video.info.end_s, abs=0.2)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_every_file_is_decoded_or_refused_in_one_sentence(broken_dir, tmp_path):
    outcomes = list(decode_outcomes(media_files(broken_dir), tmp_path))
    refused = {o.file: o.remark for o in outcomes if not o.analyzed}
    assert REFUSED.keys() <= refused.keys()
    assert len(outcomes) - len(refused) >= 60
    for remark in refused.values():
        assert remark.endswith(".")
        assert "\n" not in remark
        assert "crashed" not in remark
        assert "Traceback" not in remark


def test_the_table_counts_and_escapes():
    outcomes = [Outcome("a|b.mp4", True, "1x1", 0.1), Outcome("c.mp4", False, "why; how.", 0.1)]
    text = table(outcomes, {"c.mp4": "odd"})
    assert "What becomes of 2 odd files: 1 are analyzed, 1 are refused" in text
    assert "| a\\|b.mp4 |  | analyzed | 1x1 |" in text
    assert "| c.mp4 | odd | refused | why; how. |" in text
