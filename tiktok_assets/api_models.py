"""What the HTTP API takes and gives."""

from __future__ import annotations

from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field, model_validator


class AnalyzeRequest(BaseModel):
    """One video, by its file or its URL."""

    model_config = ConfigDict(extra="forbid")

    video_path: str | None = Field(
        None, description="A file below one of the folders of the setting `api.roots`; a relative "
        "path is below the first of them",
    )  # fmt: skip
    url: str | None = Field(None, description="Where the video is to be downloaded from")
    tiktok_url: str | None = Field(None, description="The same as `url`")
    analyzers: list[str] = Field(
        default_factory=list,
        description="Only these, and what they require; none: all. What comes from a URL is "
        "analyzed in full, and the answer counts these",
    )
    wait: bool = Field(True, description="Answer when it is done; else at once, with the job")
    timeout_s: float | None = Field(
        None, gt=0, le=86_400, description="Wait at most so long (setting `api.wait_s`)"
    )
    again: bool = Field(
        False, description="Also where an analysis that succeeded stands, or one is under way"
    )

    @model_validator(mode="after")
    def _names_one(self) -> AnalyzeRequest:
        if len([given for given in (self.video_path, self.url, self.tiktok_url) if given]) != 1:
            raise ValueError("name one of video_path, url and tiktok_url")
        return self

    @property
    def source_url(self) -> str | None:
        """The URL, by whichever of its two names."""
        return self.url or self.tiktok_url


class JobState(StrEnum):
    """How far a job is. It is done when the video's document is there."""

    QUEUED = "queued"
    DOWNLOADING = "downloading"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELED = "canceled"

    @property
    def ended(self) -> bool:
        """Whether it will not change any more."""
        return self in (JobState.DONE, JobState.FAILED, JobState.CANCELED)


class Job(BaseModel):
    """An analysis that was asked for, and what came of it."""

    job_id: str
    state: JobState
    video_id: str | None = None
    url: str | None = None
    #: Why it failed, or what is to be known of it, in a sentence.
    message: str | None = None
    successful_analyzers: int | None = None
    total_analyzers: int | None = None
    #: By name, why an analyzer has no result.
    failed_analyzers: dict[str, str] = Field(default_factory=dict)
    processing_time_seconds: float | None = Field(
        None, description="Work of all analyzers added up; some run at once"
    )
    realtime_factor: float | None = Field(None, description="Seconds of video per second of work")
    results_file: str | None = Field(None, description="The document, as JSON")
    report_file: str | None = Field(None, description="The report, as HTML, where it was made")


class GpuMemory(BaseModel):
    """The first GPU."""

    name: str
    memory_used_bytes: int
    memory_total_bytes: int


class Health(BaseModel):
    """Whether work can be done."""

    status: str = Field(description="`ok`, or `degraded` with the problems")
    active_analyzers: int = Field(description="Analyzers that are switched on")
    gpu: GpuMemory | None
    problems: list[str]


class AnalyzerInfo(BaseModel):
    """One analyzer."""

    family: str
    stage: str
    description: str
    requires: list[str]


class AnalyzerList(BaseModel):
    """The analyzers that are switched on."""

    analyzers: list[str]
    total: int
    details: dict[str, AnalyzerInfo]
