from tiktok_assets.doctor import _models, _reports
from tiktok_assets.settings import Settings


def _wanted(**chosen):
    return {finding.what.removeprefix("model ") for finding in _models(Settings(**chosen))}


def test_the_models_that_are_used_are_looked_at_and_no_others(settings):
    usual = _wanted()
    for_all = _wanted(models={"detector": {"model_id": "yolox_nano"}})
    assert for_all == usual - {"yolo26n"} | {"yolox_nano"}
    for_one = {"brightness": {"models": {"detector": {"model_id": "yolox_nano"}}}}
    assert _wanted(analyzers=for_one) == usual | {"yolox_nano"}


def test_a_place_for_reports_that_cannot_be_read_is_found(settings):
    assert _reports(settings).level == "ok"
    bad = _reports(Settings(reports_url="nonsense://x"))
    assert bad.level == "problem"
    assert "nonsense" in bad.found
