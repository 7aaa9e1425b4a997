import pyarrow as pa
import pytest

from analyzers.base import AnalysisResult
from analyzers.methods.evidence import analyzer_of, evidence_row, observation_id, second_id

RESULTS = {
    "brightness": AnalysisResult(
        observations=pa.table({"time_s": [0.0, 0.2, 0.4], "level": [0.1, 0.2, 0.3]}),
        segments=pa.table({"segment": [0, 1], "level": [0.5, 0.6]}),
        summary={},
    )
}


def test_an_id_of_an_observation_leads_to_its_row():
    assert evidence_row(observation_id("brightness", 2), RESULTS) == {"time_s": 0.4, "level": 0.3}


def test_an_id_of_a_second_leads_to_its_segment():
    assert evidence_row(second_id("brightness", 1), RESULTS) == {"segment": 1, "level": 0.6}


def test_the_form_is_the_one_that_is_documented():
    assert observation_id("object_detection", 17) == "object_detection/17"
    assert second_id("camera_analysis", 3) == "camera_analysis@3"
    assert analyzer_of("camera_analysis@3") == "camera_analysis"


@pytest.mark.parametrize("wrong", ["brightness", "brightness/", "brightness/-1", "Brightness@1"])
def test_what_is_no_id_is_refused(wrong: str):
    with pytest.raises(ValueError, match="is not an evidence id"):
        evidence_row(wrong, RESULTS)


def test_a_row_that_is_not_there_is_named():
    with pytest.raises(LookupError, match="brightness/3"):
        evidence_row("brightness/3", RESULTS)
    with pytest.raises(LookupError, match="motion has no result"):
        evidence_row("motion@0", RESULTS)
