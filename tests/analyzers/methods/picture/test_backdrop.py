"""What is told of a background: sharpness, flatness, change, exchange."""

import cv2
import numpy as np
import pytest

from analyzers.methods.picture.backdrop import backdrop_of, change_between


def texture(seed: int, slope: float = 1.0) -> np.ndarray:
    """A picture with a natural one's fall of detail with its scale (amplitude 1 / frequency)."""
    rng = np.random.default_rng(seed)
    frequency = np.hypot(np.fft.fftfreq(360)[:, None], np.fft.rfftfreq(240)[None])
    frequency[0, 0] = 1
    spectrum = np.fft.rfft2(rng.normal(size=(360, 240))) / frequency**slope
    grey = np.fft.irfft2(spectrum, (360, 240))
    grey = 127 + 45 * (grey - grey.mean()) / grey.std()
    return np.repeat(grey.clip(0, 255).astype(np.uint8)[..., None], 3, axis=2)


def person(left: int = 80) -> np.ndarray:
    mask = np.zeros((360, 240), bool)
    mask[120:, left : left + 90] = True
    return mask


def with_person(background: np.ndarray, left: int = 80, seed: int = 99) -> np.ndarray:
    picture = background.copy()
    picture[120:, left : left + 90] = texture(seed)[120:, 80:170]
    return picture


def test_blur_behind_is_seen_behind_only() -> None:
    sharp = backdrop_of(with_person(texture(1)), person())
    soft = backdrop_of(with_person(cv2.GaussianBlur(texture(1), (0, 0), 4)), person())
    assert sharp.sharpness is not None
    assert soft.sharpness is not None
    assert sharp.sharpness > 0.35
    assert soft.sharpness < 0.2
    assert soft.subject_sharpness == pytest.approx(sharp.subject_sharpness, rel=0.01)


def test_more_blur_is_never_sharper() -> None:
    found = [
        backdrop_of(with_person(cv2.GaussianBlur(texture(2), (0, 0), s)), person()).sharpness
        for s in (0.5, 1, 2, 4)
    ]
    assert found == sorted(found, key=lambda v: -(v or 0))


def test_a_plain_wall_is_neither_sharp_nor_blurred() -> None:
    found = backdrop_of(with_person(np.full((360, 240, 3), 140, np.uint8)), person())
    assert found.sharpness is None
    assert found.flat_share == 1


@pytest.mark.parametrize("level", [5, 250])
def test_black_and_burnt_out_grounds_are_not_called_flat(level: int) -> None:
    found = backdrop_of(with_person(np.full((360, 240, 3), level, np.uint8)), person())
    assert found.flat_share is None


def test_a_subject_that_fills_the_frame_leaves_nothing_to_judge() -> None:
    found = backdrop_of(texture(3), np.ones((360, 240), bool))
    assert found.sharpness is None
    assert found.flat_share is None


def test_still_and_moving() -> None:
    ground = texture(4)
    change = change_between((with_person(ground), person()), (with_person(ground, 84), person(84)))
    assert change is not None
    assert change.background == 0
    assert change.subject > 2
    assert not change.exchanged


def test_another_picture_behind_one_who_stays() -> None:
    change = change_between(
        (with_person(texture(5)), person()), (with_person(texture(6), 84), person(84))
    )
    assert change is not None
    assert change.exchanged


def test_what_was_taken_for_the_subject_may_go_with_the_old_picture() -> None:
    wide = person()
    wide[250:, 60:240] = True
    change = change_between((with_person(texture(5)), wide), (with_person(texture(6)), person()))
    assert change is not None
    assert change.exchanged


def test_a_cut_to_somebody_else_is_no_exchange() -> None:
    change = change_between(
        (with_person(texture(5)), person()), (with_person(texture(6), seed=7), person())
    )
    assert change is not None
    assert not change.exchanged


def test_a_light_that_is_switched_is_no_exchange() -> None:
    ground = texture(8)
    dark = (ground * 0.4).astype(np.uint8)
    change = change_between((with_person(ground), person()), (with_person(dark), person()))
    assert change is not None
    assert change.background > 20
    assert not change.exchanged
