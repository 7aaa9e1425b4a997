"""Decoding: what lands in the ladder, and which files are refused."""

import json
from fractions import Fraction

import av
import cv2
import numpy as np
import pytest

from resources.media import LadderSettings, MediaError, MediaLibrary, open_video
from tests.resources import clips
from tests.resources.clips import (
    QUARTERS,
    make_clip,
    moving,
    plain,
    quarters,
    scramble,
    set_display_matrix,
    steady,
    tone,
    write,
)


def refusal(path):
    with pytest.raises(MediaError) as caught, open_video(path):
        pass
    message = str(caught.value)
    assert message.startswith(f"{path.name}: ")
    assert "; " in message
    assert message.endswith(".")
    assert "\n" not in message
    return message


def test_rungs_have_their_rates_and_sizes(tmp_path):
    clip = make_clip(
        tmp_path / "clip.mp4", count=62, paint=moving(640, 1138), samples=np.tile(tone(2.0), 2)
    )
    with open_video(clip) as video:
        assert video.info.frame_count == 62
        assert (video.info.width_px, video.info.height_px) == (640, 1138)
        assert video.info.fps == pytest.approx(30)
        assert video.info.end_s == pytest.approx(62 / 30)
        assert len(video.grid) == 3
        assert [len(r) for r in (video.thumbs, video.motion, video.analysis, video.detail)] == [
            62,
            31,
            11,
            3,
        ]
        assert video.thumbs[0].shape == (27, 48, 3)
        assert video.motion[0].shape == (640, 360)
        assert video.analysis[0].shape == (640, 360, 3)
        assert video.detail[0].shape == (1138, 640, 3)
        np.testing.assert_allclose(video.motion.times_s, np.arange(31) / 15, atol=1e-6)
        np.testing.assert_array_equal(video.analysis.frame_numbers, np.arange(11) * 6)
        np.testing.assert_array_equal(video.detail.frame_numbers, [0, 30, 60])
        assert video.audio_16k.shape == (32000,)
        assert video.audio_44k.shape == (88200, 2)
        assert video.audio_16k.dtype == video.audio_44k.dtype == np.float32
        assert isinstance(video.motion.pixels, np.memmap)
        assert isinstance(video.audio_44k, np.memmap)


def test_all_rungs_show_the_same_picture(tmp_path):
    def paint(number):
        picture = plain(320, 180, (40, 40, 40))
        picture[:, 5 * number : 5 * number + 60] = (250, 200, 30)
        return picture

    with open_video(make_clip(tmp_path / "bar.mp4", count=31, paint=paint)) as video:
        for rung in (video.thumbs, video.motion, video.analysis, video.detail):
            for i in range(len(rung)):
                grey = rung[i].mean(axis=2) if rung[i].ndim == 3 else rung[i]
                columns = np.flatnonzero(grey.mean(axis=0) > 100) / grey.shape[1] * 320
                middle = 5 * rung.frame_numbers[i] + 30
                assert columns.mean() == pytest.approx(middle, abs=6)


def test_rates_are_settings(tmp_path):
    settings = LadderSettings(motion_rate_hz=10, analysis_rate_hz=2, short_side_px=90)
    assert settings.key() != LadderSettings().key()
    clip = make_clip(tmp_path / "clip.mp4", count=60, paint=moving(320, 180))
    with open_video(clip, settings=settings) as video:
        assert (len(video.motion), len(video.analysis)) == (20, 4)
        assert video.analysis[0].shape == (90, 160, 3)


def test_small_and_long_pictures_are_not_enlarged(tmp_path):
    with open_video(make_clip(tmp_path / "a.mp4", paint=moving(64, 48), count=3)) as video:
        assert video.analysis[0].shape == (48, 64, 3)
    with open_video(make_clip(tmp_path / "b.mp4", paint=moving(2000, 400), count=3)) as video:
        assert video.analysis[0].shape == (288, 1440, 3)


@pytest.mark.parametrize(
    ("matrix", "corners", "rotation_deg", "mirrored"),
    [
        ((0, 1, -1, 0), (2, 0, 3, 1), 90, False),
        ((-1, 0, 0, -1), (3, 2, 1, 0), 180, False),
        ((0, -1, 1, 0), (1, 3, 0, 2), 270, False),
        ((-1, 0, 0, 1), (1, 0, 3, 2), 0, True),
        ((0, 1, 1, 0), (0, 2, 1, 3), 270, True),
    ],
)
def test_frames_are_turned_upright(tmp_path, matrix, corners, rotation_deg, mirrored):
    clip = make_clip(tmp_path / "clip.mp4", count=2, paint=lambda _: quarters(160, 96))
    set_display_matrix(clip, *matrix)
    with open_video(clip) as video:
        info = video.info
        assert (info.rotation_deg, info.mirrored) == (rotation_deg, mirrored)
        swapped = rotation_deg in (90, 270)
        assert (info.width_px, info.height_px) == ((96, 160) if swapped else (160, 96))
        for rung in (video.thumbs, video.analysis, video.detail):
            picture = rung[0]
            height, width = picture.shape[:2]
            for i, quarter in enumerate(corners):
                y, x = height * (1 + 2 * (i // 2)) // 4, width * (1 + 2 * (i % 2)) // 4
                np.testing.assert_allclose(picture[y, x], QUARTERS[quarter], atol=30)


@pytest.mark.parametrize(
    ("ratio", "size"), [(Fraction(2), (256, 72)), (Fraction(1, 2), (128, 144))]
)
def test_pixels_become_square(tmp_path, ratio, size):
    def prepare(stream):
        stream.codec_context.sample_aspect_ratio = ratio

    with open_video(make_clip(tmp_path / "clip.mp4", count=2, prepare=prepare)) as video:
        assert (video.info.width_px, video.info.height_px) == size
        assert video.detail[0].shape[1::-1] == size


@pytest.mark.parametrize(
    ("pixels", "matrix", "luma"),
    [
        ("yuv420p", 1, (0.2126, 0.7152, 0.0722)),
        ("yuv420p", 5, (0.299, 0.587, 0.114)),
        ("yuvj420p", 5, (0.299, 0.587, 0.114)),
        ("yuv444p10le", 1, (0.2126, 0.7152, 0.0722)),
    ],
)
def test_colours_are_true(tmp_path, pixels, matrix, luma):
    with av.open(str(tmp_path / "c.mkv"), "w") as out:
        stream = out.add_stream("libx264", rate=30, options={"crf": "1"})
        stream.width, stream.height, stream.pix_fmt = 320, 176, pixels
        stream.codec_context.colorspace = matrix
        for _ in range(2):
            frame = av.VideoFrame.from_ndarray(quarters(320, 176), format="rgb24")
            out.mux(stream.encode(frame.reformat(format=pixels, dst_colorspace=matrix)))
        out.mux(stream.encode(None))
    with open_video(tmp_path / "c.mkv") as video:
        for rung in (video.thumbs, video.motion, video.analysis, video.detail):
            picture = rung[0]
            height, width = picture.shape[:2]
            for i, colour in enumerate(QUARTERS):
                y, x = height * (1 + 2 * (i // 2)) // 4, width * (1 + 2 * (i % 2)) // 4
                expected = colour if picture.ndim == 3 else np.dot(colour, luma)
                np.testing.assert_allclose(picture[y, x], expected, atol=5)


@pytest.mark.parametrize("size", [(1280, 720), (1080, 1920)])
def test_thumbs_are_averages_of_the_whole_frame(tmp_path, size):
    texture = cv2.GaussianBlur(moving(*size)(0), (0, 0), 2)
    clip = make_clip(tmp_path / "clip.mp4", count=2, paint=lambda _: texture)
    with av.open(str(clip)) as container:
        full = next(container.decode(video=0)).to_ndarray(format="rgb24", src_colorspace="ITU709")
    expected = cv2.resize(full, (48, 27), interpolation=cv2.INTER_AREA).astype(int)
    with open_video(clip) as video:
        assert np.abs(video.thumbs[0] - expected).mean() < 3


def test_variable_frame_rate_keeps_its_times(tmp_path):
    times_s = [0.0, 0.04, 0.08, 0.5, 1.7, 1.72, 1.9]
    with open_video(write(tmp_path / "vfr.mp4", clips.video(moving(), times_s))) as video:
        np.testing.assert_allclose(video.thumbs.times_s, times_s, atol=1e-3)
        # No copies in the gaps: each rung takes the first frame at or after each of its times.
        np.testing.assert_array_equal(video.analysis.frame_numbers, [0, 3, 4, 6])


def test_time_starts_at_the_first_frame(tmp_path):
    clip = write(tmp_path / "late.mkv", clips.video(moving(), steady(30, start_s=7.5)))
    with open_video(clip) as video:
        assert video.info.start_s == pytest.approx(7.5, abs=1e-3)
        assert video.thumbs.times_s[0] == 0
        assert video.info.end_s == pytest.approx(1.0, abs=2e-3)


@pytest.mark.parametrize(("video_start_s", "audio_start_s"), [(1.0, 0.0), (0.0, 0.5), (0.0, 0.0)])
def test_sound_starts_at_the_first_frame(tmp_path, video_start_s, audio_start_s):
    samples = np.zeros((3 * 48000, 1), np.float32)
    samples[int(1.6 * 48000) : int(1.6 * 48000) + 480] = 0.9
    clip = write(
        tmp_path / "clip.mkv",
        clips.video(moving(), steady(90, start_s=video_start_s)),
        clips.sound(samples, start_s=audio_start_s),
    )
    click_s = 1.6 + audio_start_s - video_start_s
    with open_video(clip) as video:
        for samples, rate_hz in ((video.audio_16k, 16000), (video.audio_44k[:, 0], 44100)):
            loud = np.flatnonzero(np.abs(samples) > 0.3)
            assert loud[0] / rate_hz == pytest.approx(click_s, abs=2e-3)
            assert len(samples) <= round(video.info.end_s * rate_hz)


def test_a_gap_in_the_sound_becomes_silence(tmp_path):
    clip = write(
        tmp_path / "clip.mkv",
        clips.video(moving(), steady(90)),
        clips.sound(tone(2.0), gap_at=48000, gap_s=1.0),
    )
    with open_video(clip) as video:
        level = [np.abs(video.audio_16k[i * 1600 : (i + 1) * 1600]).max() for i in range(27)]
    assert min(level[:10]) > 0.3
    assert max(level[12:19]) < 0.01
    assert min(level[22:27]) > 0.3


def test_six_channels_are_mixed_to_two(tmp_path):
    samples = np.zeros((48000, 6), np.float32)
    samples[:, 2] = tone(1.0)[:, 0]  # the centre, where speech is
    clip = make_clip(tmp_path / "clip.mkv", samples=samples)
    with open_video(clip) as video:
        assert video.info.audio.channels == 6
        assert video.audio_44k.shape == (44100, 2)
        left, right = video.audio_44k[1000:-1000].T
        np.testing.assert_allclose(left, right, atol=0.01)
        assert np.abs(left).max() > 0.2
        assert np.abs(video.audio_16k[1000:-1000]).max() > 0.2


def test_broken_sound_leaves_the_video(tmp_path):
    clip = write(
        tmp_path / "clip.mkv",
        clips.video(moving(), steady(30)),
        clips.noise_packets("aac", 20),
    )
    with open_video(clip) as video:
        assert video.info.audio is None
        assert video.audio_16k is None
        assert video.audio_44k is None
        assert any("sound" in w for w in video.info.warnings)
        assert video.info.frame_count == 30


def test_the_best_picture_stream_is_taken(tmp_path):
    clip = write(
        tmp_path / "clip.mkv",
        clips.video(lambda _: plain(10, 12, (9, 9, 9)), steady(30), codec="mpeg4", options={}),
        clips.video(moving(), steady(30)),
    )
    with open_video(clip) as video:
        assert (video.info.width_px, video.info.height_px) == (128, 72)
        assert any("2 video streams" in w for w in video.info.warnings)


def test_corrupt_frames_are_counted_and_the_rest_is_kept(tmp_path):
    clip = make_clip(
        tmp_path / "clip.mkv", count=90, options={"preset": "ultrafast", "g": "15", "crf": "20"}
    )
    scramble(clip, 0.45, 0.55)
    results = []
    for _ in range(2):
        with open_video(clip) as video:
            assert 0 < video.info.corrupt_frame_count < 60
            assert 30 <= video.info.frame_count < 90
            assert any("corrupt" in w for w in video.info.warnings)
            results.append((video.thumbs.frame_numbers.copy(), video.thumbs.pixels.copy()))
    np.testing.assert_array_equal(results[0][0], results[1][0])
    np.testing.assert_array_equal(results[0][1], results[1][1])


def test_a_file_without_a_good_frame_is_refused(tmp_path):
    clip = make_clip(tmp_path / "clip.mp4")
    data = clip.read_bytes()
    first, last = data.index(b"mdat") + 4, data.rindex(b"moov") - 4
    clip.write_bytes(data[:first] + np.random.default_rng(1).bytes(last - first) + data[last:])
    assert "no good video frame" in refusal(clip)


def test_a_cut_off_file_is_refused_or_read_as_far_as_it_goes(tmp_path):
    mp4 = make_clip(tmp_path / "cut.mp4")
    mp4.write_bytes(mp4.read_bytes()[: mp4.stat().st_size // 2])
    assert "moov atom missing" in refusal(mp4)
    mkv = make_clip(tmp_path / "cut.mkv", count=90)
    mkv.write_bytes(mkv.read_bytes()[: mkv.stat().st_size // 2])
    with open_video(mkv) as video:
        assert 20 < video.info.frame_count < 70
        assert any("though the file says 3.0 s" in w for w in video.info.warnings)


def test_what_is_no_video_is_refused_by_name(tmp_path):
    empty = tmp_path / "empty.mp4"
    empty.touch()
    assert "empty file" in refusal(empty)
    text = tmp_path / "text.mp4"
    text.write_text("version https://git-lfs.github.com/spec/v1\n")
    assert "not a media file" in refusal(text)
    still = tmp_path / "still.jpg"
    cv2.imwrite(str(still), moving()(0))
    assert "still picture" in refusal(still)
    heard = write(tmp_path / "sound.wav", clips.sound(tone(0.5), codec="pcm_s16le"))
    assert "no video stream" in refusal(heard)


def test_an_encrypted_file_is_refused(tmp_path):
    clip = make_clip(tmp_path / "clip.mp4")
    data = clip.read_bytes()
    at = data.index(b"avc1", data.index(b"stsd"))
    clip.write_bytes(data[:at] + b"encv" + data[at + 4 :])
    assert "encrypted" in refusal(clip)


def test_gif_moving_is_a_video_and_still_is_a_picture(tmp_path):
    for count in (1, 6):
        with av.open(str(tmp_path / f"{count}.gif"), "w") as out:
            stream = out.add_stream("gif", rate=10)
            stream.width, stream.height, stream.pix_fmt = 64, 48, "rgb8"
            for i in range(count):
                frame = av.VideoFrame.from_ndarray(moving(64, 48)(i), format="rgb24")
                out.mux(stream.encode(frame))
            out.mux(stream.encode(None))
    with open_video(tmp_path / "6.gif") as video:
        assert video.info.frame_count == 6
    assert "still picture" in refusal(tmp_path / "1.gif")


def test_transparency_is_put_on_black(tmp_path):
    def paint(_):
        return np.dstack([plain(64, 48, (240, 240, 240)), np.full((48, 64), 128, np.uint8)])

    clip = make_clip(
        tmp_path / "alpha.mkv", count=2, paint=paint, codec="ffv1", pixels="bgra",
        options={}, paint_pixels="rgba",
    )  # fmt: skip
    with open_video(clip) as video:
        for rung in (video.thumbs, video.motion, video.analysis, video.detail):
            assert rung[0].mean() == pytest.approx(120, abs=4)


@pytest.mark.parametrize("transfer", [16, 18])
def test_hdr_is_tone_mapped(tmp_path, transfer):
    def prepare(stream):
        stream.codec_context.color_trc = transfer
        stream.codec_context.color_primaries = 9
        stream.codec_context.colorspace = 9

    red = plain(128, 72, (160, 90, 60))  # a moderate red, as PQ or HLG code values
    clip = make_clip(
        tmp_path / "hdr.mkv",
        count=2,
        paint=lambda _: red,
        pixels="yuv420p10le",
        codec="libx265",
        options={"x265-params": "log-level=none:bframes=0"},
        prepare=prepare,
    )
    with open_video(clip) as video:
        assert any("HDR" in w for w in video.info.warnings)
        pictures = [r[0].reshape(-1, 3).mean(axis=0) for r in (video.thumbs, video.analysis)]
        pictures.append(video.detail[0].reshape(-1, 3).mean(axis=0))
        for red_level, green, blue in pictures:
            assert red_level - green > 100  # far more saturated than the 70 of its code values
            assert green >= blue
        np.testing.assert_allclose(pictures[0], pictures[1], atol=4)
        np.testing.assert_allclose(pictures[0], pictures[2], atol=4)


def test_interlaced_frames_become_whole(tmp_path):
    def paint(number):
        picture = plain(320, 176, (16, 16, 16))
        for field in (0, 1):  # the lower field is half a frame later: a moving bar combs
            left = 8 * (2 * number + field)
            picture[field::2, left : left + 40] = 235
        return picture

    def combing(picture):
        grey = picture.astype(int).mean(axis=2)
        return np.abs(2 * grey[1:-1] - grey[:-2] - grey[2:]).mean()

    clip = make_clip(
        tmp_path / "tv.mkv",
        count=15,
        paint=paint,
        options={"x264-params": "interlaced=1:tff=1", "crf": "5"},
    )
    with av.open(str(clip)) as container:
        raw = [f.to_ndarray(format="rgb24") for f in container.decode(video=0)]
    with open_video(clip) as video:
        assert video.info.frame_count == 15
        np.testing.assert_allclose(video.thumbs.times_s, steady(15), atol=1e-3)
        assert any("interlaced" in w for w in video.info.warnings)
        shown = video.analysis[1]
    assert combing(shown) < 0.25 * combing(raw[6])


def test_a_single_frame_has_a_length(tmp_path):
    with open_video(make_clip(tmp_path / "one.mp4", count=1)) as video:
        assert video.info.frame_count == 1
        assert 0 < video.info.end_s <= 1
        assert len(video.grid) == 1


def test_the_probe_tells_what_the_ladder_will_hold(tmp_path):
    clip = make_clip(tmp_path / "clip.mp4", samples=tone(1.0))
    set_display_matrix(clip, 0, 1, -1, 0)
    library = MediaLibrary(tmp_path / "data")
    probed = library.probe(library.register(clip))
    assert (probed.width_px, probed.height_px, probed.rotation_deg) == (72, 128, 90)
    assert probed.codec == "h264"
    assert probed.fps == pytest.approx(30)
    assert probed.duration_s == pytest.approx(1.0, abs=0.05)
    assert probed.audio.sample_rate_hz == 48000


def test_the_same_file_gives_the_same_ladder(tmp_path):
    clip = make_clip(tmp_path / "clip.mp4", count=45, samples=tone(1.5))
    read = []
    for name in ("a", "b"):
        with open_video(clip, tmp_path / name):
            ladder = next(p for p in (tmp_path / name / "cache/ladder").iterdir() if p.is_dir())
            read.append(
                {p.relative_to(ladder): p.read_bytes() for p in ladder.rglob("*") if p.is_file()}
            )
    assert read[0] == read[1]
    assert json.loads(read[0][next(k for k in read[0] if k.name == "ladder.json")])


def test_a_cover_picture_is_no_video(tmp_path):
    def cover(out):
        stream = out.add_stream("mjpeg", rate=1)
        stream.width, stream.height, stream.pix_fmt = 128, 72, "yuvj420p"
        stream.disposition = av.stream.Disposition.attached_pic

        def encode():
            frame = av.VideoFrame.from_ndarray(moving()(0), format="rgb24")
            out.mux(stream.encode(frame))
            out.mux(stream.encode(None))

        return encode

    heard = write(tmp_path / "song.mp4", clips.sound(tone(1.0), codec="flac"), cover)
    assert "only a cover picture" in refusal(heard)


@pytest.mark.parametrize("turned", [True, False])
def test_a_channel_that_takes_the_other_away_leaves_a_voice(tmp_path, turned):
    """Mixed to one channel it would be silent."""
    left = tone(2.0)
    samples = np.concatenate([left, -left if turned else left], axis=1)
    clip = make_clip(tmp_path / "clip.mkv", samples=samples)
    with open_video(clip) as video:
        heard = video.audio_16k[1000:-1000]
    assert np.sqrt(np.mean(np.square(heard))) > 0.3
