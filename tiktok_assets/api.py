"""The HTTP API, for scripts: it starts runs through Dagster and holds no state of its own."""

from __future__ import annotations

import asyncio
import inspect
import secrets
import time
from collections.abc import Callable
from functools import partial
from typing import Annotated, Any

import dagster as dg
import uvicorn
from fastapi import Depends, FastAPI, HTTPException, Request, Response, Security
from fastapi import Path as PathParameter
from fastapi.responses import HTMLResponse, JSONResponse
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from fastapi_swagger import patch_fastapi
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.concurrency import run_in_threadpool
from starlette.middleware.trustedhost import TrustedHostMiddleware

from resources.decode_child import MediaError
from resources.disk import too_full
from resources.gpu import gpus
from resources.media import MediaLibrary
from resources.probe import check_opens
from resources.report_store import ReportMissing, ReportStore
from resources.result_store import ResultMissing, ResultStore
from tiktok_assets.api_exposure import check_exposed, is_loopback
from tiktok_assets.api_jobs import AnalysisJobs, Launch, UnknownJob
from tiktok_assets.api_models import (
    AnalyzeRequest,
    AnalyzerInfo,
    AnalyzerList,
    GpuMemory,
    Health,
    Job,
    JobState,
)
from tiktok_assets.api_paths import NoSuchFile, PathRefused, allowed_file
from tiktok_assets.api_urls import PREFIX, UrlJobs, UrlRefused
from tiktok_assets.dagster_client import Launcher, NotLaunched, webserver
from tiktok_assets.document import NAME as DOCUMENT
from tiktok_assets.metrics import registry
from tiktok_assets.report.page import CONTENT_SECURITY_POLICY
from tiktok_assets.settings import ApiSettings, Settings
from tiktok_assets.snapshot import Snapshot
from tiktok_assets.status import collect
from tiktok_assets.watchdog import living

_POLL_S = 0.5
_STOP_S = 3
_bearer = HTTPBearer(auto_error=False, description="The setting api.token, where it is set")
#: What a report may do in a browser: show itself.
_PAGE_HEADERS = {
    "Content-Security-Policy": f"{CONTENT_SECURITY_POLICY}; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}
_LOCAL_NAMES = ["localhost", "127.0.0.1", "::1", "[::1]"]
#: Which status code stands for which error of ours.
_CODES: dict[type[Exception], int] = {
    PathRefused: 403,
    NoSuchFile: 404,
    ResultMissing: 404,
    ReportMissing: 404,
    UnknownJob: 404,
    MediaError: 422,
    UrlRefused: 422,
    NotLaunched: 503,
}
_ANSWERS: dict[int | str, dict[str, Any]] = {
    code: {"description": about}
    for code, about in (
        (202, "It goes on: ask for the job"),
        (403, "The path is below none of the allowed folders"),
        (404, "No such file, job or video"),
        (422, "It cannot be analyzed; `message` or `detail` says why"),
        (503, "Dagster does not answer"),
        (507, "Too little room on the disk"),
    )
}


def serve(settings: Settings, dagster_address: str, port: int) -> None:
    """Run the API until it is stopped."""
    check_exposed(settings.api)
    with dg.DagsterInstance.get() as instance:
        app = create_app(settings, instance, Launcher(webserver(dagster_address)))
        uvicorn.run(
            app,
            host=settings.api.host,
            port=port,
            log_level="warning",
            timeout_graceful_shutdown=_STOP_S,  # whoever waits for a video can ask again
        )


def create_app(settings: Settings, instance: dg.DagsterInstance, launch: Launch) -> FastAPI:
    """The API as an ASGI application."""
    app = FastAPI(
        title="TikTok Assets",
        description="Starts analyses of short videos and gives their results.",
        docs_url=None,  # FastAPI's own page comes from a CDN
        redoc_url=None,
        swagger_ui_oauth2_redirect_url=None,
    )
    if is_loopback(settings.api.host):
        # A page of the internet that gives its own name our address is not to reach us.
        app.add_middleware(TrustedHostMiddleware, allowed_hosts=_LOCAL_NAMES, www_redirect=False)
    for kind, code in _CODES.items():
        app.add_exception_handler(kind, _told_as(code))
    guarded = [Depends(_token_check(settings.api))]
    analyses = AnalysisJobs(settings, instance, launch)
    urls = UrlJobs(settings, instance, launch, analyses)
    library = MediaLibrary(settings.data_dir, settings.ladder)
    results, reports = ResultStore(url=settings.results), ReportStore(url=settings.reports)
    metrics = registry(Snapshot(partial(collect, settings, instance)).latest)

    def start(request: AnalyzeRequest) -> Job:
        if unknown := set(request.analyzers) - settings.enabled().keys():
            raise HTTPException(422, f"There are no analyzers {', '.join(sorted(unknown))}.")
        if full := too_full(settings.data_dir, settings.min_free_gb):
            raise HTTPException(507, full)
        if request.source_url is not None:
            return urls.start(request.source_url, request.analyzers)
        path = allowed_file(request.video_path or "", settings.api_roots)
        check_opens(path, library.limits)
        return analyses.start(library.register(path), request.analyzers, request.again)

    def look(job_id: str) -> Job:
        return urls.look(job_id) if job_id.startswith(PREFIX) else analyses.look(job_id)

    @app.post("/analyze", dependencies=guarded, responses=_ANSWERS)
    async def analyze(request: AnalyzeRequest, response: Response) -> Job:
        """Analyze a video, and answer when its document is there or the time is over."""
        job = await run_in_threadpool(start, request)
        until = time.monotonic() + (request.timeout_s or settings.api.wait_s)
        while request.wait and not job.state.ended and time.monotonic() < until:
            await asyncio.sleep(_POLL_S)
            job = await run_in_threadpool(look, job.job_id)
        if not job.state.ended:
            response.status_code = 202
        elif job.state is not JobState.DONE and request.wait:
            response.status_code = 422
        return job

    @app.get("/jobs/{job_id}", dependencies=guarded)
    def job(job_id: Annotated[str, PathParameter(pattern=r"^[\w-]+$", max_length=8000)]) -> Job:
        """How far a job is, and when it is done, what came of it."""
        return look(job_id)

    @app.get("/results/{video_id}", dependencies=guarded, response_class=JSONResponse)
    def document(
        video_id: Annotated[str, PathParameter(pattern=r"^[a-z0-9-]+$", max_length=200)],
    ) -> JSONResponse:
        """A video's document: every analyzer's results, second by second."""
        return JSONResponse(results.read_json(DOCUMENT, video_id))

    @app.get("/results/{video_id}/report", dependencies=guarded, response_class=HTMLResponse)
    def report(
        video_id: Annotated[str, PathParameter(pattern=r"^[a-z0-9-]+$", max_length=200)],
    ) -> HTMLResponse:
        """A video's report: one page for people, which loads nothing else."""
        return HTMLResponse(reports.read(video_id), headers=_PAGE_HEADERS)

    @app.get("/analyzers", dependencies=guarded)
    def analyzers() -> AnalyzerList:
        """The analyzers that are switched on."""
        found = {
            name: AnalyzerInfo(
                family=cls.family.value,
                stage=cls.stage.value,
                description=(inspect.getdoc(cls) or "").split("\n\n")[0],
                requires=list(cls.requires),
            )
            for name, cls in sorted(settings.enabled().items())
            if not cls.shared_product
        }
        return AnalyzerList(analyzers=list(found), total=len(found), details=found)

    @app.get("/health", dependencies=guarded)
    def health() -> Health:
        """Whether work can be done, and what stands in its way."""
        problems = _problems(settings, instance)
        first = next(iter(gpus()), None)
        return Health(
            status="degraded" if problems else "ok",
            active_analyzers=analyzers().total,
            gpu=first and GpuMemory.model_validate(first, from_attributes=True),
            problems=problems,
        )

    @app.get("/metrics", dependencies=guarded, response_class=Response)
    def prometheus() -> Response:
        """The project's status, for Prometheus."""
        return Response(generate_latest(metrics), media_type=CONTENT_TYPE_LATEST)

    patch_fastapi(app)
    return app


def _problems(settings: Settings, instance: dg.DagsterInstance) -> list[str]:
    """What stands in the way of work."""
    problems = []
    daemons = instance.get_daemon_statuses().items()
    if lost := sorted(name for name, s in daemons if s.required and not s.healthy):
        problems.append(f"Dagster's daemon does not run: {', '.join(lost)}.")
    workers = (settings.data_dir / "state" / "workers").glob("*")
    if not settings.broker_url and not any(living(folder) for folder in workers):
        problems.append("No worker runs.")  # with a broker they may be on other machines
    if full := too_full(settings.data_dir, settings.min_free_gb):
        problems.append(full)
    return problems


def _told_as(code: int) -> Callable[[Request, Exception], JSONResponse]:
    def answer(_: Request, error: Exception) -> JSONResponse:
        return JSONResponse({"detail": str(error)}, status_code=code)

    return answer


def _token_check(settings: ApiSettings) -> Callable[..., None]:
    token = settings.token.get_secret_value()

    def check(given: Annotated[HTTPAuthorizationCredentials | None, Security(_bearer)]) -> None:
        said = given.credentials if given is not None else ""
        if token and not secrets.compare_digest(said.encode(), token.encode()):
            way_in = {"WWW-Authenticate": "Bearer"}
            raise HTTPException(401, "The token is missing or wrong.", way_in)

    return check
