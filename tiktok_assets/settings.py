"""Every setting of the project: its default, its environment variable, its line in the TOML file.

Precedence: arguments, then environment (`TIKTOK_ASSETS_<NAME>`, nested with `__`), then the file
`tiktok-assets.toml` in the project folder (or the one `TIKTOK_ASSETS_CONFIG` names), then defaults.

Relative paths, wherever they are set, are resolved against the folder of that file, so that they
mean the same for every process, whatever its working folder is. docs/configuration.md is made from
the fields' descriptions.
"""

from __future__ import annotations

import os
from collections.abc import Collection
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, field_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)
from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from analyzers.base import Analyzer, AnalyzerSettings
from analyzers.models import runtime
from analyzers.models.lending import ModelChoice
from analyzers.models.weights import ModelFiles
from analyzers.registry import analyzer_classes
from resources.gpu import visible_gpus
from resources.media import LadderSettings
from resources.url_settings import UrlSettings

PROJECT_DIR = Path(__file__).resolve().parents[1]
"""The checkout; all state lies below its `data/` unless configured otherwise."""
_PG_DRIVER = "postgresql+psycopg2"


def config_file() -> Path:
    """The TOML file of settings, which need not be there."""
    named = os.environ.get("TIKTOK_ASSETS_CONFIG")
    return Path(named).absolute() if named else PROJECT_DIR / "tiktok-assets.toml"


def _placed(path: Path) -> Path:
    return config_file().parent / path.expanduser()


def _placed_url(url: str) -> str:
    return str(_placed(Path(url))) if url and "://" not in url else url


Place = Annotated[Path, AfterValidator(_placed)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ModelSettings(_Part):
    """A model for a role, in place of the profile's."""

    model_id: str = Field(
        description="Id of the model in the manifest (`tiktok-assets models list`); empty: none, "
        "where analyzers can do without"
    )
    device: str = Field("auto", description="auto, cpu, cuda or cuda:N")
    runtime: str = Field("auto", description="auto, torch, openvino, onnxruntime, ctranslate2")

    def choice(self) -> ModelChoice:
        """The same, as the analyzers know it."""
        return ModelChoice(self.model_id, self.device, self.runtime)


class AnalyzerConfig(_Part):
    """One analyzer: on or off, its own settings, its models where they differ."""

    enabled: bool | None = Field(None, description="Unset: as the analyzer itself declares")
    settings: dict[str, object] = Field(
        default_factory=dict, description="Its own settings; docs/schema.md lists them"
    )
    models: dict[str, ModelSettings] = Field(
        default_factory=dict, description="The models of this analyzer alone, by role"
    )


class PeopleSettings(_Part):
    """What may be told of the people in a video."""

    apparent_age: bool = Field(
        True,
        description="Off (false) switches off what is guessed from a face: age, gender, emotion",
    )


class WatchSettings(_Part):
    """The folders in which new videos are dropped."""

    folders: list[Place] = Field(
        default_factory=list, description="Watched folders; none: `downloads` below data_dir"
    )
    settle_s: float = Field(
        5.0, ge=0, description="A file is taken when it did not change for so long"
    )
    most_runs_per_tick: int = Field(20, ge=1, description="Videos taken at a time")
    tick_budget_s: float = Field(
        20.0, gt=0, le=50, description="No further file is begun after so long"
    )


class ApiSettings(_Part):
    """The HTTP API that `tiktok-assets up` and `tiktok-assets serve` start."""

    host: str = Field(
        "127.0.0.1", description="Address it listens on; any other than loopback needs a token"
    )
    port: int = Field(8000, ge=0, le=65535, description="Its port; 0: it is not started by `up`")
    token: SecretStr = Field(
        SecretStr(""), description="Asked for as `Authorization: Bearer <token>`; empty: none"
    )
    roots: list[Place] = Field(
        default_factory=list,
        description="Folders that videos may be analyzed from by their path; none: those watched",
    )
    wait_s: float = Field(600.0, gt=0, description="POST /analyze waits so long at most")


class RetentionSettings(_Part):
    """What `tiktok-assets housekeeping` and its schedule remove."""

    results_days: int = Field(
        0,
        ge=0,
        description="Videos whose newest result is older are removed, with their file in the "
        "library; 0: never",
    )
    runs_days: int = Field(
        30, ge=0, description="Dagster's runs that are older are removed, once others stand in "
        "their place; 0: never"
    )  # fmt: skip
    rejected_days: int = Field(
        30, ge=0, description="Files put aside as no videos are removed after so long; 0: never"
    )


#: The analyzers that guess at a person from the face.
_GUESS_FROM_FACES = {"age_estimation", "face_emotion"}


class StageLimits(_Part):
    """How many analyzers of a stage run at once within a run."""

    heavy_gpu: int = Field(1, ge=1, description="Models that want a GPU for themselves")
    medium_gpu: int = Field(6, ge=1, description="Detectors, OCR, speech recognition")
    light_gpu: int = Field(7, ge=1, description="Small networks")
    fast: int = Field(10, ge=1, description="Signal processing, and what joins other results")


class Settings(BaseSettings):
    """All settings. Unknown names are refused, so that a slip of the pen is not lost."""

    model_config = SettingsConfigDict(
        env_prefix="TIKTOK_ASSETS_", env_nested_delimiter="__", extra="forbid", frozen=True
    )

    data_dir: Place = Field(PROJECT_DIR / "data", description="All state lies below this folder")
    models_dir: Place | None = Field(None, description="Models' weights; unset: below data_dir")
    models_mirror: Annotated[str, AfterValidator(_placed_url)] = Field(
        "",
        description="Asked first by `models pull`, for networks without a way out: a copy of "
        "another machine's models folder, as a folder or an http(s) URL",
    )
    hub_endpoint: str = Field(
        "",
        description="URL of a proxy that speaks the model hub's file scheme; empty: HF_ENDPOINT's, "
        "or the hub itself",
    )
    results_url: Annotated[str, AfterValidator(_placed_url)] = Field(
        "", description="Where results go, any fsspec URL; empty: `results` below data_dir"
    )
    reports_url: Annotated[str, AfterValidator(_placed_url)] = Field(
        "", description="Where reports go, any fsspec URL; empty: `reports` below data_dir"
    )
    broker_url: str = Field(
        "",
        description="Where runs wait for a worker, e.g. redis://host:6379/0; empty: a folder",
    )
    database_url: SecretStr = Field(
        SecretStr(""),
        description="Postgres in which Dagster keeps runs and events, for several machines: "
        "postgresql://user:password@host/name; empty: SQLite below data_dir",
    )
    profile: Literal["embedded", "full"] = Field(
        "embedded", description="Which models stand behind the analyzers"
    )
    models: dict[str, ModelSettings] = Field(
        default_factory=dict, description="Models by role, in place of the profile's"
    )
    analyzers: dict[str, AnalyzerConfig] = Field(
        default_factory=dict, description="Analyzers by name, where they differ from the defaults"
    )
    people: PeopleSettings = PeopleSettings()
    workers: int = Field(
        0,
        ge=0,
        description="Workers for analysis that `tiktok-assets up` starts, each with runs of its "
        "own; 0: one for each NVIDIA GPU, or one",
    )
    deterministic: bool = Field(
        False,
        description="On a GPU: only kernels that give the same bits every time, which is slower; "
        "off: TensorFloat-32 and whatever kernel is fastest",
    )
    stage_limits: StageLimits = StageLimits()
    max_concurrent_steps: int = Field(
        0, ge=0, description="Steps of a run at once, all stages together; 0: follow the cores"
    )
    ladder: LadderSettings = LadderSettings()
    frame_cache_gb: float = Field(20.0, gt=0, description="Bound of the frame cache on disk")
    min_free_gb: float = Field(
        5.0, ge=0, description="With less than this free on the disk nothing new is begun"
    )
    watch: WatchSettings = WatchSettings()
    urls: UrlSettings = UrlSettings()
    retention: RetentionSettings = RetentionSettings()
    api: ApiSettings = ApiSettings()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments, environment, TOML file."""
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls, config_file())

    @field_validator("database_url")
    @classmethod
    def _with_driver(cls, url: SecretStr) -> SecretStr:
        """SQLAlchemy 2.1 would take psycopg 3 for `postgresql://`; dagster-postgres cannot."""
        if not url.get_secret_value():
            return url
        try:
            parsed = make_url(url.get_secret_value())
        except ArgumentError:
            raise ValueError("it is no URL such as postgresql://user:password@host/name") from None
        if parsed.drivername not in ("postgres", "postgresql", _PG_DRIVER):
            raise ValueError(f"{parsed.drivername}:// is no Postgres with the driver psycopg2")
        return SecretStr(parsed.set(drivername=_PG_DRIVER).render_as_string(hide_password=False))

    @field_validator("urls")
    @classmethod
    def _placed_lists(cls, urls: UrlSettings) -> UrlSettings:
        cookies = urls.cookies_file and _placed(urls.cookies_file)
        lists = [_placed(path) for path in urls.lists]
        return urls.model_copy(update={"lists": lists, "cookies_file": cookies})

    def files(self) -> ModelFiles:
        """The models' weights on this machine."""
        return ModelFiles(self.models_dir or self.data_dir / "models")

    def export(self) -> None:
        """Tell child processes, and what does not know these settings, where all is."""
        os.environ["TIKTOK_ASSETS_DATA_DIR"] = str(self.data_dir.resolve())
        if "TIKTOK_ASSETS_CONFIG" in os.environ:
            os.environ["TIKTOK_ASSETS_CONFIG"] = str(config_file())
        os.environ[runtime.DETERMINISTIC] = str(int(self.deterministic))
        if url := self.database_url.get_secret_value():
            os.environ["TIKTOK_ASSETS_DATABASE_URL"] = url  # dagster.postgres.yaml reads it

    def dagster_home(self) -> Path:
        """The folder of the dagster.yaml in force; it is made where it is missing."""
        if not self.database_url.get_secret_value():
            return PROJECT_DIR
        home = self.data_dir.resolve() / "dagster" / "postgres"
        home.mkdir(parents=True, exist_ok=True)
        wanted = PROJECT_DIR / "dagster.postgres.yaml"
        place = home / "dagster.yaml"
        if not place.is_symlink() or place.readlink() != wanted:
            new = home / f".dagster.yaml.{os.getpid()}"
            new.symlink_to(wanted)
            new.replace(place)  # whole at any time: several processes start at once
        return home

    def worker_count(self) -> int:
        """How many workers analyze: `workers`, or one for each visible GPU, or one."""
        return self.workers or max(1, len(visible_gpus()))

    @property
    def watched_folders(self) -> list[Path]:
        """The folders in which new videos are dropped."""
        return self.watch.folders or [self.data_dir / "downloads"]

    @property
    def url_lists(self) -> list[Path]:
        """The lists of URLs that the download job reads."""
        return self.urls.lists or [self.data_dir / "urls.txt", self.data_dir / "urls.csv"]

    @property
    def api_roots(self) -> list[Path]:
        """The folders that the HTTP API may be asked to read files of."""
        return self.api.roots or self.watched_folders

    @property
    def results(self) -> str:
        """The results' URL in force."""
        return self.results_url or str(self.data_dir / "results")

    @property
    def reports(self) -> str:
        """The reports' URL in force."""
        return self.reports_url or str(self.data_dir / "reports")

    def enabled(self) -> dict[str, type[Analyzer]]:
        """The analyzers that are switched on, by name.

        Raises `LookupError` for a configured name that no analyzer has, and where one that is on
        requires one that is off.
        """
        classes = analyzer_classes()
        if unknown := self.analyzers.keys() - classes.keys():
            raise LookupError(
                f"settings name unknown analyzers: {', '.join(sorted(unknown))}; "
                f"there are {', '.join(sorted(classes))}"
            )
        enabled = {name: cls for name, cls in classes.items() if self._is_enabled(name, cls)}
        for name, cls in enabled.items():
            if off := [required for required in cls.requires if required not in enabled]:
                raise LookupError(
                    f"the analyzer {name} requires {', '.join(off)}, which is switched off: "
                    f"switch that on, or {name} off as well"
                )
        return enabled

    def with_required(self, names: Collection[str]) -> dict[str, type[Analyzer]]:
        """Some analyzers and all that they rest on, by name.

        Raises `LookupError` for a name of none that is switched on.
        """
        enabled = self.enabled()
        if unknown := set(names) - enabled.keys():
            raise LookupError(
                f"no such analyzer is switched on: {', '.join(sorted(unknown))}; "
                f"there are {', '.join(sorted(enabled))}"
            )
        wanted: dict[str, type[Analyzer]] = {}
        todo = list(names)
        while todo:
            name = todo.pop()
            if name not in wanted:
                wanted[name] = enabled[name]
                todo += enabled[name].requires
        return wanted

    def _is_enabled(self, name: str, cls: type[Analyzer]) -> bool:
        if name in _GUESS_FROM_FACES and not self.people.apparent_age:
            return False  # whatever else is configured: some may not use them
        configured = self.analyzers.get(name, AnalyzerConfig()).enabled
        return cls.enabled_by_default if configured is None else configured

    def analyzer_settings(self, cls: type[Analyzer]) -> AnalyzerSettings:
        """An analyzer's own settings, checked against its declaration."""
        return cls.Settings(**self.analyzers.get(cls.name, AnalyzerConfig()).settings)

    def role_choices(self) -> dict[str, ModelChoice]:
        """Models by role, where they differ from the profile's."""
        return {role: chosen.choice() for role, chosen in self.models.items()}

    def model_choices(self, cls: type[Analyzer]) -> dict[str, ModelChoice]:
        """Models this analyzer is configured to take, by role, where they differ from the rest."""
        own = self.analyzers.get(cls.name, AnalyzerConfig()).models
        return {role: chosen.choice() for role, chosen in own.items()}
