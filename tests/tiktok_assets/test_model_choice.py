"""One analyzer with another model than the profile's: told by its result, and stale without it."""

from pathlib import Path

import pytest

from analyzers.background_segmentation import BackgroundSegmentation
from analyzers.content_quality import ContentQuality
from analyzers.models.lending import ModelChoice, Models
from analyzers.object_detection import ObjectDetection
from analyzers.registry import analyzer_classes
from resources.model_holders import profile_holders
from resources.result_store import ResultStore
from tests.analyzers.sample_face import portrait
from tests.analyzers.test_content_quality import video_of
from tests.tiny_models import tiny_models
from tiktok_assets.analysis import analyze_and_store, held_roles, models_of
from tiktok_assets.analyzer_assets import code_version
from tiktok_assets.settings import Settings


def versions(**settings: object) -> dict[str, str]:
    """What Dagster holds each analyzer's materializations against."""
    chosen = Settings.model_validate(settings)
    return {name: code_version(cls, chosen) for name, cls in analyzer_classes().items()}


def changed(**settings: object) -> set[str]:
    before, after = versions(), versions(**settings)
    return {name for name in before if before[name] != after[name]}


def test_a_model_for_one_analyzer_makes_that_one_stale() -> None:
    own = {"object_detection": {"models": {"detector": {"model_id": "yolo26m"}}}}
    assert changed(analyzers=own) == {"object_detection"}
    settings = Settings.model_validate({"analyzers": own})
    assert models_of(ObjectDetection, settings).choices["detector"].model_id == "yolo26m"


def test_an_optional_model_for_one_analyzer_makes_that_one_stale() -> None:
    own = {"content_quality": {"models": {"clip": {"model_id": "clip_vit_l14"}}}}
    assert changed(analyzers=own) == {"content_quality"}


def test_a_model_for_a_role_makes_all_stale_that_use_it() -> None:
    assert changed(models={"soundscape": {"model_id": "ast_audioset"}}) == {
        name for name, cls in analyzer_classes().items() if "soundscape" in cls.models_used
    }
    asked = {n for n, cls in analyzer_classes().items() if "clip" in cls.optional_models}
    assert len(asked) >= 4
    assert changed(models={"clip": {"model_id": "clip_vit_l14"}}) == asked


def test_the_full_profile_makes_stale_what_it_changes() -> None:
    stale = changed(profile="full")
    assert {"object_detection", "face_emotion", "speech_transcription"} <= stale
    assert not {"cut_analysis", "eye_tracking", "color_analysis"} & stale


def test_a_role_may_go_without_a_model_where_analyzers_can_do_without() -> None:
    without = Settings.model_validate(
        {"profile": "full", "models": {"scene_parser": {"model_id": ""}}}
    )
    assert held_roles(BackgroundSegmentation, without) == list(BackgroundSegmentation.models_used)
    assert not models_of(BackgroundSegmentation, without).has("scene_parser")
    holders = profile_holders("full", without.role_choices(), without.files())
    assert "scene_parser" not in holders
    assert "clip" in holders
    full = Settings.model_validate({"profile": "full"})
    assert code_version(BackgroundSegmentation, full) != code_version(
        BackgroundSegmentation, without
    )


def test_the_result_says_which_model_it_was(tmp_path: Path) -> None:
    pytest.importorskip("transformers")
    tiny = tiny_models(tmp_path / "models", clip="clip_vit_l14")
    results = ResultStore(url=str(tmp_path / "results"))
    video = video_of([portrait()])
    analyze_and_store(ContentQuality(tiny), video, results, {})
    [with_clip] = results.read_json("content_quality", video.id)["models"]
    assert (with_clip["role"], with_clip["model_id"]) == ("clip", "clip_vit_l14")
    assert with_clip["sha256"] == tiny.files.fingerprint("clip_vit_l14")
    without = {role: c for role, c in tiny.choices.items() if role != "clip"}
    analyze_and_store(ContentQuality(Models(without, tiny.files)), video, results, {})
    assert results.read_json("content_quality", video.id)["models"] == []
    assert ModelChoice("clip_vit_l14") == tiny.choices["clip"]
