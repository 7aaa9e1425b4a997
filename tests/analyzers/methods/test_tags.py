import pytest

from analyzers.methods.evidence import evidence_row
from analyzers.methods.tags import tags_of
from analyzers.rules.registry import Finding
from tests.analyzers.made_results import cut, joined, line, words


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


def test_nothing_has_no_tags():
    assert tags_of(joined(4), []) == []
