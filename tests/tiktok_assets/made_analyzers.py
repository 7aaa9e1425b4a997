"""Analyzers and definitions made on the spot, for tests of what is built on them."""

from dataclasses import replace

import dagster as dg
import pyarrow as pa

from analyzers.base import Column, Stage
from tests.analyzers.made import Brightness
from tiktok_assets.definitions import build_definitions
from tiktok_assets.settings import Settings


class Breaks(Brightness):
    """Fails on every video."""

    name = "breaks"

    def analyze(self, video, upstream):
        raise ValueError("the lens cap is on")


class Lies(Brightness):
    """Returns what it did not declare."""

    name = "lies"

    def analyze(self, video, upstream):
        result = super().analyze(video, upstream)
        return replace(result, segments=result.segments.slice(0, 1))


class Silent(Brightness):
    """Has nothing to say."""

    name = "silent"
    notice = "Silence is no proof."
    rungs = ("audio_16k",)

    def analyze(self, video, upstream):
        return self.not_applicable(video, "no light")


class Forgives(Brightness):
    """Uses others where they are there."""

    name = "forgives"
    optional = ("breaks", "brightness")
    summary_columns = (Column("seen", pa.string(), "Names of what was there"),)

    def analyze(self, video, upstream):
        result = super().analyze(video, upstream)
        return replace(result, summary={"seen": ",".join(sorted(upstream))})


class Shared(Brightness):
    """What others build on."""

    name = "shared"
    shared_product = True


class Needs(Brightness):
    """Cannot do without one that fails."""

    name = "needs"
    requires = ("breaks",)


class Joins(Forgives):
    """Runs in the finish job."""

    name = "joins"
    joins = True
    optional = ("brightness", "breaks", "silent")
    stage = Stage.LIGHT_GPU


tries: list[str] = []


class Moody(Brightness):
    """Loses a connection at its first try."""

    name = "moody"
    enabled_by_default = False

    def analyze(self, video, upstream):
        tries.append(video.id)
        if len(tries) == 1:
            raise ConnectionError("the line went dead")
        return super().analyze(video, upstream)


MADE = (Brightness, Shared, Breaks, Lies, Silent, Forgives, Needs, Joins, Moody)


def made_analyze() -> dg.JobDefinition:
    return build_definitions(Settings()).resolve_job_def("analyze")


def made_finish() -> dg.JobDefinition:
    return build_definitions(Settings()).resolve_job_def("finish")


def made_definitions() -> dg.Definitions:
    return build_definitions(Settings())
