from tiktok_assets.doctor import _models
from tiktok_assets.settings import Settings


def _wanted(**chosen):
    return {finding.what.removeprefix("model ") for finding in _models(Settings(**chosen))}


def test_the_models_that_are_used_are_looked_at_and_no_others(settings):
    usual = _wanted()
    for_all = _wanted(models={"detector": {"model_id": "yolox_nano"}})
    assert for_all == usual - {"yolo26n"} | {"yolox_nano"}
    for_one = {"brightness": {"models": {"detector": {"model_id": "yolox_nano"}}}}
    assert _wanted(analyzers=for_one) == usual | {"yolox_nano"}
