"""What is laid over a still picture; filters on footage are in test_visual_effects.py."""

import numpy as np

from analyzers.methods.edit.effects import filter_change
from analyzers.methods.edit.effects.signals import Signals
from tests.analyzers.made_shots import thumbs, video_of


def test_a_card_that_appears_on_a_still_is_no_filter() -> None:
    """Most of the picture does not change by a single level."""
    y, x = np.mgrid[:27, :48]
    still = np.repeat((40 + 160 * ((x // 8 + y // 9) % 2))[..., None], 3, axis=2).astype(float)
    with_card = still.copy()
    with_card[9:13, 8:32] = 255 - with_card[9:13, 8:32]
    frames = np.stack([still] * 30 + [with_card] * 30)
    assert filter_change.find(Signals(video_of(thumbs(frames)))) == []
