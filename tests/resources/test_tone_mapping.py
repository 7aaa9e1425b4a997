import numpy as np
import pytest

from resources.tone_mapping import HLG, PQ, to_srgb

#: PQ code values of a luminance, from the table in ITU-R BT.2408-7 (203 cd/m2: 58 %).
PQ_203_NITS = 0.5807


@pytest.mark.parametrize("transfer", [PQ, HLG])
def test_grey_stays_grey_and_rises_to_white(transfer):
    level = np.linspace(0, 1, 101)
    mapped = to_srgb(np.repeat(level[:, None], 3, axis=1), transfer)
    np.testing.assert_allclose(mapped[:, 0], mapped[:, 1], atol=2e-3)
    np.testing.assert_allclose(mapped[:, 0], mapped[:, 2], atol=2e-3)
    assert np.all(np.diff(mapped[:, 0]) >= -1e-3)
    assert mapped[0, 0] < 0.01
    assert mapped[-1, 0] > 0.99


def test_paper_white_is_bright_and_highlights_stay_apart():
    paper, highlight = to_srgb(np.array([[PQ_203_NITS] * 3, [0.7] * 3]), PQ)[:, 0]
    assert 0.75 < paper < 0.95
    assert highlight > paper + 0.05


def test_a_saturated_colour_stays_saturated():
    # A red of BT.709 at 100 cd/m2, written in BT.2020 and PQ.
    linear_2020 = np.array([0.6274, 0.0691, 0.0164]) * 100
    power = (linear_2020 / 1e4) ** 0.1593017578125
    signal = ((0.8359375 + 18.8515625 * power) / (1 + 18.6875 * power)) ** 78.84375
    red, green, blue = to_srgb(signal, PQ)
    assert red > 0.5
    assert max(green, blue) < 0.1
