"""Where it sounds like: AudioSet's classes taken together as places.

A place's evidence in a second of sound is that of its strongest class, times how far that class
tells of the place: 1 where AudioSet names the place itself, 0.8 for what is found in no other
place, 0.5 for what is mostly found there. Over several seconds the strongest quarter counts, since
a place is told by what happens in it now and then, a keyboard or a bird. A place with less than 0.3
is no answer. A class counts where it is stronger than plain noise, white or pink, which a
classifier also takes for a waterfall, rain or the sea.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

#: Less evidence than this is reported as uncertain.
LEAST_EVIDENCE = 0.3
PLACES = ("room", "street", "nature", "vehicle", "crowd", "studio")
SETTINGS = ("indoor", "outdoor")
UNCERTAIN = "uncertain"

#: Names as AudioSet gives them. `studio` has no class: a voice without a place is told by its
#: signal (see `dry_voice`).
_CLASSES: Mapping[str, Mapping[float, Sequence[str]]] = {
    "room": {
        1.0: ("Inside, small room", "Inside, large room or hall"),
        0.8: (
            "Typing", "Typewriter", "Computer keyboard", "Writing", "Printer", "Toilet flush",
            "Toothbrush", "Electric toothbrush", "Hair dryer", "Vacuum cleaner", "Blender",
            "Microwave oven", "Water tap, faucet", "Sink (filling or washing)",
            "Bathtub (filling or washing)", "Cupboard open or close", "Drawer open or close",
            "Dishes, pots, and pans", "Cutlery, silverware", "Chopping (food)", "Frying (food)",
            "Doorbell", "Sliding door", "Shuffling cards", "Sewing machine", "Cash register",
            "Air conditioning", "Mechanical fan",
        ),
        0.5: ("Inside, public space", "Door", "Telephone bell ringing", "Tick-tock", "Television"),
    },
    "street": {
        1.0: ("Outside, urban or manmade", "Traffic noise, roadway noise"),
        0.8: (
            "Car passing by", "Vehicle horn, car horn, honking", "Air horn, truck horn",
            "Reversing beeps", "Emergency vehicle", "Police car (siren)", "Ambulance (siren)",
            "Fire engine, fire truck (siren)", "Car alarm", "Tire squeal", "Skidding",
            "Jackhammer", "Ice cream truck, ice cream van",
        ),
        0.5: ("Bus", "Truck", "Motorcycle", "Skateboard", "Motor vehicle (road)", "Siren"),
    },
    "nature": {
        1.0: ("Outside, rural or natural",),
        0.8: (
            "Rustling leaves", "Stream", "Waterfall", "Ocean", "Waves, surf", "Rain",
            "Raindrop", "Rain on surface", "Thunder", "Thunderstorm", "Cricket", "Frog", "Croak",
            "Owl", "Hoot", "Wild animals", "Bird vocalization, bird call, bird song",
            "Chirp, tweet", "Crow", "Caw", "Squawk", "Coo", "Pigeon, dove",
            "Bird flight, flapping wings", "Cattle, bovinae", "Moo", "Sheep", "Bleat", "Goat",
            "Crowing, cock-a-doodle-doo", "Chicken, rooster", "Insect", "Bee, wasp, etc.",
        ),
        0.5: ("Wind", "Wind noise (microphone)", "Bird", "Fire", "Crackle",
              "Livestock, farm animals, working animals"),
    },
    "vehicle": {
        0.8: (
            "Train", "Railroad car, train wagon", "Subway, metro, underground", "Aircraft",
            "Aircraft engine", "Jet engine", "Propeller, airscrew", "Helicopter",
            "Fixed-wing aircraft, airplane", "Motorboat, speedboat", "Ship",
            "Boat, Water vehicle", "Car", "Accelerating, revving, vroom", "Idling",
            "Engine starting", "Race car, auto racing", "Power windows, electric windows",
            "Rail transport",
        ),
        0.5: (
            "Vehicle", "Engine", "Light engine (high frequency)",
            "Medium engine (mid frequency)", "Heavy engine (low frequency)",
        ),
    },
    "crowd": {
        1.0: ("Crowd", "Hubbub, speech noise, speech babble"),
        0.8: ("Chatter", "Cheering", "Applause", "Children playing", "Children shouting"),
        0.5: ("Clapping", "Chant"),
    },
}  # fmt: skip
#: What has no source, and so no place.
PLAIN_NOISE = ("White noise", "Pink noise")
_OUTDOOR = ("street", "nature")
_PUBLIC = "Inside, public space"
#: What names a place is no event in it.
PLACE_NAMES = frozenset(
    {
        "Inside, small room",
        "Inside, large room or hall",
        _PUBLIC,
        "Outside, urban or manmade",
        "Outside, rural or natural",
    }
)
#: Of the windows of a time, the strongest part that counts.
_COUNTED = 0.25
#: From this distance of a voice to what sounds between its words on it may be a studio's, and here
#: it is; the same for reverberation.
_SNR_DB = (25.0, 45.0)
_RT60_S = (0.3, 0.6)
#: A dry, clean voice is made in a studio or with a good microphone in a quiet room.
_STUDIO_AT_MOST = 0.8


def evidence(likely: np.ndarray, classes: Sequence[str]) -> dict[str, np.ndarray]:
    """Evidence for each place and setting in each window, float (n,), by name.

    `likely`: probabilities (n, classes). Without `studio`, which is not a matter of classes.

    Raises `ValueError` for a classifier that lacks one of the classes.
    """
    column = {name: number for number, name in enumerate(classes)}

    def strongest(names: Sequence[str]) -> np.ndarray:
        if missing := [name for name in names if name not in column]:
            raise ValueError(f"the classifier of sounds does not know {', '.join(missing)}")
        return np.asarray(likely[:, [column[name] for name in names]].max(axis=1))

    noise = strongest(PLAIN_NOISE)
    found = {}
    for place, by_weight in _CLASSES.items():
        found[place] = np.zeros(len(likely))
        for weight, names in by_weight.items():
            heard = strongest(names)
            counted = np.where(heard > noise, weight * heard, 0.0)
            found[place] = np.maximum(found[place], counted)
    found["indoor"] = np.maximum(found["room"], likely[:, column[_PUBLIC]])
    found["outdoor"] = np.maximum.reduce([found[place] for place in _OUTDOOR])
    return found


def over_time(values: np.ndarray) -> float:
    """Mean of the strongest quarter of windows, 0 without windows."""
    if not len(values):
        return 0.0
    count = -(-len(values) // round(1 / _COUNTED))
    return float(np.sort(values)[-count:].mean())


def dry_voice(snr_db: float | None, silent_gaps: bool, rt60_s: float | None) -> float:
    """Evidence for a studio, 0..0.8: how clean and dry a voice stands.

    `silent_gaps`: between the words there is digital silence, so that there is no `snr_db`.
    """
    if silent_gaps:
        clean = 1.0
    elif snr_db is None:
        return 0.0
    else:
        clean = float(np.interp(snr_db, _SNR_DB, (0.0, 1.0)))
    dry = 1.0 if rt60_s is None else float(np.interp(rt60_s, _RT60_S, (1.0, 0.0)))
    return _STUDIO_AT_MOST * clean * dry


def best(candidates: Mapping[str, float]) -> tuple[str, float]:
    """The strongest and its evidence; `uncertain`, with that evidence, below 0.3."""
    name = max(candidates, key=lambda n: candidates[n])
    return (name if candidates[name] >= LEAST_EVIDENCE else UNCERTAIN), candidates[name]
