"""The moments in which several channels are high at once."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from analyzers.methods.story.energy import ENERGY_WEIGHTS, PACING_WEIGHTS, SOURCES
from analyzers.methods.story.joined import Joined
from analyzers.rules.registry import Finding, quality, rule

quality(
    "peak moment",
    "A second whose energy (temporal_flow) is the highest within two seconds, lies a standard "
    "deviation and 0.1 above the video's median, and to which two channels or more contribute that "
    "are in the top fifth of their own seconds.",
)

quality(
    "energy and pacing",
    "Of each second, 0 to 1, in temporal_flow: energy is how much happens ("
    + ", ".join(f"{name} {weight:g}" for name, weight in ENERGY_WEIGHTS.items())
    + "), pacing how fast new things come ("
    + ", ".join(f"{name} {weight:g}" for name, weight in PACING_WEIGHTS.items())
    + "). Scales and weights stand in analyzers/methods/story/energy.py.",
)

_AROUND, _ABOVE = 2, 0.1
_TOP = 80
_LEAST_CHANNELS = 2


@rule(needs=("temporal_flow",))
def peak_moment(joined: Joined) -> Iterable[Finding]:
    """A second in which most happens, by several channels at once (see peak moment)."""
    energy = np.array([e or 0.0 for e in joined.column("temporal_flow", "energy")])
    least = np.median(energy) + max(_ABOVE, float(energy.std()))
    for second in np.flatnonzero(energy >= least).tolist():
        around = energy[max(0, second - _AROUND) : second + _AROUND + 1]
        if energy[second] < around.max() or second != _first_of(energy, second):
            continue
        high = []
        for name in ENERGY_WEIGHTS:
            values = np.array([v or 0.0 for v in joined.column("temporal_flow", name)])
            if values[second] > 0.2 and values[second] >= np.percentile(values, _TOP) > 0:
                high.append(name)
        if len(high) < _LEAST_CHANNELS:
            continue
        sources = [SOURCES[n] for n in high if n in SOURCES and SOURCES[n] in joined]
        yield Finding(
            float(second),
            joined.grid.bounds_s(second)[1],
            f"A peak of energy ({energy[second]:.2f}, else {np.median(energy):.2f}): "
            f"{', '.join(high)}",
            tuple(
                i
                for name in ("temporal_flow", *dict.fromkeys(sources))
                for i in joined.second_ids(name, [second])
            ),
            confidence=min(1.0, float(energy[second] - np.median(energy)) / 0.4),
            value=f"{energy[second]:.2f}",
        )


def _first_of(energy: np.ndarray, second: int) -> int:
    """Of equal neighbours only the first is a peak."""
    while second > 0 and energy[second - 1] == energy[second]:
        second -= 1
    return second
