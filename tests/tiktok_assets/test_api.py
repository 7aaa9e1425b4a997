"""The HTTP API on a real Dagster webserver, both in this process."""

import sys

import dagster as dg
import pytest
from dagster._core.remote_origin import InProcessCodeLocationOrigin
from dagster._core.test_utils import InProcessTestWorkspaceLoadTarget
from dagster._core.types.loadable_target_origin import LoadableTargetOrigin
from dagster._core.workspace.context import WorkspaceProcessContext
from dagster_graphql import DagsterGraphQLClient
from dagster_webserver.app import create_app_from_workspace_process_context
from fastapi.testclient import TestClient
from gql.transport import Transport
from graphql import ExecutionResult

from resources.media import MediaLibrary
from resources.report_store import ReportStore
from resources.result_store import ResultStore
from resources.url_queue import UrlQueue
from tests.made_media import write_video
from tiktok_assets.api import create_app
from tiktok_assets.api_exposure import Exposed, check_exposed
from tiktok_assets.api_jobs import AnalysisJobs
from tiktok_assets.dagster_client import Launcher, NotLaunched, webserver
from tiktok_assets.settings import ApiSettings, Settings
from tiktok_assets.up import up
from tiktok_assets.watched import drop_folder

HERE = "http://127.0.0.1:8000"


class ThisProcess(Transport):
    """GraphQL to a webserver in this process."""

    def __init__(self, server: TestClient) -> None:
        self._server = server

    def execute(self, request, *_, **__):
        answer = self._server.post("/graphql", json=request.payload).json()
        return ExecutionResult(answer.get("data"), answer.get("errors"))


@pytest.fixture
def instance():
    """Runs are done by whoever launches them, in this process."""
    launcher = {
        "module": "dagster._core.launcher.sync_in_memory_run_launcher",
        "class": "SyncInMemoryRunLauncher",
    }
    coordinator = {
        "module": "dagster._core.run_coordinator",
        "class": "DefaultRunCoordinator",
    }
    # Ending the `tail` processes of the compute logs took 30 s each in runs of all tests.
    no_logs = {
        "module": "dagster._core.storage.noop_compute_log_manager",
        "class": "NoOpComputeLogManager",
    }
    settings = {
        "run_launcher": launcher,
        "run_coordinator": coordinator,
        "compute_logs": no_logs,
    }
    with dg.instance_for_test(overrides=settings) as instance:
        yield instance


class Dagster:
    """Starts runs through a real webserver; after analyze, finish, as the sensor would."""

    def __init__(self, launcher: Launcher) -> None:
        self._launcher = launcher
        self.finishes = True
        self.launched: list[str] = []

    def __call__(self, job, tags=None, assets=None):
        self.launched.append(job)
        run_id = self._launcher(job, tags, assets)
        if job == "analyze" and self.finishes:
            self._launcher("finish", tags)
        return run_id


@pytest.fixture
def dagster(settings, instance):
    target = LoadableTargetOrigin(
        executable_path=sys.executable,
        module_name="tests.tiktok_assets.made_analyzers",
        attribute="made_definitions",
    )
    workspace = InProcessTestWorkspaceLoadTarget(InProcessCodeLocationOrigin(target))
    with WorkspaceProcessContext(instance, workspace) as context:
        server = TestClient(create_app_from_workspace_process_context(context))
        yield Dagster(Launcher(lambda: DagsterGraphQLClient("here", transport=ThisProcess(server))))


@pytest.fixture
def folder(settings):
    found = settings.watched_folders[0]
    found.mkdir(parents=True)
    return found


@pytest.fixture
def api(settings, instance, dagster, folder):
    return TestClient(create_app(settings, instance, dagster), base_url=HERE)


@pytest.fixture
def unlaunched(settings, folder):
    """An API whose Dagster cannot be reached."""
    launcher = Launcher(webserver("http://127.0.0.1:9"))
    with dg.DagsterInstance.ephemeral() as instance:
        yield TestClient(create_app(settings, instance, launcher), base_url=HERE)


def test_a_video_is_analyzed_and_its_results_are_told(api, dagster, folder, settings, instance):
    clip = write_video(folder / "clip.mp4")
    answer = api.post("/analyze", json={"video_path": str(clip)})
    job = answer.json()
    assert answer.status_code == 200, job
    assert job["state"] == "done"
    assert job["total_analyzers"] == 7  # the shared product is none, and one is off
    assert job["successful_analyzers"] == 4
    assert "the lens cap is on" in job["failed_analyzers"]["breaks"]
    assert job["processing_time_seconds"] > 0
    assert job["realtime_factor"] > 0
    assert job["results_file"] == ResultStore(url=settings.results).location(
        "production_document", "json", job["video_id"]
    )
    assert job["report_file"] == ReportStore(url=settings.reports).location(job["video_id"])
    assert api.get(f"/jobs/{job['job_id']}").json() == job
    document = api.get(f"/results/{job['video_id']}").json()
    assert document["metadata"]["successful_analyzers"] == job["successful_analyzers"]
    assert document["analyzer_results"]["brightness"]["segments"]

    page = api.get(f"/results/{job['video_id']}/report")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert page.headers["content-security-policy"].startswith("default-src 'none'")
    assert "the lens cap is on" in page.text

    # As after an analysis whose report could not be written: the one that stands is older.
    event = dg.AssetMaterialization("production_document", partition=job["video_id"])
    instance.report_runless_asset_event(event)
    without = api.get(f"/jobs/{job['job_id']}").json()
    assert without["state"] == "done"
    assert without["report_file"] is None
    assert without["message"].startswith("The report was not written")

    ReportStore(url=settings.reports).remove(job["video_id"])
    gone = api.get(f"/results/{job['video_id']}/report")
    assert gone.status_code == 404
    assert gone.json()["detail"].startswith(f"no report of {job['video_id']}; materialize report")


def test_waiting_has_an_end_and_what_is_under_way_is_not_begun_twice(
    api, dagster, folder, instance
):
    dagster.finishes = False  # as long as the sensor has not looked
    write_video(folder / "clip.mp4")
    asked = {"video_path": "clip.mp4", "analyzers": ["silent"], "timeout_s": 0.6}
    answer = api.post("/analyze", json=asked)
    assert answer.status_code == 202
    job = answer.json()
    assert job["state"] == "running"
    assert job["results_file"] is None
    run = instance.get_run_by_id(job["job_id"])
    made = {key.to_user_string() for key in run.asset_selection}
    assert made == {"video", "frames", "audio", "silent"}
    assert api.post("/analyze", json=asked | {"wait": False}).json() == job

    dagster("finish", {"dagster/partition": job["video_id"]})
    done = api.post("/analyze", json=asked).json()
    assert (done["state"], done["job_id"]) == ("done", job["job_id"])
    assert (done["successful_analyzers"], done["total_analyzers"]) == (1, 1)
    assert dagster.launched == ["analyze", "finish"]


def test_a_video_that_fails_says_why(api, dagster, settings, instance, tmp_path):
    file = tmp_path / "broken.mp4"
    file.write_bytes(b"not a video at all" * 100)
    video_id = MediaLibrary(settings.data_dir).register(file)
    dagster.finishes = False
    job = AnalysisJobs(settings, instance, dagster).start(video_id, ["silent"])
    told = api.get(f"/jobs/{job.job_id}").json()
    assert told["state"] == "failed"
    assert "broken.mp4" in told["message"]


_REFUSED = [
    ({"video_path": "../secret.mp4"}, 403, "not below a folder"),
    ({"video_path": "/etc/passwd"}, 403, "not below a folder"),
    ({"video_path": "sub/../../secret.mp4"}, 403, "not below a folder"),
    ({"video_path": "link.mp4"}, 403, "not below a folder"),
    ({"video_path": "linked/secret.mp4"}, 403, "not below a folder"),
    ({"video_path": "a\0b"}, 403, "not below a folder"),
    ({"video_path": "missing.mp4"}, 404, "no file"),
    ({"video_path": "."}, 404, "no file"),
    ({"video_path": "notes.mp4"}, 422, "notes.mp4"),
    ({"video_path": "notes.mp4", "analyzers": ["nonsense"]}, 422, "nonsense"),
    ({"url": "https://unknown.example/1"}, 422, "not on the list"),
    ({"tiktok_url": "file:///etc/passwd"}, 422, "no http"),
    ({}, 422, "name one of"),
    ({"video_path": "a.mp4", "url": "https://tiktok.com/1"}, 422, "name one of"),
    ({"video": "a.mp4"}, 422, "video"),
]


def test_what_is_refused(unlaunched, folder, tmp_path):
    secret = tmp_path / "outside"
    secret.mkdir()
    (secret / "secret.mp4").write_bytes(b"secret")
    (folder.parent / "secret.mp4").write_bytes(b"secret")
    (folder / "link.mp4").symlink_to(secret / "secret.mp4")
    (folder / "linked").symlink_to(secret)
    (folder / "notes.mp4").write_text("no video")
    for asked, code, says in _REFUSED:
        answer = unlaunched.post("/analyze", json=asked)
        assert answer.status_code == code, asked
        assert says in answer.text, asked


def test_dagster_that_does_not_answer_is_told(unlaunched, folder, settings):
    write_video(folder / "clip.mp4")
    answer = unlaunched.post("/analyze", json={"video_path": "clip.mp4"})
    assert answer.status_code == 503
    assert "tiktok-assets up" in answer.json()["detail"]


def test_a_full_disk_is_told(settings, folder, monkeypatch):
    monkeypatch.setenv("TIKTOK_ASSETS_MIN_FREE_GB", "1e9")
    with dg.DagsterInstance.ephemeral() as instance:
        api = TestClient(create_app(Settings(), instance, lambda *_: ""), base_url=HERE)
        assert api.post("/analyze", json={"video_path": "clip.mp4"}).status_code == 507


def test_unknown_jobs_and_videos(unlaunched):
    for name in ("nothing", "url-nothing", "url-WzEsMl0"):
        assert unlaunched.get(f"/jobs/{name}").status_code == 404
    for name in ("nothing-1", "..%2F..%2Fsecret"):
        assert unlaunched.get(f"/results/{name}").status_code == 404
    for name in ("%2e%2e", "a.b", "A", "a%00"):
        assert unlaunched.get(f"/results/{name}").status_code == 422


def test_a_url_goes_to_the_downloader_and_its_job_is_followed(
    settings, instance, folder, video_id, tmp_path
):
    launched = []
    api = TestClient(
        create_app(settings, instance, lambda job, *_: launched.append(job) or "id"), base_url=HERE
    )
    url = "https://www.tiktok.com/@someone/video/1"
    answer = api.post("/analyze", json={"tiktok_url": url, "wait": False})
    assert answer.status_code == 202
    job_id = answer.json()["job_id"]
    assert launched == ["download"]
    queue = UrlQueue(settings.data_dir / "state" / "urls.sqlite")

    def state():
        told = api.get(f"/jobs/{job_id}").json()
        assert (told["job_id"], told["url"]) == (job_id, url)
        return told["state"], told["message"]

    assert state() == ("queued", None)
    assert queue.take().url == url
    assert state() == ("downloading", None)
    queue.failed(url, "private", "it is private")
    assert state() == ("failed", "it is private")
    api.post("/analyze", json={"url": url, "wait": False})  # a new attempt
    assert state()[0] == "queued"
    queue.done(url, ["Made Clip.mp4"])
    assert state() == (
        "failed",
        "The downloaded file Made Clip.mp4 was put aside as no video, or removed.",
    )
    write_video(folder / "Made Clip.mp4")
    assert state() == ("queued", None)
    drops = drop_folder(settings)
    seen = drops.look({}, lambda _: False, 5, 1e12).sightings
    drops.look(seen, lambda _: False, 5, 1e12, now_s=lambda: 1e11)
    assert state() == ("queued", None)  # its run is requested next
    run = dg.DagsterRun(job_name="analyze", run_id="f" * 32, status=dg.DagsterRunStatus.STARTED,
                        tags={"dagster/partition": video_id})  # fmt: skip
    instance.add_run(run)
    assert state() == ("running", None)


def test_a_token_is_asked_for(settings, instance, monkeypatch):
    monkeypatch.setenv("TIKTOK_ASSETS_API__TOKEN", "sesame")
    monkeypatch.setenv("TIKTOK_ASSETS_API__HOST", "0.0.0.0")
    settings = Settings()
    check_exposed(settings.api)
    api = TestClient(create_app(settings, instance, lambda *_: ""))  # any name of the machine
    places = ["/analyzers", "/health", "/metrics", "/jobs/x", "/results/x"]
    for place in places:
        assert api.get(place).status_code == 401
        wrong = {"Authorization": "Bearer sesam"}
        assert api.get(place, headers=wrong).status_code == 401
    assert api.post("/analyze", json={"video_path": "x"}).status_code == 401
    right = {"Authorization": "Bearer sesame"}
    assert api.get("/analyzers", headers=right).status_code == 200
    assert "sesame" not in repr(settings)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "this-machine"])
def test_it_is_not_open_to_others_without_a_token(host):
    with pytest.raises(Exposed, match="without a token"):
        check_exposed(ApiSettings(host=host))


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost"])
def test_this_machine_needs_no_token(host):
    check_exposed(ApiSettings(host=host))


def test_a_page_that_takes_our_address_for_its_own_is_not_answered(unlaunched):
    assert unlaunched.get("/analyzers", headers={"Host": "evil.example"}).status_code == 400


def test_analyzers_health_and_metrics(unlaunched):
    told = unlaunched.get("/analyzers").json()
    assert told["total"] == len(told["analyzers"]) == 7
    assert told["details"]["needs"]["requires"] == ["breaks"]
    health = unlaunched.get("/health").json()
    assert health["status"] == "degraded"
    assert "No worker runs." in health["problems"]
    assert health["active_analyzers"] == 7
    assert "gpu" in health
    metrics = unlaunched.get("/metrics")
    assert metrics.headers["content-type"].startswith("text/plain")
    assert 'tiktok_assets_analyzer_results{analyzer="brightness"} 0.0' in metrics.text


def test_the_page_needs_nothing_from_elsewhere(unlaunched):
    page = unlaunched.get("/docs")
    assert page.status_code == 200
    assert "https://" not in page.text
    for name in ("swagger-ui-bundle.js", "swagger-ui.css"):
        assert len(unlaunched.get(f"/swagger/{name}").content) > 100_000
    described = unlaunched.get("/openapi.json").json()["paths"]
    assert {"/analyze", "/jobs/{job_id}", "/health", "/analyzers", "/results/{video_id}",
            "/results/{video_id}/report", "/metrics"} == described.keys()  # fmt: skip


def test_a_launcher_without_a_webserver_says_so():
    with pytest.raises(NotLaunched, match="did not start analyze"):
        Launcher(webserver("http://127.0.0.1:9"))("analyze")


def test_up_does_not_start_what_would_be_open_to_others(settings, monkeypatch):
    monkeypatch.setenv("TIKTOK_ASSETS_API__HOST", "0.0.0.0")
    monkeypatch.setenv("DAGSTER_HOME", "")  # `up` sets it before it looks
    with pytest.raises(Exposed, match="without a token"):
        up(api_port=8000)
    assert not (settings.data_dir / "state").exists()
