"""A day of the running product: videos dropped and downloaded, watched in a browser, and processes
killed in mid-run. The tests go in order, on one data folder.
"""

from __future__ import annotations

import json
import shutil
import signal
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.error import URLError

import psutil
import pytest

from benchmarks.short_clips import cut
from resources.result_store import ResultStore
from tests.e2e.browser import Browser, browser
from tests.e2e.damaged import damage
from tests.e2e.site import ANALYZERS, DOCUMENT, MEDIA, REPORT, Site
from tests.loopback import loopback_web
from tests.made_media import write_video
from tests.tiktok_assets.running import FINISHED

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(1800)]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    site = Site(tmp_path_factory.mktemp("e2e"))
    print(f"\n  data folder: {site.data}")
    try:
        site.until("webserver, daemon and worker", lambda: "is at http" in site.said())
        site.until("the worker's process", site.child)
        yield site
    finally:
        site.stop()


@pytest.fixture(scope="module")
def window(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with browser(tmp_path_factory.mktemp("pictures")) as window:
        yield window


def _drop(site: Site, file: Path) -> Path:
    """Put a whole file into the watched folder, as a file manager would."""
    site.downloads.mkdir(parents=True, exist_ok=True)
    return Path(shutil.copy(file, site.downloads))


def test_dropped_videos_become_partitions_with_results(
    site: Site, window: Browser, tmp_path: Path
) -> None:
    sample = cut(tmp_path / "street cut short.mp4", 4)
    made = write_video(tmp_path / "made.mp4")
    for file in (sample, made, damage(made, tmp_path / "damaged.mp4")):
        _drop(site, file)
    (site.downloads / "letter.mp4").write_text("Dear reader, I am no video.")
    (site.downloads / "unfinished.mp4.part").write_bytes(made.read_bytes()[:1000])
    site.until("three partitions", lambda: len(site.videos()) == 3)
    site.until("two documents", lambda: len(site.documented()) == 2)
    site.until("all runs to be over", site.quiet)

    (street,) = (video for video in site.videos() if video.startswith("street"))
    (damaged,) = (video for video in site.videos() if video.startswith("damaged"))
    assert site.documented() == site.videos() - {damaged}
    failed = [run for run in site.all_runs() if run["status"] == "FAILURE"]
    assert [run["video"] for run in failed] == [damaged], "a damaged video costs its own run only"
    why = (site.data / "rejected" / "letter.mp4.txt").read_text()
    print(f"  letter.mp4 was put aside: {why.splitlines()[0]}")
    assert "letter.mp4" in why

    window.open(f"http://127.0.0.1:{site.port}/asset-groups")
    window.see("media", "picture", "document", "Materialize all")
    window.press_alt("KeyE")  # show all groups' assets
    window.see("audio", "object_detection", "color_analysis")  # longer names are cut short
    window.picture("asset_graph")
    (run,) = (
        run for run in site.all_runs() if run["video"] == street and run["jobName"] == "analyze"
    )
    window.open(f"http://127.0.0.1:{site.port}/runs/{run['runId']}")
    window.see("Success", "object_detection", "cut_analysis")
    window.picture("run")
    window.open(
        f"http://127.0.0.1:{site.port}/assets/object_detection?view=partitions&partition={street}"
    )
    window.see(street, "[Show Markdown]")
    window.click("[Show Markdown]")
    window.picture("preview")
    (broken,) = failed
    window.open(f"http://127.0.0.1:{site.port}/runs/{broken['runId']}")
    window.see("Failure", "damaged.mp4")
    window.picture("failed_run")


def test_same_bytes_under_another_name_are_one_video(site: Site, tmp_path: Path) -> None:
    before = site.videos(), len(site.all_runs())
    _drop(site, cut(tmp_path / "the street again.mp4", 4))
    note = site.until(
        "a tick that says so",
        lambda: [
            t for t in site.ticks("downloads") if "the same bytes as" in (t["skipReason"] or "")
        ],
    )
    print(f"  {note[0]['skipReason']}")
    assert (site.videos(), len(site.all_runs())) == before


def test_listed_urls_come_down_and_go_the_same_way(site: Site, tmp_path: Path) -> None:
    with loopback_web() as web:
        first = web.file("/first.mp4", cut(tmp_path / "first.mp4", 3).read_bytes())
        second = web.file("/second.mp4", cut(tmp_path / "second.mp4", 3.5).read_bytes())
        gone = web.status("/gone.mp4", 404)
        urls = tmp_path / "urls.csv"
        urls.write_text(f"url,priority,tags\n{first},1,street\n{second},9,\n{gone},0,\n")
        print("  " + site.tell("urls", "add", str(urls), "--priority", "5").strip())
        before = site.videos()
        run_id = site.launch("download")
        site.until("the download run", lambda: site.run(run_id)["status"] in FINISHED)
        assert site.run(run_id)["status"] == "SUCCESS", site.logs()
        known = json.loads(site.tell("urls", "status", "--json"))
        assert known["counts"]["done"] == 2
        (failed,) = (row for row in known["urls"] if row["url"] == gone)
        print(f"  {gone}: {failed['state']}, {failed['kind']}: {failed['reason']}")
        assert "404" in failed["reason"]
        asked = [path for path, _ in web.asked]
        assert asked.index("/second.mp4") < asked.index("/first.mp4"), "the highest priority first"
    new = site.until("two partitions more", lambda: len(n := site.videos() - before) == 2 and n)
    site.until("their documents", lambda: new <= site.documented())
    site.until("all runs to be over", site.quiet)


def test_whatever_is_killed_all_is_finished_once(site: Site, tmp_path: Path) -> None:
    before = site.videos()
    for seconds in range(7, 14):
        _drop(site, cut(tmp_path / f"long {seconds}.mp4", seconds))
    new = site.until("seven partitions more", lambda: len(n := site.videos() - before) == 7 and n)

    child = _at_work(site, "worker's child", site.child)
    child.kill()
    site.until("another child", lambda: (now := site.child()) and now != child)

    child = _at_work(site, "worker's parent", site.child)
    child.parent().kill()
    _restarted(site, "worker")
    gone, _ = psutil.wait_procs([child], timeout=20)
    assert gone, "the child dies with its parent"
    site.until("its child", site.child)

    _at_work(site, "daemon", lambda: site.part("dagster._daemon")).kill()
    _restarted(site, "daemon")

    _at_work(site, "webserver", lambda: site.part("dagster_webserver")).kill()
    site.until(
        "the webserver's restart", lambda: "webserver has ended and is started" in site.said()
    )
    site.until("its answer", lambda: _answers(site))

    _at_work(site, "`up` itself", site.child)
    assert not site.stop(signal.SIGKILL), "nothing outlives `up`"
    print("  `up` was killed and is started again")
    site.start()
    site.until("webserver, daemon and worker", lambda: "is at http" in site.said())

    site.until("seven documents", lambda: new <= site.documented(), 900)
    site.until("all runs to be over", site.quiet)
    killed = [run for run in site.all_runs() if run["video"] in new and run["status"] == "FAILURE"]
    print(f"  runs that were lost on the way: {len(killed)}")
    assert len(killed) >= 3
    assert all(run["tags"].get("dagster/will_retry") == "true" for run in killed)


def _at_work(site: Site, name: str, process: Callable[[], psutil.Process | None]) -> psutil.Process:
    """A process, found while analysis is under way."""
    steps = site.until(f"work to be under way, to kill the {name}", site.at_work)
    print(f"  killed in the midst of {', '.join(steps)}")
    found = process()
    assert found
    return found


def _restarted(site: Site, name: str) -> None:
    said = f"The {name} has ended and is started again"
    site.until(f"the {name}'s restart", lambda: said in site.said())


def _answers(site: Site) -> bool:
    with suppress(URLError, ConnectionError):
        return bool(site.all_runs())
    return False


def test_every_result_stands_whole_and_was_made_once(site: Site) -> None:
    videos = site.videos()
    (damaged,) = (video for video in videos if video.startswith("damaged"))
    whole = videos - {damaged}
    store = ResultStore(url=str(site.data / "results"))
    for name in sorted(ANALYZERS):
        assert set(store.video_ids(name)) == whole
        for video in whole:
            result = store.read(name, video)  # both tables, of the same attempt as the JSON
            assert result.segments.num_rows > 0
    for name in sorted({*ANALYZERS, *MEDIA, DOCUMENT, REPORT}):
        assert site.materialized(name) == dict.fromkeys(whole, 1), name
    documents = site.documents()
    assert documents.keys() == whole
    for video, document in documents.items():
        about = document["metadata"]
        assert about["failed_analyzers"] == {}, video
        assert about["successful_analyzers"] == about["total_analyzers"]
        assert set(document["analyzer_results"]) == ANALYZERS
        assert len(document["timeline"]) == store.read("color_analysis", video).segments.num_rows
    # What a browser still writes, as it seems, is left alone; nothing else is half done.
    assert site.half_written() == [site.downloads / "unfinished.mp4.part"]
    for sensor in ("downloads", "finish_ended_runs"):
        assert [t["error"] for t in site.ticks(sensor) if t["error"]] == []
    print(f"  {len(whole)} videos, {len(ANALYZERS)} analyzers each, once; nothing half written")


def test_a_backfill_takes_several_videos_in_a_run(site: Site) -> None:
    """Last: it makes results a second time."""
    whole = site.videos() - {video for video in site.videos() if video.startswith("damaged")}
    before = {run["runId"] for run in site.all_runs()}
    site.backfill("color_analysis", whole)

    def over() -> list[dict[str, Any]]:
        own = [run for run in site.all_runs() if run["runId"] not in before]
        made = site.materialized("color_analysis")
        return own if made == dict.fromkeys(whole, 2) and site.quiet() else []

    runs = site.until("a second result of each", over)
    print(f"  {len(runs)} runs for {len(whole)} videos")
    assert len(runs) < len(whole)
    assert {run["status"] for run in runs} == {"SUCCESS"}
