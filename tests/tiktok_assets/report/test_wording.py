import pytest

from tiktok_assets.report.wording import (
    aspect,
    clipped,
    clock,
    number,
    percent,
    printable,
    size,
    span,
)


@pytest.mark.parametrize(
    ("time_s", "told"),
    [(0, "0:00.0"), (59.96, "1:00.0"), (62.34, "1:02.3"), (3725.0, "1:02:05.0")],
)
def test_clock(time_s, told):
    assert clock(time_s) == told


def test_times_that_read_the_same_are_told_once():
    assert span(1.0, 1.04) == "0:01.0"
    assert span(1.0, 2.0) == "0:01.0\u20130:02.0"
    assert clock(59.6, tenths=False) == "1:00"


@pytest.mark.parametrize(
    ("value", "digits", "told"),
    [(-14.0, 1, "\u221214"), (0.04, 1, "0"), (-0.04, 1, "0"), (12345.67, 1, "12\u202f345.7"),
     (100, 0, "100"), (29.97, 2, "29.97")],
)  # fmt: skip
def test_numbers(value, digits, told):
    assert number(value, digits) == told


@pytest.mark.parametrize(
    ("share", "told"),
    [(0, "0"), (0.001, "<\u202f1"), (0.5, "50"), (0.999, ">\u202f99"), (1, "100")],
)
def test_a_share_that_is_not_nothing_is_never_told_as_nothing(share, told):
    assert percent(share) == f"{told}\u202f%"


@pytest.mark.parametrize(
    ("width", "height", "told"),
    [(1080, 1920, "9:16"), (480, 270, "16:9"), (640, 272, "2.35:1"), (1, 1, "1:1"),
     (1206, 2144, "9:16")],
)  # fmt: skip
def test_aspect(width, height, told):
    assert aspect(width, height) == told


def test_text_is_cut_at_a_word_and_size_has_its_unit():
    assert clipped("one two three", 9) == "one two\u2009\u2026"
    assert clipped("one", 9) == "one"
    assert clipped("x" * 20, 5) == "xxxxx\u2009\u2026"
    assert size(672_981) == "673\u202fkB"


def test_what_does_not_belong_on_a_page_is_replaced():
    assert printable("a\x00b\u202ec\ud800d\ne\tf") == "a\ufffdb\ufffdc\ufffdd\ne\tf"
