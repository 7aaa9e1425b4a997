"""`tiktok-assets doctor`: looks at this machine and this installation before something fails."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Literal

from analyzers.models import runtime
from analyzers.models.weights import ModelFileError
from resources.report_store import ReportStore
from resources.result_store import ResultStore
from tiktok_assets.settings import Settings

_LOW_DISK_GB = 5


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at. `way_out` says what to do where it is not ok."""

    level: Literal["ok", "note", "problem"]
    what: str
    found: str
    way_out: str = ""


def examine(settings: Settings) -> list[Finding]:
    """Look at everything; nothing is changed."""
    return [
        _python(),
        *_packages(),
        _cores(),
        _gpu(),
        _disk(settings.data_dir),
        _results(settings),
        _reports(settings),
        *_models(settings),
        _ffmpeg(),
    ]


def _python() -> Finding:
    found = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info[:2] in ((3, 11), (3, 12)):
        return Finding("ok", "Python", found)
    return Finding("problem", "Python", found, "Install Python 3.11 or 3.12, then make clean setup")


def _packages() -> Iterator[Finding]:
    try:
        import torch
        import torchvision

        # Fails when the two are of different builds.
        torchvision.ops.nms(torch.zeros(1, 4), torch.zeros(1), 0.5)
        yield Finding(
            "ok", "torch and torchvision", f"{version('torch')}, {version('torchvision')}"
        )
    except (ImportError, RuntimeError, OSError) as error:
        yield Finding(
            "problem", "torch and torchvision", str(error), "Take both anew: make clean setup"
        )
    try:
        headless = version("opencv-python-headless")
    except PackageNotFoundError:
        yield Finding("ok", "OpenCV", version("opencv-python"))
    else:
        yield Finding(
            "problem",
            "OpenCV",
            f"opencv-python and opencv-python-headless {headless} share one folder",
            "Uninstall both, then make clean setup",
        )


def _cores() -> Finding:
    cores = runtime.cpu_count()
    return Finding("ok", "cores", f"{cores}; {runtime.model_threads()} for each model")


def _gpu() -> Finding:
    if not runtime.cuda_available():
        return Finding("ok", "GPU", "none that torch can use; the embedded models need none")
    import torch

    free, total = torch.cuda.mem_get_info()
    name = torch.cuda.get_device_name(0)
    return Finding("ok", "GPU", f"{name}, {free / 1e9:.0f} of {total / 1e9:.0f} GB free")


def _disk(data_dir: Path) -> Finding:
    place = data_dir
    while not place.exists():
        place = place.parent
    free_gb = shutil.disk_usage(place).free / 1e9
    found = f"{free_gb:.0f} GB free at {data_dir}"
    if free_gb < _LOW_DISK_GB:
        return Finding("problem", "disk", found, "Make room, or set TIKTOK_ASSETS_DATA_DIR")
    return Finding("ok", "disk", found)


def _results(settings: Settings) -> Finding:
    try:
        ResultStore(url=settings.results).video_ids("video")
    except Exception as error:  # whatever a remote file system raises is the finding
        return Finding("problem", "results", f"{settings.results}: {error}", "Mend results_url")
    return Finding("ok", "results", settings.results)


def _reports(settings: Settings) -> Finding:
    try:
        ReportStore(url=settings.reports).video_ids()
    except Exception as error:  # likewise
        return Finding("problem", "reports", f"{settings.reports}: {error}", "Mend reports_url")
    return Finding("ok", "reports", settings.reports)


def _models(settings: Settings) -> Iterator[Finding]:
    files = settings.files()
    roles = {role: c.model for role, c in files.manifest.profile(settings.profile).items()}
    roles |= {role: choice.model_id for role, choice in settings.role_choices().items()}
    wanted = {*roles.values()}
    for cls in settings.enabled().values():
        wanted |= {choice.model_id for choice in settings.model_choices(cls).values()}
    for model_id in sorted(wanted - {""}):
        try:
            for name in files.spec(model_id).files:
                files.path(model_id, name)
        except (ModelFileError, LookupError) as error:
            yield Finding(
                "problem", f"model {model_id}", str(error), f"tiktok-assets models pull {model_id}"
            )
        else:
            yield Finding("ok", f"model {model_id}", files.spec(model_id).licence)


def _ffmpeg() -> Finding:
    if where := shutil.which("ffmpeg"):
        return Finding("ok", "ffmpeg", where)
    return Finding(
        "note",
        "ffmpeg",
        "none on the path; analysis does not need it",
        "Install it if you download: yt-dlp joins separate picture and sound with it",
    )
