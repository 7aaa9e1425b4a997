from analyzers.methods.known_median import known_median


def test_what_is_unknown_does_not_count():
    assert known_median([None, 1.0, 5.0, None, 3.0]) == 3.0
    assert known_median([None]) is known_median([]) is None
