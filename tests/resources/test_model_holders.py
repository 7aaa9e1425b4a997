import dagster as dg
import pytest

from analyzers.models.cache import ModelCache
from analyzers.models.lending import ModelChoice
from analyzers.models.weights import ModelFiles, UnknownModel
from resources.model_holders import ModelHolder, holder_class, models_from_holders, profile_holders
from tests.small_models import file_entry, manifest, model_entry, put


@pytest.fixture
def files(tmp_path):
    models = {
        "m": model_entry({"a.bin": file_entry(b"alpha")}),
        "n": model_entry({"a.bin": file_entry(b"beta")}),
        "w": model_entry({"a.bin": file_entry(b"gamma")}, roles=["writer"]),
    }
    for name, content in (("m", b"alpha"), ("n", b"beta"), ("w", b"gamma")):
        put(tmp_path, name, "a.bin", content)
    return ModelFiles(tmp_path, manifest(models, {"reader": "m", "writer": "w"}))


def test_one_holder_for_each_role_of_a_profile(files):
    holders = profile_holders("embedded", files=files)
    assert {role: type(h).__name__ for role, h in holders.items()} == {
        "reader": "ReaderHolder",
        "writer": "WriterHolder",
    }
    assert holders["reader"].choice() == ModelChoice("m")
    chosen = profile_holders("embedded", {"reader": ModelChoice("n", "cpu")}, files)
    assert chosen["reader"].choice() == ModelChoice("n", "cpu")
    with pytest.raises(UnknownModel, match="serves writer, not reader"):
        profile_holders("embedded", {"reader": ModelChoice("w")}, files)


def test_the_projects_profiles_have_holders():
    assert {"detector", "ocr", "asr", "shots", "sound"} <= profile_holders("embedded").keys()
    assert profile_holders("full")["detector"].model_id != profile_holders()["detector"].model_id


def test_a_holder_shows_its_fields_and_what_it_is_for():
    fields = ModelHolder.model_fields
    assert all(fields[name].description for name in ("model_id", "device", "runtime"))
    assert "`detector`" in (holder_class("detector").__doc__ or "")


def test_steps_and_runs_share_one_loaded_model(files):
    cache = ModelCache(lambda device: 100.0)
    models_seen = []

    def step(name):
        @dg.asset(name=name, required_resource_keys={"reader"})
        def asset(context):
            held = {"reader": context.resources.reader}
            with models_from_holders(held, files=files, cache=cache).lend("reader") as reader:
                models_seen.append(reader)
                assert reader.read("a.bin") == b"alpha"

        return asset

    resources = profile_holders("embedded", files=files)
    for _ in range(2):
        result = dg.materialize(
            [step("one"), step("two")], resources={"reader": resources["reader"]}
        )
        assert result.success
    assert len(models_seen) == 4
    assert len(set(map(id, models_seen))) == 1
    [stats] = cache.stats()
    assert (stats.loads, stats.hits) == (1, 3)


def test_a_run_can_configure_another_model(files):
    cache = ModelCache(lambda device: 100.0)

    @dg.asset(required_resource_keys={"reader"})
    def reads(context):
        held = {"reader": context.resources.reader}
        with models_from_holders(held, files=files, cache=cache).lend("reader") as reader:
            return reader.identity.model_id

    result = dg.materialize(
        [reads],
        resources={"reader": profile_holders("embedded", files=files)["reader"]},
        run_config={"resources": {"reader": {"config": {"model_id": "n"}}}},
    )
    assert result.output_for_node("reads") == "n"


def test_an_analyzers_own_choice_goes_before_the_holders(files):
    held = {"reader": holder_class("reader")(model_id="m")}
    models = models_from_holders(held, {"reader": ModelChoice("n")}, files)
    assert models.identity("reader").model_id == "n"
