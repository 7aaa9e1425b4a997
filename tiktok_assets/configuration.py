"""Tells all settings from their declaration: `python -m tiktok_assets.configuration` prints
docs/configuration.md; `config_text` is the file that `tiktok-assets init` writes.
"""

from __future__ import annotations

import inspect
import json
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args, get_origin

from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo

from tiktok_assets.settings import PROJECT_DIR, Settings

#: What stands for the names in a table that has one for each of something.
_KEYS = {"models": "<role>", "analyzers": "<analyzer>"}
_WIDTH = 98


@dataclass(frozen=True)
class Setting:
    """One setting: its place in the file, its default as TOML writes it, what it does."""

    path: tuple[str, ...]
    #: None where there is none: the setting is unset, or must be given.
    default: str | None
    required: bool
    about: str

    @property
    def variable(self) -> str:
        """The environment variable."""
        return "TIKTOK_ASSETS_" + "__".join(self.path).upper()


@dataclass(frozen=True)
class Section:
    """A table of the file; the first has no name."""

    path: tuple[str, ...]
    about: str
    settings: tuple[Setting, ...]

    @property
    def is_pattern(self) -> bool:
        """Whether there is one such table for each of something."""
        return any(name.startswith("<") for name in self.path)


def sections() -> list[Section]:
    """All settings, in the order of their declaration; those without a table first."""
    return list(_sections(Settings, (), ""))


def _sections(model: type[BaseModel], path: tuple[str, ...], about: str) -> Iterator[Section]:
    own = []
    inner = []
    for name, field in model.model_fields.items():
        kind = field.annotation
        if get_origin(kind) is dict and _is_model(get_args(kind)[1]):
            place = (*path, name, _KEYS[name])
            inner.append((get_args(kind)[1], place, field.description or ""))
        elif _is_model(kind):
            inner.append((kind, (*path, name), inspect.getdoc(kind) or ""))
        else:
            own.append(
                Setting(
                    (*path, name), _default(field), field.is_required(), field.description or ""
                )
            )
    if own:
        yield Section(path, about, tuple(own))
    for part, place, said in inner:
        yield from _sections(part, place, said)


def _is_model(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)


def _default(field: FieldInfo) -> str | None:
    if field.is_required():
        return None
    return _toml(field.get_default(call_default_factory=True))


def _toml(value: object) -> str | None:
    if value is None:
        return None
    if isinstance(value, SecretStr):
        value = value.get_secret_value()
    if isinstance(value, Path):
        value = str(value.relative_to(PROJECT_DIR) if value.is_absolute() else value)
    if isinstance(value, list):
        return f"[{', '.join(str(_toml(item)) for item in value)}]"
    return json.dumps(value, ensure_ascii=False)


def config_text() -> str:
    """A TOML file of all settings, each commented out and with its default."""
    return "\n".join(_config_lines()) + "\n"


def _config_lines() -> Iterator[str]:
    yield "# Settings of TikTok Assets. Take away the # before a line to change it; a line without"
    yield "# one goes before the default, an environment variable before both. Relative paths are"
    yield "# resolved against the folder of this file."
    for section in sections():
        if section.path:
            yield ""
            yield from _comment(section.about)
            yield f"{'#' if section.is_pattern else ''}[{'.'.join(section.path)}]"
        for setting in section.settings:
            yield ""
            yield from _comment(setting.about)
            yield f"#{setting.path[-1]} = {setting.default or '...'}"


def _comment(text: str) -> list[str]:
    plain = " ".join(text.split())
    return textwrap.wrap(plain, _WIDTH, initial_indent="# ", subsequent_indent="# ")


def page() -> str:
    """docs/configuration.md."""
    return "\n".join(_page_lines()) + "\n"


def _page_lines() -> Iterator[str]:
    yield "# Settings"
    yield ""
    yield "Made from their declarations by `make docs`; a test holds it current."
    yield ""
    yield (
        "All have defaults. They are read from the environment, then from `tiktok-assets.toml` in "
        "the project folder (or the file that `TIKTOK_ASSETS_CONFIG` names); `tiktok-assets init` "
        "writes that file with every setting commented out. Relative paths, wherever they are set, "
        "are resolved against the folder of that file. Lists in environment variables are JSON."
    )
    for section in sections():
        if section.path:
            yield ""
            yield f"## `[{'.'.join(section.path)}]`"
            yield ""
            yield " ".join(section.about.split())
        yield ""
        yield "| setting | default | environment variable | what it does |"
        yield "| --- | --- | --- | --- |"
        for setting in section.settings:
            default = f"`{setting.default}`" if setting.default else "unset"
            if setting.required:
                default = "must be given"
            cells = (f"`{setting.path[-1]}`", default, f"`{setting.variable}`", setting.about)
            yield f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


if __name__ == "__main__":
    print(page(), end="")
