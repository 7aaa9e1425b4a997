"""Each kind of effect by its shape with its beginning, and sounds that are none of them."""

import numpy as np
import pytest

from analyzers.methods.sound.sound_shapes import shapes
from tests.analyzers.made_rooms import white
from tests.analyzers.made_sound_effects import MADE, RATE_HZ, placed, riser, whoosh


@pytest.mark.parametrize("kind", MADE)
def test_each_kind_with_its_beginning(kind: str) -> None:
    effect = MADE[kind]()
    found = shapes(placed([(2.0, effect)], 6.0), RATE_HZ)
    assert [s.kind for s in found] == [kind]
    # Noise that swells from nothing is heard once it stands out.
    late_s = 0.8 if kind == "riser" else 0.05
    assert 2.0 - 0.02 <= found[0].onset_s <= 2.0 + late_s
    assert found[0].end_s <= 2.0 + len(effect) / RATE_HZ + 0.02
    assert found[0].prominence_db > 25


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_other_examples(seed: int) -> None:
    effects = [
        (1.0, MADE["click"](seed)),
        (2.0, MADE["pop"](250.0 * seed)),
        (3.0, MADE["ding"](700.0 * seed)),
        (6.0, MADE["impact"](seed)),
        (8.0, whoosh(0.3 + 0.3 * seed, seed)),
        (11.0, riser(1.0 + 0.7 * seed, seed)),
    ]
    found = shapes(placed(effects, 16.0, -55.0), RATE_HZ)
    assert [s.kind for s in found] == ["click", "pop", "ding", "impact", "whoosh", "riser"]


def test_two_close_together_are_two() -> None:
    found = shapes(placed([(1.0, MADE["impact"]()), (1.3, MADE["impact"](1))], 4.0), RATE_HZ)
    assert [s.onset_s for s in found] == pytest.approx([1.0, 1.3], abs=0.02)
    assert {s.kind for s in found} == {"impact"}


def test_a_riser_backwards_is_none() -> None:
    [found] = shapes(placed([(1.0, riser()[::-1])], 5.0), RATE_HZ)
    assert found.kind == "unknown"


def test_a_long_tone_and_a_burst_of_noise_are_unknown() -> None:
    t = np.arange(6 * RATE_HZ) / RATE_HZ
    tone = (0.3 * np.sin(2 * np.pi * 300 * t) * np.minimum(1, t / 0.3)).astype(np.float32)
    bright = white(1.0, -20.0)
    found = shapes(placed([(1.0, tone), (9.0, bright)], 12.0), RATE_HZ)
    assert [s.kind for s in found] == ["unknown", "unknown"]


def test_what_does_not_stand_out_is_not_there() -> None:
    assert shapes(white(5.0, -30.0), RATE_HZ) == []
    assert shapes(np.zeros(5 * RATE_HZ, np.float32), RATE_HZ) == []
    assert shapes(placed([(2.0, 0.02 * MADE["impact"]())], 5.0, -35.0), RATE_HZ) == []
    assert shapes(np.zeros(10, np.float32), RATE_HZ) == []


def test_what_lies_below_hearing_is_not_looked_at() -> None:
    sound = placed([], 4.0)
    sound[RATE_HZ : 2 * RATE_HZ] += 0.3
    assert all(s.kind in ("click", "pop") for s in shapes(sound, RATE_HZ))  # its two edges
