import pytest

from tests.analyzers.made_results import joined, line, words
from tests.analyzers.rules.finding import found

RULES = ("text_same_as_speech", "text_adds_to_speech", "text_contradicts_speech")


def _there(text, said, at_s=2.0, language="en", role="caption"):
    lines = [line(t, at_s, at_s + 2, role, y1=0.1 * i) for i, t in enumerate(text.split("|"))]
    return joined(
        10,
        text_overlay={"rows": lines},
        speech_transcription={
            "rows": words(said, 2.0, 4.0) if said else [],
            "summary": {"language": language},
        },
    )


def _verdict(text, said, **more):
    there = _there(text, said, **more)
    findings = [f for rule in RULES for f in found(rule, there)]
    assert len(findings) <= 1
    return findings[0].value if findings else None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("5 WAYS TO|GET AROUND", "Here are five ways to get around."),
        ("1. RIDE A BIKE", "One, ride a bike."),
        ("Eileen Collins, astronaut", "like astronaut Eileen Collins."),
        ("20% OFF", "you get twenty percent off"),
        ("NO SUGAR", "and there is no sugar in it"),
        ("never give up", "you must never give up"),
    ],
)
def test_text_same_as_speech_is_found(text, said):
    assert _verdict(text, said) == "same"


def test_text_same_as_speech_is_not_found():
    assert _verdict("FOLLOW FOR MORE", "Which one is yours?") == "adds"
    assert _verdict("5 WAYS", "") is None
    assert _verdict("5 WAYS", "five ways", at_s=7.0) is None
    assert _verdict("FIVE WAYS", "five ways", role="watermark") is None


def test_text_adds_to_speech_is_found():
    [finding] = found("text_adds_to_speech", _there("Hello world", "I will show a directory"))
    assert finding.finding == "“Hello world” adds to what is said: hello, world"
    assert finding.evidence[0] == "text_overlay/0"
    assert (finding.time_s, finding.end_s) == (2.0, 4.0)


def test_text_adds_to_speech_is_not_found():
    assert found("text_adds_to_speech", _there("RIDE A BIKE", "ride a bike")) == []
    assert found("text_adds_to_speech", _there("TAXI", "ride a bike", role="scene_text")) == []


@pytest.mark.parametrize(
    ("text", "said", "why"),
    [
        ("5 WAYS", "Here are three ways to get around", "5 way, but 3 way"),
        ("ONLY 5 MINUTES", "it takes twenty minutes altogether", "5 minute, but 20 minute"),
        ("5 EASY WAYS", "here are three ways", "5 way, but 3 way"),
        ("ONLY $5", "it costs ten dollars", "5 dollar, but 10 dollar"),
        ("NO SUGAR", "with plenty of sugar in it", "not sugar but sugar"),
        ("I love sugar", "there is no sugar in it", "sugar but not sugar"),
        ("ALWAYS wash it first", "you should never wash it", "always, but never"),
        ("the best phone", "this is the worst phone", "best, but worst"),
    ],
)
def test_text_contradicts_speech_is_found(text, said, why):
    [finding] = found("text_contradicts_speech", _there(text, said))
    assert why in finding.finding
    assert len(finding.evidence) > 1  # the text, and the words that deny it
    assert _verdict(text, said) == "contradicts"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("5 WAYS", "Here are five ways to get around"),
        ("5 WAYS", "three friends told me"),
        ("2. TAKE A TAXI", "one way is to take a taxi"),
        ("NO SUGAR", "there is no sugar in it"),
        ("NO SUGAR", "with milk and coffee"),
        ("the best phone", "the worst of all days"),
        ("Not now", "later we go home"),
        ("5 easy ways", "three easy recipes"),
        ("5 ways, 3 free", "five ways and three free"),
    ],
)
def test_text_contradicts_speech_is_not_found(text, said):
    assert found("text_contradicts_speech", _there(text, said)) == []


def test_opposites_are_known_in_english_only():
    assert _verdict("the best phone", "this is the worst phone", language="de") != "contradicts"


def test_lines_that_come_together_are_one_text_and_others_are_not():
    rows = [
        line("IS YOURS?", 5.0, 7.0, y1=0.3),
        line("WHICH ONE", 5.0, 7.0, y1=0.1),
        line("FOLLOW FOR MORE", 5.5, 7.0, y1=0.8),
    ]
    there = joined(
        8,
        text_overlay={"rows": rows},
        speech_transcription={
            "rows": words("Which one is yours?", 5, 6),
            "summary": {"language": "en"},
        },
    )
    [same] = found("text_same_as_speech", there)
    [adds] = found("text_adds_to_speech", there)
    assert "“WHICH ONE IS YOURS?”" in same.finding
    assert "“FOLLOW FOR MORE”" in adds.finding


def test_split_attention_is_found():
    there = _fast(25.0, "this is about something else entirely")
    [finding] = found("split_attention", there)
    assert finding.effect == "costs"
    assert "25 characters" in finding.finding


def test_split_attention_is_not_found():
    assert found("split_attention", _fast(15.0, "this is about something else entirely")) == []
    assert found("split_attention", _fast(25.0, "a long text to be read quickly now")) == []
    assert found("split_attention", _fast(25.0, "oh yes")) == []


def test_a_text_that_goes_with_one_that_was_there_before_asks_for_itself_alone():
    rows = [
        line("WHICH ONE IS YOURS?", 1.0, 3.0, reading_speed_cps=9.5),
        line("FOLLOW FOR MORE", 1.5, 3.0, reading_speed_cps=22.7),
    ]
    said = words("Which one is yours?", 1, 2.5)
    summary = {"language": "en"}
    there = joined(
        6,
        text_overlay={"rows": rows},
        speech_transcription={"rows": said, "summary": summary},
    )
    assert found("split_attention", there) == []


def _fast(cps, said):
    letters = "A LONG TEXT TO BE READ QUICKLY"
    text = line(letters, 2.0, 2.0 + len(letters) / cps)
    return joined(
        6,
        text_overlay={"rows": [text]},
        speech_transcription={"rows": words(said, 2, 3), "summary": {"language": "en"}},
    )
