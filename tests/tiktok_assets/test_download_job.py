"""The job and its schedule."""

import dagster as dg
import pytest

from resources.url_lists import ListedUrl
from tiktok_assets import download_job, schedules
from tiktok_assets.download_job import download_job as make_job
from tiktok_assets.downloads import Tally, url_queue
from tiktok_assets.lanes import ERRANDS, QUEUE_TAG
from tiktok_assets.schedules import download_schedule
from tiktok_assets.settings import Settings

URL = "https://www.tiktok.com/@a/video/1"


@pytest.fixture
def settings(tmp_path):
    return Settings(data_dir=tmp_path, min_free_gb=0)


@pytest.fixture(scope="module")
def instance():
    with dg.instance_for_test() as instance:
        yield instance


def test_the_job_tells_what_came_and_waits_with_the_errands(settings, instance, monkeypatch):
    def due(given, say, warn):
        assert given is settings
        say("clip.mp4")
        warn("the other is private")
        return Tally(done=1, failed=1, stopped="the disk is full")

    monkeypatch.setattr(download_job, "download_due", due)
    job = make_job(settings)
    assert job.tags[QUEUE_TAG] == ERRANDS
    run = job.execute_in_process(instance=instance)
    assert run.success  # a URL that failed is an answer, not a failure of the run
    (output,) = [e for e in run.all_events if e.event_type_value == "STEP_OUTPUT"]
    told = {k: v.value for k, v in output.event_specific_data.metadata.items()}
    assert told == {"done": 1, "put off": 0, "failed": 1}
    logged = [e.user_message for e in instance.all_logs(run.run_id)]
    assert {"clip.mp4", "the other is private", "the disk is full"} <= set(logged)


@pytest.fixture
def tick(settings, instance):
    schedule = download_schedule(make_job(settings), settings)

    def tick():
        with dg.build_schedule_context(instance=instance) as context:
            return schedule.evaluate_tick(context)

    tick.schedule = schedule
    return tick


def test_it_is_hourly_and_off_until_switched_on(tick):
    assert tick.schedule.cron_schedule == "0 * * * *"
    assert tick.schedule.default_status is dg.DefaultScheduleStatus.STOPPED


def test_it_reads_the_lists_and_requests_a_run_where_something_is_due(tick, settings):
    assert tick().skip_message == "Nothing is due."
    (settings.data_dir / "urls.txt").write_text(f"nonsense\n{URL}\n")
    assert len(tick().run_requests) == 1
    queue = url_queue(settings)
    assert [row.url for row in queue.rows()] == [URL]
    queue.take()
    queue.done(URL, ["a.mp4"])
    assert "line 1: 'nonsense' is not taken" in tick().skip_message


def test_there_is_one_run_at_a_time_and_none_on_a_full_disk(tick, settings, instance, monkeypatch):
    url_queue(settings).add([ListedUrl(URL)])
    run = instance.create_run_for_job(tick.schedule.job, status=dg.DagsterRunStatus.STARTED)
    assert "not finished" in tick().skip_message
    instance.delete_run(run.run_id)
    assert len(tick().run_requests) == 1
    monkeypatch.setattr(schedules, "too_full", lambda folder, floor: "the disk is full")
    assert tick().skip_message == "the disk is full"


def test_both_are_among_the_definitions():
    from tiktok_assets.definitions import defs

    assert defs.resolve_job_def("download")
    assert defs.resolve_schedule_def("download_urls")
