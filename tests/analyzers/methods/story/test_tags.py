import pytest

from analyzers.methods.evidence import evidence_row
from analyzers.methods.story.joined import Joined
from analyzers.methods.story.tags import tags_of
from analyzers.rules.registry import Finding
from tests.analyzers.made import made_video
from tests.analyzers.made_results import cut, joined, line, made_result, not_applicable, words


def _thing(label, share, sure):
    return {"label": label, "frame_share": share, "mean_confidence": sure}


@pytest.fixture
def there():
    return joined(
        10,
        object_detection={
            "rows": [{"time_s": 1.0, "label": "dog", "confidence": 0.9, "track_id": 1}],
            "summary": {
                "classes": [
                    _thing("dog", 0.9, 0.9),
                    _thing("bear", 0.9, 0.3),
                    _thing("cat", 0.1, 0.9),
                ]
            },
        },
        cut_analysis={
            "rows": [cut(t) for t in range(1, 9)],
            "summary": {"shot_changes_per_minute": 48.0},
        },
        text_overlay={
            "rows": [line(t, 1, 3) for t in ("1. Buy onions", "2. Chop onions", "#DinnerTime")]
        },
        speech_transcription={
            "rows": words("chop the onions really really fine", 1, 4),
            "summary": {"language": "en", "word_count": 6},
        },
        voices={"summary": {"voice_s": 3.0}},
        background_segmentation={"seconds": {"setting": ["indoor"] * 7 + ["uncertain"] * 3}},
    )


def test_tags_have_rows_that_speak_for_them(there):
    off = Finding(1, 4, "off screen", ("voices@1",))
    tags = {tag.tag: tag for tag in tags_of(there, [("speaker_off_screen", off)])}
    expected = ("dog", "indoor", "voice_over", "speech", "language_en", "cut_fast", "captions",
                "list", "dinnertime", "onion", "chop")  # fmt: skip
    assert set(expected) <= set(tags)
    assert not {"bear", "cat", "really", "one_shot", "music"} & set(tags)
    for tag in tags.values():
        assert tag.evidence
        for evidence_id in tag.evidence:
            evidence_row(evidence_id, there.results)


def test_silence_and_looks_have_their_seconds():
    video = made_video(4)
    camera = made_result(
        "eye_tracking", video.grid, seconds={"camera_share": [None, 1.0, 0.9, 0.8]}
    )
    results = {"voices": not_applicable("voices", video), "eye_tracking": camera}
    tags = {t.tag: t.evidence for t in tags_of(Joined(video.grid, results, sorted(results)), [])}
    assert tags["silent"] == ("voices@0", "voices@1", "voices@2")
    looks = ("eye_tracking@1", "eye_tracking@2", "eye_tracking@3")
    assert tags["looks_into_the_camera"] == looks


def test_nothing_has_no_tags():
    assert tags_of(joined(4), []) == []
