"""Analyzers with the full profile's optional models, tiny ones of the real classes: what changes,
and that nothing of the schema does."""

from collections.abc import Mapping

import numpy as np
import pytest

from analyzers.audio_environment import AudioEnvironment
from analyzers.background_segmentation import BackgroundSegmentation
from analyzers.base import AnalysisResult, Analyzer
from analyzers.composition_analysis import CompositionAnalysis
from analyzers.content_quality import ContentQuality
from analyzers.face_emotion import FaceEmotion
from analyzers.faces import FacesProduct
from analyzers.methods.edit.scene_labels import SceneEvidence, scores
from analyzers.methods.picture.parsed_scene import background_shares, parsed_evidence
from analyzers.methods.picture.setting import setting_of
from analyzers.models.lending import ModelChoice, Models
from analyzers.product_detection import ProductDetection
from analyzers.run import RunRecord, run_analyzer
from analyzers.scene_segmentation import SceneSegmentation
from analyzers.speech_emotion import SpeechEmotion
from analyzers.video import Video
from tests.analyzers import test_content_quality as quality
from tests.analyzers import test_product_detection as products
from tests.analyzers.made_scenes import cuts
from tests.analyzers.made_upstream import made_result, made_shots
from tests.analyzers.made_voices import made_voices
from tests.analyzers.sample_face import borrowed, portrait, video_of
from tests.analyzers.test_speech_emotion import GLAD, PLAIN, USUAL, spoken
from tests.tiny_models import ADE_LABELS, SOUND_LABELS, tiny_models

pytest.importorskip("transformers")


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Models:
    """The embedded profile without any of the full one's models, but with their files."""
    return tiny_models(tmp_path_factory.mktemp("tiny"))


def compared(
    cls: type[Analyzer],
    tiny: Models,
    video: Video,
    upstream: Mapping[str, AnalysisResult],
    **roles: str,
) -> tuple[AnalysisResult, AnalysisResult, RunRecord]:
    """Without and with the roles' models; both results have been checked."""
    plain, without = run_analyzer(cls(tiny), video, upstream)
    chosen = {**tiny.choices, **{role: ModelChoice(name) for role, name in roles.items()}}
    full, record = run_analyzer(cls(Models(chosen, tiny.files)), video, upstream)
    assert plain.observations.schema == full.observations.schema
    assert plain.segments.schema == full.segments.schema
    assert plain.summary.keys() == full.summary.keys()
    used = {use.identity.role: use.identity.model_id for use in record.models}
    assert roles.items() <= used.items()  # the result says which model it was
    assert not roles.items() & {(u.identity.role, u.identity.model_id) for u in without.models}
    return plain, full, record


def test_the_background_is_named_by_a_scene_parser(tiny: Models) -> None:
    for role in BackgroundSegmentation.models_used:
        borrowed(role)
    video = video_of([portrait()] * 2)
    plain, full, record = compared(
        BackgroundSegmentation, tiny, video, {}, scene_parser="segformer_b5_ade20k"
    )
    named = {part["label"] for part in full.summary["background_classes"]}
    assert named
    assert named <= {label.partition(",")[0] for label in ADE_LABELS}
    assert plain.observations.equals(full.observations)  # outlines are as before
    [use] = [use for use in record.models if use.identity.role == "scene_parser"]
    assert use.items == plain.summary["sampled_frame_count"]


def test_parts_of_a_picture_tell_where_it_is() -> None:
    labels = ("wall", "sky", "ceiling")
    classes = np.repeat([[1, 1, 0, 0]], 4, axis=0)
    subject = np.zeros((40, 40), bool)
    subject[:, 30:] = True
    shares = background_shares(classes, labels, subject)
    assert shares == {"wall": 0.25, "sky": 0.5}
    assert setting_of(parsed_evidence(shares))[0] == "outdoor"
    assert setting_of(parsed_evidence({"ceiling": 0.3, "wall": 0.5}))[0] == "indoor"
    assert setting_of(parsed_evidence({"wall": 1.0}))[0] == "uncertain"
    assert background_shares(classes, labels, np.ones((40, 40), bool)) == {}


def test_scenes_are_described_too(tiny: Models) -> None:
    borrowed("classifier")
    video = video_of([portrait(), 255 - portrait()])
    plain, full, _ = compared(
        SceneSegmentation, tiny, video, {"cut_analysis": cuts([0, 1, 2])}, clip="clip_vit_l14"
    )
    assert (
        plain.observations["confidence"].to_pylist() != full.observations["confidence"].to_pylist()
    )
    for column in ("scene", "view", "keyframe_frame"):
        assert plain.observations[column].equals(full.observations[column])


def test_a_description_is_one_more_opinion_on_a_scene() -> None:
    nothing = SceneEvidence(np.zeros((1, 1000)), {}, 0.0, 0.0, 0.0, 0.0)
    told = SceneEvidence(
        np.zeros((1, 1000)), {}, 0.0, 0.0, 0.0, 0.0, {"kitchen": 0.9, "other": 0.1}
    )
    classes = [""] * 1000
    assert scores(nothing, classes)["kitchen"] == 0
    assert scores(told, classes)["kitchen"] == pytest.approx(0.72)
    assert scores(told, classes).keys() == scores(nothing, classes).keys()


def test_products_are_described_too(tiny: Models) -> None:
    borrowed("classifier")
    video = video_of([np.ascontiguousarray(products.data.coffee()[:360])] * 2)
    objects = products.detected(video, [("cup", 0.85, (0.2, 0.1, 0.8, 0.9))])
    plain, full, record = compared(
        ProductDetection, tiny, video, {"object_detection": objects}, clip="clip_vit_l14"
    )
    [before], [after] = plain.observations.to_pylist(), full.observations.to_pylist()
    assert before["agreement"] < after["agreement"] <= 1
    assert before["confidence"] <= after["confidence"] <= 1
    assert {use.identity.role for use in record.models} == {"classifier", "clip"}


def test_a_shot_that_nothing_measures_may_be_described(tiny: Models) -> None:
    video = video_of([portrait()] * 2)
    upstream = {
        "cut_analysis": made_shots(video.grid, (0.0,)),
        "faces": made_result(FacesProduct, video.grid, []),
    }
    plain, full, _ = compared(CompositionAnalysis, tiny, video, upstream, clip="clip_vit_l14")
    assert plain.observations["shot_scale"].to_pylist() == [None]
    [row] = full.observations.to_pylist()
    # Random weights may or may not be sure of anything; what they say is marked as theirs.
    assert (row["shot_scale"] is None) == (row["shot_scale_basis"] != "described")
    assert row["shot_scale"] is None or row["shot_scale_confidence"] >= 0.5
    others = set(full.observations.column_names) - {
        "shot_scale", "shot_scale_confidence", "shot_scale_basis",
    }  # fmt: skip
    assert plain.observations.select(sorted(others)).equals(
        full.observations.select(sorted(others))
    )


def test_half_of_the_quality_score_is_learned(tiny: Models) -> None:
    video = quality.video_of([portrait(), 255 - portrait()])
    plain, full, record = compared(ContentQuality, tiny, video, {}, clip="clip_vit_l14")
    before, after = plain.observations["score"].to_numpy(), full.observations["score"].to_numpy()
    learned = 2 * after - before
    assert ((learned >= 0) & (learned <= 100)).all()
    assert np.abs(learned - before).max() > 1
    assert full.segments["score"].to_pylist() == pytest.approx(after.tolist(), abs=1e-3)
    measures = ["sharpness", "noise_sigma", "blockiness", "banding_ratio"]
    assert plain.observations.select(measures).equals(full.observations.select(measures))
    [use] = record.models
    assert use.items == 2  # both pictures, in one batch
    assert use.calls == 1


def test_a_network_judges_the_voice(tiny: Models) -> None:
    borrowed("pronunciation")
    video, upstream = spoken(USUAL, (170.0, 0.09, GLAD), language="de")
    plain, full, _ = compared(
        SpeechEmotion, tiny, video, upstream, voice_emotion="wav2vec2_msp_dim"
    )
    assert plain.observations["valence"].to_pylist() == [None, None]  # its words are not judged
    for row in full.observations.to_pylist():
        assert all(-1 <= row[name] <= 1 for name in ("arousal", "valence", "dominance"))
        assert 0 < row["confidence"] <= 1
    assert full.observations["text"].to_pylist() == [PLAIN, GLAD]
    for column in ("f0_hz", "level_dbfs", "snr_db"):
        assert plain.observations[column].equals(full.observations[column])


def test_ast_hears_in_yamnets_place(tiny: Models) -> None:
    borrowed("soundscape")
    video, _ = spoken(USUAL, USUAL)
    _, full, record = compared(
        AudioEnvironment, tiny, video, {"voices": made_voices(video, [(0.5, 2.0)])},
        soundscape="ast_audioset",
    )  # fmt: skip
    heard = [r["label"] for r in full.observations.to_pylist() if r["kind"] in ("event", "place")]
    assert set(heard) <= set(SOUND_LABELS)
    assert [use.identity.runtime for use in record.models] == ["torch"]


def test_hsemotion_in_fers_place(tiny: Models) -> None:
    for role in (*FacesProduct.models_used, "emotion"):
        borrowed(role)
    video = video_of([portrait()] * 2)
    faces = run_analyzer(FacesProduct(tiny), video, {})[0]
    _, full, _ = compared(FaceEmotion, tiny, video, {"faces": faces}, emotion="hsemotion_b0")
    row = full.observations.to_pylist()[0]
    seven = [row[e] for e in ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")]
    assert sum(seven) == pytest.approx(1, abs=1e-4)
