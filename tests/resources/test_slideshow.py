import av
import numpy as np
import pytest
from PIL import Image

from resources.slideshow import write_slideshow
from tests.made_media import write_video


@pytest.fixture
def pictures(tmp_path):
    """A red one upright, a green one lying, a blue one that its EXIF data turn upright."""
    Image.new("RGB", (300, 400), "red").save(tmp_path / "0.jpg")
    Image.new("RGB", (400, 200), "lime").save(tmp_path / "1.webp")
    turned = Image.Exif()
    turned[0x0112] = 6
    Image.new("RGB", (320, 240), "blue").save(tmp_path / "2.jpg", exif=turned)
    return [tmp_path / name for name in ("0.jpg", "1.webp", "2.jpg")]


def _seen(path):
    """For each frame: its time, and which of red, green and blue is in its middle."""
    with av.open(str(path)) as file:
        found = []
        for frame in file.decode(video=0):
            picture = frame.to_ndarray(format="rgb24")
            middle = picture[picture.shape[0] // 2, picture.shape[1] // 2]
            found.append((frame.time, "rgb"[int(np.argmax(middle))], picture))
        return found


def _heard(path):
    with av.open(str(path)) as file:
        return np.concatenate([frame.to_ndarray()[0] for frame in file.decode(audio=0)])


def test_each_picture_has_its_share_of_the_sound(pictures, tmp_path):
    sound = write_video(tmp_path / "sound.mp4", seconds=3.0)
    write_slideshow(pictures, sound, tmp_path / "show.mp4")
    seen = _seen(tmp_path / "show.mp4")
    assert [hue for _, hue, _ in seen] == ["r"] * 15 + ["g"] * 15 + ["b"] * 15
    assert [t for t, _, _ in seen] == pytest.approx([n / 15 for n in range(45)], abs=1e-3)
    with av.open(str(tmp_path / "show.mp4")) as file:
        assert file.streams.audio[0].codec.name == "aac"
    assert (_heard(tmp_path / "show.mp4") == _heard(sound)).all()


def test_without_sound_each_stays_for_two_and_a_half_seconds(pictures, tmp_path):
    write_slideshow(pictures, None, tmp_path / "show.mp4")
    seen = _seen(tmp_path / "show.mp4")
    firsts = [next(t for t, hue, _ in seen if hue == wanted) for wanted in "rgb"]
    assert firsts == pytest.approx([0.0, 2.5, 5.0], abs=1 / 15)
    assert len(seen) == round(7.5 * 15)


def test_the_largest_gives_the_frame_and_others_are_fitted_into_it(pictures, tmp_path):
    write_slideshow(pictures, None, tmp_path / "show.mp4")
    by_hue = {hue: picture for _, hue, picture in _seen(tmp_path / "show.mp4")}
    assert by_hue["r"].shape == (400, 300, 3)
    assert by_hue["r"][5, 5, 0] > 200
    assert by_hue["g"][5, 150].max() < 40  # black above a picture that lies
    assert by_hue["b"][5, 5, 2] > 200  # 240 x 320 fills 300 x 400


def test_no_picture_and_a_broken_one(tmp_path):
    with pytest.raises(ValueError, match="at least one picture"):
        write_slideshow([], None, tmp_path / "show.mp4")
    (tmp_path / "broken.jpg").write_bytes(b"nothing")
    with pytest.raises(OSError, match=r"broken\.jpg"):
        write_slideshow([tmp_path / "broken.jpg"], None, tmp_path / "show.mp4")


def test_a_picture_that_would_fill_the_memory_is_refused(pictures, tmp_path, monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)
    with pytest.raises(OSError, match=r"0\.jpg: .*decompression bomb"):
        write_slideshow(pictures, None, tmp_path / "show.mp4")
