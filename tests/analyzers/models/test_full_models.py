"""The full profile's adapters, each through its library's real classes with tiny random weights."""

import numpy as np
import pytest

from analyzers.methods.edit.scene_labels import SCENE_LABELS
from analyzers.methods.picture.prompts import GOOD_PICTURE, OTHER, SCENES, SHOT_SCALES, goods
from analyzers.methods.picture.shot_scale import SCALES
from analyzers.models.age_gender import InsightFaceEstimator, SeenFace
from analyzers.models.base import ModelIdentity, usage_log
from analyzers.models.cache import ModelCache
from analyzers.models.detector import COCO_LABELS
from analyzers.models.emotion import EMOTIONS
from analyzers.models.lending import ModelChoice, Models
from analyzers.models.soundscape import WINDOW
from analyzers.models.weights import Manifest, ModelFiles
from tests.small_models import file_entry, manifest
from tests.tiny_models import (
    ADE_LABELS,
    AGE_GENDER_WEIGHTS,
    SOUND_LABELS,
    tiny_manifest,
    tiny_models,
)

pytest.importorskip("transformers")
NOISE = np.random.default_rng(0)


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    return tiny_models(
        tmp_path_factory.mktemp("tiny"), clip="clip_vit_l14", scene_parser="segformer_b5_ade20k",
        soundscape="ast_audioset", voice_emotion="wav2vec2_msp_dim", emotion="hsemotion_b0",
        age_gender="insightface_genderage",
    )  # fmt: skip


def pictures(count, height=48, width=36):
    return [NOISE.integers(0, 255, (height, width, 3), dtype=np.uint8) for _ in range(count)]


def test_clip_compares_pictures_with_sentences(models):
    seen = pictures(19)
    with usage_log() as log, models.lend("clip") as clip:
        vectors = clip.embed(seen)
        likely = clip.probabilities(vectors, SCENES)
        again = clip.probabilities(clip.embed(seen[3:4]), SCENES)
        nothing = clip.embed([])
    assert vectors.shape == (19, 12)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    assert likely.shape == (19, len(SCENES))
    np.testing.assert_allclose(likely.sum(axis=1), 1, atol=1e-5)
    np.testing.assert_allclose(again[0], likely[3], atol=1e-5)  # whatever the batch
    assert np.ptp(likely, axis=0).max() > 1e-4  # pictures differ
    assert nothing.shape == (0, 12)
    [use] = log.uses
    assert (use.calls, use.items) == (3, 20)  # 16 + 3, and one


def test_a_class_is_the_mean_of_its_sentences(models):
    with models.lend("clip") as clip:
        vectors = clip.embed(pictures(2))
        one = clip.probabilities(vectors, {"a": ("a dog",), "b": ("a cat",)})
        twice = clip.probabilities(vectors, {"a": ("a dog", "a dog"), "b": ("a cat",)})
        turned = clip.probabilities(vectors, {"b": ("a cat",), "a": ("a dog",)})
    np.testing.assert_allclose(one, twice, atol=1e-5)
    np.testing.assert_allclose(one, turned[:, ::-1], atol=1e-5)
    assert abs(one[0, 0] - 0.5) > 1e-6


def test_prompts_cover_what_the_analyzers_know():
    assert {*SCENES} == {*SCENE_LABELS, OTHER}
    assert tuple(SHOT_SCALES) == tuple(SCALES)
    assert list(GOOD_PICTURE) == ["good", "bad"]
    assert list(goods(["cup", "vase"])) == ["cup", "vase", OTHER]


def test_a_scene_parser_names_every_part(models):
    with models.lend("scene_parser") as parser:
        maps = parser.parse(pictures(9))
        [again] = parser.parse(pictures(1, 300, 200))
    assert parser.labels == ("wall", "building", "sky", "floor", "tree", "ceiling", "person")
    assert len(parser.labels) == len(ADE_LABELS)
    assert maps.shape == (9, 16, 16)
    assert again.shape == (16, 16)
    assert maps.min() >= 0
    assert maps.max() < len(ADE_LABELS)


def test_ast_hears_windows_as_yamnet_does(models):
    sound = NOISE.normal(0, 0.1, 3 * WINDOW).astype(np.float32)
    with models.lend("soundscape") as ears:
        heard = ears.probabilities(sound, [0, WINDOW // 2, -100, len(sound) - 10])
        none = ears.probabilities(sound, [])
    assert ears.classes == SOUND_LABELS
    assert heard.shape == (4, len(SOUND_LABELS))
    assert 0 < heard.min() < heard.max() < 1
    assert np.abs(heard[0] - heard[3]).max() > 1e-5  # noise, and next to silence
    assert none.shape == (0, len(SOUND_LABELS))


def test_voice_emotion_judges_utterances_one_by_one(models):
    said = [NOISE.normal(0, 0.1, n).astype(np.float32) for n in (16000, 8000, 100, 16000 * 30)]
    with usage_log() as log, models.lend("voice_emotion") as model:
        found = model.judge(said)
        [alone] = model.judge(said[1:2])
    assert found[2] is None  # too short to hear anything in
    assert found[1] == alone
    assert found[0] != found[1]
    assert all(np.isfinite([f.arousal, f.dominance, f.valence]).all() for f in found if f)
    assert log.uses[0].items == 4


def test_hsemotion_gives_seven_emotions(models):
    with models.lend("emotion") as classifier:
        red = np.zeros((classifier.crop_px, classifier.crop_px, 3), np.uint8)
        red[..., 0] = 255
        likely = classifier.probabilities(red)
        other = classifier.probabilities(255 - red)
    assert likely.shape == (len(EMOTIONS),)
    assert likely.sum() == pytest.approx(1, abs=1e-5)
    assert np.abs(likely - other).max() > 0.01
    # By hand: ImageNet's mean and deviation, the file's matrix, softmax without contempt.
    mean = (np.array([1, 0, 0]) - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]
    scores = mean @ np.random.default_rng(0).normal(size=(3, 8)).astype(np.float32)
    wanted = np.exp(scores[[0, 2, 3, 4, 6, 7, 5]])
    np.testing.assert_allclose(likely, wanted / wanted.sum(), rtol=0.02, atol=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("model_id", "description"),
    [
        ("yolo26x", "yolo26n.yaml"),
        ("yolov8x", "yolov8n.yaml"),
        ("yolo26x_pose", "yolo26n-pose.yaml"),
        ("yolov8x_pose", "yolov8n-pose.yaml"),
    ],
)
def test_large_yolos_load_as_the_small_ones_do(tmp_path, model_id, description):
    """A small one of each family, with the large one's entry: names in the pickle, loader, role."""
    from ultralytics import YOLO

    made = YOLO(description)
    if model_id in ("yolo26x", "yolov8x"):
        made.model.names = dict(enumerate(COCO_LABELS))
    real = Manifest.read().spec(model_id)
    [name] = real.files
    path = tmp_path / model_id / name
    path.parent.mkdir()
    made.save(path)
    pinned = file_entry(path.read_bytes(), pickle_names=sorted(real.files[name].pickle_names))
    entry = {**real.model_dump(exclude={"model_id"}), "files": {name: pinned}}
    [role] = real.roles
    files = ModelFiles(tmp_path, manifest({model_id: entry}))
    models = Models({role: ModelChoice(model_id)}, files, ModelCache(lambda device: 1e4))
    with models.lend(role) as model:
        ask = model.detect if role == "detector" else model.estimate
        found = ask(pictures(2, 96, 64), 0.01)
    assert len(found) == 2
    assert model.identity.runtime == "torch"


def seen_face(picture, box):
    return SeenFace(picture, np.array(box), np.zeros((5, 2)))


def test_insightface_tells_age_and_gender_of_a_square_around_the_box(models):
    """The tiny network's numbers follow from the mean colour of what it is shown."""
    picture = np.zeros((80, 120, 3), np.uint8)
    # Of 1.5 times the longer side, 40: 60 pixels about the middle, here all of one colour.
    picture[10:70, 30:90] = (100, 140, 60)
    inside = seen_face(picture, (0.375, 0.25, 0.625, 0.75))
    at_the_edge = seen_face(picture[10:], (0.375, -0.25, 0.625, 2 / 7))  # the upper half is black
    with usage_log() as log, models.lend("age_gender") as estimator:
        looks = estimator.judge([inside, at_the_edge])
    scores = np.array([100, 140, 60]) @ AGE_GENDER_WEIGHTS
    female = 1 / (1 + np.exp(scores[1] - scores[0]))
    assert looks.ages_years[0] == pytest.approx(100 * scores[2], abs=0.7)
    assert looks.female[0] == pytest.approx(female, abs=0.01)
    assert 0 < looks.ages_years[1] < 0.7 * looks.ages_years[0]
    assert (log.uses[0].identity.model_id, log.uses[0].items) == ("insightface_genderage", 2)
    assert log.uses[0].identity.runtime == "onnxruntime"


def test_insightface_tells_no_age_below_nothing_or_without_end(models):
    def ages_of(told):
        identity = ModelIdentity("age_gender", "made", "0" * 64, "cpu", "onnxruntime")
        estimator = InsightFaceEstimator(identity, lambda chip: np.array([told], np.float32))
        return estimator.judge([seen_face(pictures(1)[0], (0, 0, 1, 1))]).ages_years.tolist()

    assert ages_of([0, 0, -0.2]) == [0]
    assert ages_of([0, 0, 3.0]) == [100]
    with pytest.raises(ValueError, match="made tells \\(2,\\) numbers of a face, not 3"):
        ages_of([0, 0])


def test_missing_weights_are_not_made_up(tmp_path):
    from safetensors.torch import load_file, save_file

    manifest = tiny_manifest(tmp_path)
    path = tmp_path / "clip_vit_l14" / "model.safetensors"
    weights = load_file(path)
    del weights["logit_scale"]
    save_file(weights, path, metadata={"format": "pt"})
    from analyzers.models.clip import load_clip

    identity = ModelIdentity("clip", "clip_vit_l14", "0" * 64, "cpu", "torch")
    files = {p.name: p for p in path.parent.iterdir()}
    with pytest.raises(ValueError, match="clip_vit_l14 lacks 1 weights of CLIPModel, logit_scale"):
        load_clip(identity, files, ModelChoice("clip_vit_l14"))
    assert manifest.spec("clip_vit_l14").roles == ("clip",)


def test_the_full_profile_serves_every_role_and_takes_no_surprising_licence():
    manifest = Manifest.read()
    full, embedded = manifest.profile("full"), manifest.profile("embedded")
    assert embedded.keys() <= full.keys()
    for role, choice in full.items():
        assert role in manifest.model_for(role, choice.model).roles
    restricted = {c.model for c in full.values() if manifest.spec(c.model).non_commercial}
    assert restricted == {"segformer_b5_ade20k"}  # which `models pull` tells
    for model_id in ("wav2vec2_msp_dim", "insightface_genderage"):
        assert manifest.spec(model_id).non_commercial
    for spec in manifest.models.values():
        if "cuda" in spec.runtimes and any(f.sha256 is None for f in spec.files.values()):
            assert spec.vram_mb, spec.model_id
            assert spec.size_bytes > 0, spec.model_id
