"""What a picture's measures say of its grade and its mood: plain rules, each with its evidence."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from analyzers.methods.picture.colorimetry import GREY_CHROMA, Hues, Light


@dataclass(frozen=True)
class Look:
    """The measures that rules look at."""

    light: Light
    hues: Hues
    #: HSV saturation 0..1, weighted by value.
    saturation: float
    #: M3 of Hasler & Süsstrunk.
    colourfulness: float
    #: Scale of Ou et al.; -0.5 for greys.
    warm_cool: float


@dataclass(frozen=True)
class _Grade:
    name: str
    applies: Callable[[Look], bool]
    #: What it looks at, for `str.format` with `look`.
    evidence: str


#: Hue directions agree this much only where a picture was toned in one hue: 0.985 is a spread of
#: 10 degrees. On the demo clips the toned shot has 0.99 and more; a face before black has 0.98.
_TONED = 0.985
_TONED_CHROMA = 4.0

#: In the order of precedence: the first that applies is a second's main grade. Thresholds were set
#: by looking at the demo clips; they are rules of thumb and not measurements of an intention.
_GRADES = (
    _Grade(
        "black",
        lambda look: look.light.p99 < 0.06 and look.light.mean < 0.02,
        "99 % of the pixels have luma under {look.light.p99:.2f}",
    ),
    _Grade(
        "black_and_white",
        lambda look: _grey(look),
        "mean chroma {look.hues.chroma:.1f}, 99 % of the pixels under {look.hues.chroma_p99:.1f}",
    ),
    _Grade(
        "sepia",
        lambda look: _toned(look) and 55 <= (look.hues.mean_deg or 0) <= 105,
        "one hue of {look.hues.mean_deg:.0f} degrees (concentration {look.hues.concentration:.3f})",
    ),
    _Grade(
        "tinted",
        lambda look: _toned(look) and not 55 <= (look.hues.mean_deg or 0) <= 105,
        "one hue of {look.hues.mean_deg:.0f} degrees (concentration {look.hues.concentration:.3f})",
    ),
    _Grade(
        "teal_orange",
        lambda look: (
            look.hues.chroma >= 8
            and min(look.hues.orange_share, look.hues.teal_share) >= 0.2
            and look.hues.orange_share + look.hues.teal_share >= 0.7
        ),
        "{look.hues.orange_share:.0%} of the colour is orange and {look.hues.teal_share:.0%} teal",
    ),
    _Grade(
        "high_key",
        lambda look: look.light.mean >= 0.65 and look.light.p05 >= 0.15,
        "mean luma {look.light.mean:.2f}, 95 % of the pixels over {look.light.p05:.2f}",
    ),
    _Grade(
        "low_key",
        lambda look: look.light.mean <= 0.25 and look.light.p99 >= 0.3,
        "mean luma {look.light.mean:.2f} with lights up to {look.light.p99:.2f}",
    ),
    _Grade(
        "faded",
        lambda look: (
            look.light.p01 >= 0.12
            and 0.6 <= look.light.p99 <= 0.88
            and look.light.contrast_rms <= 0.18
            and look.saturation <= 0.35
        ),
        "blacks lifted to {look.light.p01:.2f}, whites held at {look.light.p99:.2f}",
    ),
    _Grade(
        "vivid",
        lambda look: look.colourfulness >= 59,
        "colourfulness {look.colourfulness:.0f} (quite colourful from 59)",
    ),
    _Grade(
        "muted",
        lambda look: look.colourfulness < 20 and not _grey(look),
        "colourfulness {look.colourfulness:.0f} (slightly colourful from 15)",
    ),
)
#: A grade's names; `natural` where no rule applies.
GRADES = (*(grade.name for grade in _GRADES), "natural")


def _grey(look: Look) -> bool:
    return look.hues.chroma < GREY_CHROMA and look.hues.chroma_p99 < 5


def _toned(look: Look) -> bool:
    return look.hues.chroma >= _TONED_CHROMA and look.hues.concentration >= _TONED


def grades(look: Look) -> list[str]:
    """Every grade that applies, most telling first; never empty."""
    found = [grade.name for grade in _GRADES if grade.applies(look)]
    return found[:1] if found[:1] == ["black"] else found or ["natural"]


def evidence(grade: str, look: Look) -> str:
    """The figures that speak for a grade."""
    for known in _GRADES:
        if known.name == grade:
            return known.evidence.format(look=look)
    return f"no rule applies; colourfulness {look.colourfulness:.0f}"


TONES = ("warm", "neutral", "cool")


def tone(warm_cool: float) -> str:
    """Warm or cool where the scale leaves that of greys (-0.5) by a tenth."""
    return "warm" if warm_cool > -0.4 else "cool" if warm_cool < -0.6 else "neutral"


#: Luma and saturation of an ordinary picture: the medians of the demo clips.
_ORDINARY_BRIGHTNESS = 0.46
_ORDINARY_SATURATION = 0.26
#: How far pleasure or arousal must be from the ordinary to count.
_NOTABLE = 0.05
#: Words for the parts of Russell's circumplex (1980, J. Pers. Soc. Psychol. 39:1161): pleasure from
#: low to high in rows, arousal from low to high in columns.
_MOODS = (
    ("sombre", "gloomy", "tense"),
    ("calm", "neutral", "stirring"),
    ("serene", "pleasant", "lively"),
)
MOODS = tuple(word for row in _MOODS for word in row)


def pleasure_and_arousal(look: Look) -> tuple[float, float]:
    """Valdez & Mehrabian 1994 (J. Exp. Psychol. Gen. 123:394): what brightness and saturation do.

    Pleasure = 0.69 B + 0.22 S and arousal = -0.31 B + 0.60 S, in standard units of their scales;
    here as differences from an ordinary picture (B = 0.46, S = 0.26), so 0 is ordinary. They asked
    about single colour chips: for a video this is a hint and no measurement of what people feel.
    """
    brightness = look.light.mean - _ORDINARY_BRIGHTNESS
    saturation = look.saturation - _ORDINARY_SATURATION
    return 0.69 * brightness + 0.22 * saturation, -0.31 * brightness + 0.60 * saturation


def mood(pleasure: float, arousal: float) -> str:
    """The part of Russell's circumplex that pleasure and arousal point at, in a word."""
    return _MOODS[_level(pleasure)][_level(arousal)]


def _level(value: float) -> int:
    return int(value > -_NOTABLE) + int(value >= _NOTABLE)
