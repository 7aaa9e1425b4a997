import pytest

from analyzers.methods.picture.scripts import language_of, script_of


@pytest.mark.parametrize(
    ("text", "script"),
    [
        ("Hello", "latin"),
        ("Ajudá-los", "latin"),
        ("你好吗", "han"),
        ("東京タワーへ行く", "kana"),
        ("Привет", "cyrillic"),
        ("안녕", "hangul"),
        ("ΩΜΕΓΑ", "greek"),
        ("שלום", "hebrew"),
        ("\uff33\uff21\uff2c\uff25", "latin"),  # SALE in full width
        ("100 % ★", "common"),
        ("", "common"),
        ("SALE 特", "latin"),
    ],
)
def test_script(text: str, script: str):
    assert script_of(text) == script


@pytest.mark.parametrize(
    ("lines", "language"),
    [
        (["wait for the end", "this is how you do it"], "en"),
        (["esto es muy fácil", "pero cuando el agua", "y los niños"], "es"),
        (["você não sabe", "isso é muito bom", "quando são"], "pt"),
        (["das ist nicht", "ich und du"], "de"),
        (["je ne sais pas", "c'est dans les rues"], "fr"),
        (["東京タワー", "大阪"], "ja"),
        (["你好"], "zh"),
        (["안녕"], "ko"),
        (["Nike", "50 %"], None),
        (["Привет"], None),  # many languages are written in it
        (["the"], None),
        ([], None),
    ],
)
def test_language(lines: list[str], language: str | None):
    assert language_of(lines) == language
