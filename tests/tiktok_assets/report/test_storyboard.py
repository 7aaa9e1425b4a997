import pytest

from resources.result_store import ResultStore
from tests.analyzers.made_results import line, made_result, words
from tests.tiktok_assets.report.made_report import made, rendered, some_results, stored
from tiktok_assets.report import storyboard as module
from tiktok_assets.report.pictures import Pictures
from tiktok_assets.report.spoken import transcript
from tiktok_assets.report.storyboard import left_out_sentence, storyboard
from tiktok_assets.report.told import Told


@pytest.fixture
def store(tmp_path):
    return ResultStore(url=f"memory://{tmp_path.name}")


def _board(store, results, **lost):
    video = made()
    document = stored(store, video, results, **lost)

    def unopened():
        raise LookupError("not registered")

    with Pictures(unopened) as pictures:
        return storyboard(Told(document, store), pictures)


def _shots(*lengths_s):
    start_s, rows = 0.0, []
    for shot, length_s in enumerate(lengths_s):
        rows.append(
            {"type": "shot", "shot": shot, "time_s": start_s, "end_s": start_s + length_s,
             "duration_s": length_s, "begins_with": "cut", "ends_with": "cut"}
        )  # fmt: skip
        start_s += length_s
    return rows


def test_a_card_has_what_is_seen_written_and_said_in_its_shot(store):
    video = made()
    results = some_results(video)
    results["text_overlay"] = made_result(
        "text_overlay",
        video.grid,
        [line("SALE", 1.0, 3.1), line("@me", 0.0, 6.0, role="watermark"), line("NOW", 4.0, 5.0)],
    )
    results["speech_transcription"] = made_result(
        "speech_transcription", video.grid, words("one two three four", 2.0, 4.0)
    )
    first, second = _board(store, results).cards
    assert (first.number, first.start_s, first.end_s) == (1, 0.0, 3.0)
    assert first.signs == ["pan left"]
    assert first.texts == ["SALE"]  # for 0.1 s it hangs over the cut
    assert first.quote == "one two"
    assert second.signs == ["close-up", "begins with dissolve"]
    assert second.texts == ["NOW"]
    assert second.quote == "three four"
    assert second.description == "Hello there 1."
    assert second.model_kind == "composed"
    assert second.scene == "street"


def test_of_many_shots_the_longest_are_shown(store, monkeypatch):
    monkeypatch.setattr(module, "MOST_CARDS", 3)
    shots = made_result("cut_analysis", made().grid, _shots(0.5, 2.0, 0.8, 1.2, 1.5))
    board = _board(store, {"cut_analysis": shots})
    assert [card.number for card in board.cards] == [2, 4, 5]
    assert left_out_sentence(board).startswith("2 shots of at most 0.8 s are left out")


def test_without_shots_there_are_moments_and_the_reason(store):
    video = made()
    lost = ["cut_analysis", "scene_segmentation"]
    document = stored(store, video, {}, failed=lost)
    html = rendered(store, video, document)
    assert "No shots are known (cut_analysis of made: the lens cap is on);" in html
    assert html.count('<li class="card">') == 3
    assert html.count('alt="Moment at ') == 3


def test_words_are_joined_as_their_language_does(store):
    video = made()
    first, second = (
        words("今日 は OK です。", 0.5, 2.5),
        words("Hello there.", 3.5, 5.0, sentence=1),
    )
    first[2]["confidence"] = 0.2
    results = some_results(video)
    results["speech_transcription"] = made_result(
        "speech_transcription",
        video.grid,
        first + second,
        summary={"text": "今日はOKです。\nHello there.", "language": "ja"},
    )
    document = stored(store, video, results)
    one, two = transcript(Told(document, store))
    assert [(part.text.strip(), part.unsure) for part in one.parts] == [
        ("今日は", False), ("OK", True), ("です。", False),
    ]  # fmt: skip
    assert "".join(part.text for part in two.parts).strip() == "Hello there."
    assert [card.quote for card in _board(store, results).cards] == [
        "今日はOKです。",
        "Hello there.",
    ]
