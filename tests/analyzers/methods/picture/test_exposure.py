"""The brightness of what is lit."""

import numpy as np
import pytest

from analyzers.methods.picture.exposure import lit_luma_p95


def test_follows_the_gain() -> None:
    luma = np.tile(np.arange(256, dtype=np.uint8), (256, 1))
    assert lit_luma_p95(luma) == pytest.approx(0.95, abs=0.01)
    assert lit_luma_p95((luma * 0.25).astype(np.uint8)) == pytest.approx(0.24, abs=0.01)


def test_black_around_does_not_count() -> None:
    luma = np.zeros((100, 100), np.uint8)
    assert lit_luma_p95(luma) == 0
    luma[40:50, 40:50] = 200
    assert lit_luma_p95(luma) == pytest.approx(200 / 255)
