"""Finds analyzers: the built-in ones and those of other packages, through one entry point group.

A package offers analyzers by an entry point in the group `tiktok_assets.analyzers` that names an
`Analyzer` class, or a callable without arguments that returns such classes. The built-in ones come
in by the same door (`builtin` below), so a new file in this package is found without a declaration.
"""

from __future__ import annotations

import importlib
import inspect
import logging
import pkgutil
from collections.abc import Iterable
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import TypeGuard

from analyzers.base import Analyzer, AnalyzerSettings
from analyzers.models.lending import Models

GROUP = "tiktok_assets.analyzers"
_logger = logging.getLogger(__name__)


def builtin() -> list[type[Analyzer]]:
    """The analyzers in this package, one file each, sorted by name."""
    import analyzers

    found: dict[str, type[Analyzer]] = {}
    for module_info in pkgutil.iter_modules(analyzers.__path__, "analyzers."):
        if module_info.ispkg:
            continue
        module = importlib.import_module(module_info.name)
        for _, cls in inspect.getmembers(module, inspect.isclass):
            if cls.__module__ == module.__name__ and _is_analyzer(cls):
                found[cls.name] = cls
    return [found[name] for name in sorted(found)]


def _is_analyzer(candidate: object) -> TypeGuard[type[Analyzer]]:
    return (
        inspect.isclass(candidate)
        and issubclass(candidate, Analyzer)
        and not inspect.isabstract(candidate)
    )


def _load(point: EntryPoint) -> Iterable[type[Analyzer]]:
    target = point.load()
    return [target] if _is_analyzer(target) else target()


@cache
def analyzer_classes() -> dict[str, type[Analyzer]]:
    """All analyzers by name. One that cannot be loaded is reported and left out, never fatal.

    Raises `ValueError` when two packages offer the same name.
    """
    found: dict[str, type[Analyzer]] = {}
    points = sorted(entry_points(group=GROUP), key=lambda p: (p.name != "builtin", p.name))
    for point in points:
        try:
            classes = list(_load(point))
        except Exception as error:
            if point.name == "builtin":
                raise
            _logger.warning("analyzer %s (%s) was left out: %s", point.name, point.value, error)
            continue
        for cls in classes:
            if cls.name in found:
                raise ValueError(
                    f"analyzer {cls.name!r} is offered twice: by {found[cls.name].__module__} and "
                    f"by {cls.__module__}; uninstall one"
                )
            found[cls.name] = cls
    return found


def get_analyzer(
    name: str, models: Models | None = None, settings: AnalyzerSettings | None = None
) -> Analyzer:
    """An analyzer ready to use; without `models`, the embedded ones of this process.

    Raises `LookupError` for an unknown name.
    """
    classes = analyzer_classes()
    if name not in classes:
        raise LookupError(f"no analyzer {name!r}; there are {', '.join(sorted(classes))}")
    return classes[name](models if models is not None else Models.embedded(), settings)
