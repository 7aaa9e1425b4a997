"""Roles that an analyzer uses only where a model is configured for them."""

from __future__ import annotations

from typing import Any

from analyzers.qwen2_vl_temporal import Qwen2VlTemporal
from tests.analyzers.made import Brightness
from tiktok_assets.analysis import held_roles, model_fingerprints, models_of
from tiktok_assets.analyzer_assets import code_version
from tiktok_assets.settings import Settings


class Judge(Brightness):
    """Uses a detector where one is configured, and a role that no profile has."""

    name = "judge"
    optional_models = ("detector", "oracle")


def with_model(**where: Any) -> Settings:
    return Settings.model_validate(where)


def test_only_what_is_configured_is_held_and_counts() -> None:
    settings = Settings()
    assert held_roles(Judge, settings) == ["detector"]
    assert model_fingerprints(Judge, settings).keys() == {"detector"}


def test_a_model_named_by_the_settings_is_held() -> None:
    settings = with_model(models={"oracle": {"model_id": "yolo26n"}})
    assert held_roles(Judge, settings) == ["detector", "oracle"]
    assert model_fingerprints(Judge, settings)["oracle"].startswith("yolo26n@")


def test_a_model_of_this_analyzer_alone_needs_no_holder() -> None:
    own = {"judge": {"models": {"oracle": {"model_id": "yolo26n"}}}}
    settings = with_model(analyzers=own)
    assert held_roles(Judge, settings) == ["detector"]
    assert models_of(Judge, settings).has("oracle")
    assert model_fingerprints(Judge, settings).keys() == {"detector", "oracle"}


def test_the_full_profile_describes_by_a_model_and_the_embedded_one_by_rules() -> None:
    assert held_roles(Qwen2VlTemporal, with_model(profile="embedded")) == []
    full = with_model(profile="full")
    assert held_roles(Qwen2VlTemporal, full) == ["vlm"]
    assert model_fingerprints(Qwen2VlTemporal, full)["vlm"].startswith("qwen2_vl_7b@")


def test_the_server_is_part_of_the_code_version() -> None:
    def version(url: str) -> str:
        own = {"qwen2_vl_temporal": {"settings": {"server_url": url}}}
        return code_version(Qwen2VlTemporal, with_model(analyzers=own))

    assert version("http://a:8000/v1") != version("http://b:8000/v1")
