import av
import pytest

from resources.stream_copy import join
from tests.made_media import write_video


def _part(source, target, kind):
    with av.open(str(source)) as whole, av.open(str(target), "w") as out:
        stream = whole.streams.best(kind)
        copy = out.add_stream_from_template(stream)
        for packet in whole.demux(stream):
            if packet.dts is not None:
                packet.stream = copy
                out.mux(packet)
    return target


def _facts(path):
    with av.open(str(path)) as file:
        kinds = [(stream.type, stream.codec.name) for stream in file.streams]
        return kinds, sum(1 for packet in file.demux(video=0) if packet.size)


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    return write_video(tmp_path_factory.mktemp("clip") / "clip.mp4", seconds=2.0)


def test_picture_and_sound_become_one_file_as_they_are(clip, tmp_path):
    video = _part(clip, tmp_path / "v.mp4", "video")
    sound = _part(clip, tmp_path / "a.m4a", "audio")
    join([video, sound], tmp_path / "both.mp4")
    assert _facts(tmp_path / "both.mp4") == ([("video", "h264"), ("audio", "aac")], 30)
    with av.open(str(tmp_path / "both.mp4")) as file:
        assert file.duration / 1e6 == pytest.approx(2.0, abs=0.1)
        frames = [frame.to_ndarray(format="gray") for frame in file.decode(video=0)]
    with av.open(str(clip)) as file:
        whole = [frame.to_ndarray(format="gray") for frame in file.decode(video=0)]
    assert all((a == b).all() for a, b in zip(frames, whole, strict=True))


def test_a_transport_stream_becomes_an_mp4(clip, tmp_path):
    stream = tmp_path / "stream.ts"
    join([clip], stream)
    join([stream], tmp_path / "out.mp4")
    assert _facts(tmp_path / "out.mp4") == ([("video", "h264"), ("audio", "aac")], 30)
    with av.open(str(tmp_path / "out.mp4")) as file:
        assert sum(frame.samples for frame in file.decode(audio=0)) == pytest.approx(
            88200, abs=4096
        )


def test_sound_alone_is_no_video(clip, tmp_path):
    sound = _part(clip, tmp_path / "a.m4a", "audio")
    with pytest.raises(ValueError, match=r"no video in a\.m4a"):
        join([sound], tmp_path / "out.mp4")
