from analyzers.methods.speech.spoken_numbers import spoken


def test_a_number_is_said_in_its_language():
    assert spoken(21, "en") == "twenty-one"
    assert spoken(21, "de") == "einundzwanzig"


def test_no_other_language_stands_in_for_one_that_is_missing():
    assert spoken(21, "hr") is None
