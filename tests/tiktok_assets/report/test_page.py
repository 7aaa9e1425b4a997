import re

import cv2
import numpy as np
import pytest

from analyzers.video import Video
from resources.result_store import ResultStore
from tests.analyzers.made_results import line, made_result
from tests.tiktok_assets.report.made_report import (
    HOSTILE,
    ON,
    Page,
    made,
    rendered,
    rendered_without_file,
    some_results,
    stored,
)
from tiktok_assets.report import page


@pytest.fixture
def store(tmp_path):
    return ResultStore(url=f"memory://{tmp_path.name}")


@pytest.fixture
def whole(store) -> tuple[Video, str]:
    video = made()
    return video, rendered(store, video, stored(store, video, some_results(video)))


SECTIONS = (
    "storyboard", "timeline", "findings", "speech", "text", "people", "things", "look", "sound",
    "quality", "making",
)  # fmt: skip


def test_all_sections_are_there_with_what_the_results_say(whole):
    _, html = whole
    found = Page(html)
    ids = [attrs["id"] for _, attrs in found.elements if "id" in attrs]
    assert [i for i in ids if i in SECTIONS] == list(SECTIONS)
    for said in (
        "Hello there and more.", "Shot 2", "close-up", "begins with dissolve", "pan left",
        "street", "Hello there 1.", "dead seconds", "costs staying", "perhaps", "cup",
        "navy", "#112233", "\u221219.5", "of 100", "31", "25\u201336 over its sightings", "happy",
        "1.2", "no model", "a.mp4",
    ):  # fmt: skip
        assert said in found.text, said
    assert "(model_kind:" not in found.text  # it stands beside the sentences
    for notice in (ON["age_estimation"].notice, ON["face_emotion"].notice):
        assert notice in found.text


def test_a_description_is_never_shown_without_its_model_kind(whole):
    _, html = whole
    for description in ("Hello there 0.", "Hello there 1.", "Hello there and more."):
        (after,) = re.findall(
            re.escape(description) + r"&nbsp;<span class=\"kind\"[^>]*>(\w+)<", html
        )
        assert after == "composed"


def test_it_loads_nothing(whole):
    _, html = whole
    found = Page(html)
    for tag, attrs in found.elements:
        for name in ("src", "href", "srcset", "data", "action", "poster", "xlink:href"):
            if value := attrs.get(name):
                assert value.startswith(("#", "data:image/jpeg;base64,")), (tag, name, value[:80])
        assert not [name for name in attrs if name.startswith("on")]
    names = {tag for tag, _ in found.elements}
    assert not names & {"script", "link", "iframe", "object", "embed", "base", "form"}
    assert "url(" not in html
    assert "@import" not in html
    assert "http:" not in html
    assert "https:" not in html
    (policy,) = [m for m in found.of("meta") if "http-equiv" in m]
    assert policy["content"] == page.CONTENT_SECURITY_POLICY
    assert policy["content"].startswith("default-src 'none'; img-src data:;")


def test_links_within_the_page_lead_somewhere_and_pictures_have_words(whole):
    _, html = whole
    found = Page(html)
    ids = [attrs["id"] for _, attrs in found.elements if "id" in attrs]
    assert len(ids) == len(set(ids))
    assert {a["href"].removeprefix("#") for a in found.of("a")} <= set(ids)
    pictures = found.of("img")
    assert len(pictures) > 4
    assert all("alt" in attrs and int(attrs["width"]) > 0 for attrs in pictures)
    assert [a["aria-label"] for a in found.of("svg") if a.get("role") == "img"]


def test_whatever_is_said_stays_text(store):
    names = "original_name title author author_id caption platform source_url published_at"
    metadata: dict = dict.fromkeys(names.split(), HOSTILE)
    video = made({**metadata, "hashtags": [HOSTILE]})
    document = stored(store, video, some_results(video, HOSTILE), failed=["eye_tracking"])
    document["analyzer_results"]["eye_tracking"]["error"] = HOSTILE
    document["metadata"]["source"]["warnings"] = [HOSTILE]
    html = rendered(store, video, document)
    found = Page(html)
    assert not found.of("script")
    assert all("onerror" not in attrs for attrs in found.of("img"))
    assert all(attrs["src"].startswith("data:image/jpeg;base64,") for attrs in found.of("img"))
    assert "body{" not in html.split("</style>")[1]  # what passed for a colour
    assert html.count("</style>") == 1
    assert found.text.count("alert(") >= 15
    assert "\u202e" not in html


def test_the_same_results_give_the_same_bytes(whole, store):
    video, html = whole
    document = stored(store, video, some_results(video))
    document["result_id"] = "another"
    assert rendered(store, video, document).encode() == html.encode()


def test_analyzers_that_found_nothing_or_nulls_leave_a_page(store):
    video = made()
    html = rendered(store, video, stored(store, video, {}))  # all null, no rows
    assert "How it was made" in html
    silent = rendered(store, video, stored(store, video, {}, silent=ON))
    found = Page(silent)
    assert "Nothing for speech_transcription." in found.text
    assert "nothing for product_detection" in found.text
    assert found.text.count("not applicable") == len(ON)
    assert not found.of("aside")


def test_what_failed_is_told_at_the_top_with_its_error_below(store):
    video = made()
    results = some_results(video)
    stored(store, video, results)
    failed = ["cut_analysis", "speech_transcription"]
    document = stored(store, video, results, failed=failed)
    found = Page(rendered(store, video, document))
    assert "has no result" not in found.text
    # What requires a failed one is lost with it.
    lost = [n for n, e in document["analyzer_results"].items() if e["status"] == "failed"]
    assert set(failed) < set(lost)
    assert f"{len(lost)} analyzers of {len(ON)} have no result." in found.text
    assert "cut_analysis of made: the lens cap is on." in found.text
    assert "speech_transcription of made: the lens cap is on." in found.text
    # The older results of what failed now are not shown as if they were current.
    assert "begins with dissolve" not in found.text
    assert not [a for a in found.of("a") if a["href"].startswith("#shot-")]


@pytest.mark.parametrize("lost", sorted(ON))
def test_any_one_analyzer_may_be_missing(store, lost):
    video = made()
    html = rendered(store, video, stored(store, video, some_results(video), failed=[lost]))
    assert f"{lost} of made: the lens cap is on" in html


def test_guesses_from_faces_that_are_switched_off_leave_no_trace(store):
    video = made()
    document = stored(store, video, some_results(video))
    for name in ("age_estimation", "face_emotion"):
        del document["analyzer_results"][name]
    found = Page(rendered(store, video, document))
    assert "pparent" not in found.text
    assert ON["age_estimation"].notice not in found.text


def test_a_video_whose_file_is_gone_has_the_stored_keyframes_and_says_so(store):
    video = made()
    results = some_results(video)
    html = rendered_without_file(store, stored(store, video, results))
    assert not Page(html).of("img")
    assert "frames are not at hand" in html
    assert "its bytes are gone" in html

    _, jpeg = cv2.imencode(".jpg", np.full((64, 48, 3), 90, np.uint8))
    scenes = results["scene_segmentation"]
    scenes.files.update({f"keyframe_00{i}.jpg": jpeg.tobytes() for i in range(2)})
    found = Page(rendered_without_file(store, stored(store, video, results)))
    assert {attrs["width"] for attrs in found.of("img")} == {"48"}
    assert [a["alt"] for a in found.of("img")][1].startswith("Shot 1 at 0:01.0: Hello there 0.")


def test_an_analyzer_that_the_page_does_not_know_is_told_by_its_summary(store):
    video = made()
    document = stored(store, video, some_results(video))
    document["analyzer_results"]["weather"] = {
        **document["analyzer_results"]["faces"],
        "summary": {"rain_mm": 12.5, "cloudy": True, "sky": "<grey>", "nothing": None},
    }
    text = Page(rendered(store, video, document)).text
    for said in ("weather", "rain mm", "12.5", "cloudy", "yes", "<grey>"):
        assert said in text


def test_results_of_an_older_version_with_other_columns_are_shown(store):
    video = made()
    results = some_results(video)
    older = made_result(
        "no_analyzer_of_today",
        video.grid,
        [{"rule": "old_rule", "time_s": 1.0, "end_s": 2.0, "finding": "as it was",
          "confidence": 0.5, "evidence": []}],
        summary=results["cross_analyzer_intelligence"].summary,
    )  # fmt: skip
    html = rendered(
        store, video, stored(store, video, results | {"cross_analyzer_intelligence": older})
    )
    assert "as it was" in html


def test_rows_that_an_older_version_wrote_without_what_is_needed_are_left_out_and_told(store):
    video = made()
    results = some_results(video)
    older = made_result(
        "no_analyzer_of_today",
        video.grid,
        [{"time_s": 1.0, "end_s": 2.0, "text": "no role then"}],
        summary=results["text_overlay"].summary,
    )
    results["text_overlay"] = older
    objects = {"classes": [{"label": "unicorn", "count": 3}]}
    results["object_detection"] = made_result("object_detection", video.grid, summary=objects)
    lines = [{"shot": 0, "time_s": 0.0, "end_s": 3.0, "description": "A hat.", "model_kind": "x"}]
    without_what_is_not_shown = made_result(
        "no_analyzer_of_today", video.grid, lines, summary=results["qwen2_vl_temporal"].summary
    )
    results["qwen2_vl_temporal"] = without_what_is_not_shown
    text = Page(rendered(store, video, stored(store, video, results))).text
    assert "no role then" not in text
    assert "unicorn" not in text
    assert "A hat." in text
    assert "qwen2_vl_temporal of" not in text
    for name, lacking in (("text_overlay", "role"), ("object_detection", "frame_share")):
        (said,) = re.findall(rf"{name} of \S+ was made by an older version, [^;]*;", text)
        assert lacking in said
        assert f"materialize {name} again" in text


def test_a_face_is_shown_with_the_time_in_which_it_is_seen_not_with_whole_seconds(store):
    video = made()
    results = some_results(video)
    sightings = [{"track_id": 0, "time_s": t, "frame": int(30 * t)} for t in (0.6, 1.0, 1.4)]
    results["faces"] = made_result("faces", video.grid, sightings, summary=results["faces"].summary)
    found = Page(rendered(store, video, stored(store, video, results)))
    (alt,) = (a["alt"] for a in found.of("img") if a["alt"].startswith("A face"))
    assert alt == "A face seen from 0:00.6\u20130:01.4"


def test_a_sound_is_told_by_when_it_is_heard(store):
    video = made()
    heard = [
        {"kind": "event", "label": "Dog", "time_s": at, "end_s": at + 0.5, "confidence": sure}
        for at, sure in ((1.0, 0.4), (4.0, 0.8))
    ]
    results = some_results(video) | {
        "audio_environment": made_result(
            "audio_environment",
            video.grid,
            heard,
            summary={"top_events": [{"event": "Dog", "confidence": 0.01}]},
        )
    }
    text = Page(rendered(store, video, stored(store, video, results))).text
    assert re.search(r"0:01\.0\u20130:01\.5 Dog and 1\W+ later 0\.80", text)
    assert "0.01" not in text


def test_one_character_a_second_is_no_plural(store):
    video = made()
    results = some_results(video)
    slow = [{**line("Slowly", 1.0, 6.0), "reading_speed_cps": 1.2}]
    results["text_overlay"] = made_result("text_overlay", video.grid, slow)
    text = Page(rendered(store, video, stored(store, video, results))).text
    assert "1 character a second" in text


def test_an_error_names_its_analyzer_once(store):
    video = made()
    document = stored(store, video, some_results(video), failed=("speech_transcription",))
    text = Page(rendered(store, video, document)).text
    assert "speech_transcription of made: the lens cap is on." in text
    assert "speech_transcription failed: speech_transcription" not in text
    assert "Speech_transcription" not in text


def test_a_long_caption_is_folded_away(store):
    long = " ".join(f"word{i}" for i in range(200))
    said = {"title": "T", "caption": long, "published_at": "2018-11-01T04:34:53+00:00"}
    video = made(said)
    html = rendered(store, video, stored(store, video, some_results(video)))
    shown, folded = re.findall(r'<p class="caption" dir="auto">(.*?)</p>', html)
    assert len(shown) <= 402
    assert folded == long
    assert html.index("The whole caption") < html.index(folded)
    assert "published 2018-11-01" in html
