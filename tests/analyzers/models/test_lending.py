import pytest

from analyzers.models import lending, runtime
from analyzers.models.base import usage_log
from analyzers.models.cache import ModelCache, default_budget_mb, process_cache
from analyzers.models.lending import ModelChoice, Models
from analyzers.models.runtime import DeviceUnavailable
from analyzers.models.weights import ModelFiles, ModelMissing, UnknownModel
from tests.small_models import file_entry, manifest, model_entry, put

ON_BOTH = {"cpu": ["openvino", "torch"], "cuda": ["torch"]}


@pytest.fixture
def files(tmp_path):
    models = {
        "m": model_entry({"a.bin": file_entry(b"alpha")}),
        "both": model_entry({"a.bin": file_entry(b"alpha")}, runtimes=ON_BOTH),
    }
    put(tmp_path, "m", "a.bin", b"alpha")
    return ModelFiles(tmp_path, manifest(models, {"reader": "m"}))


@pytest.fixture
def cache():
    return ModelCache(lambda device: 100.0)


@pytest.fixture
def gpu(monkeypatch):
    """Sets whether torch sees a GPU."""
    return lambda there: monkeypatch.setattr(runtime, "cuda_available", lambda: there)


def test_lends_what_the_manifest_names(files, cache):
    models = Models({"reader": ModelChoice("m")}, files, cache)
    with usage_log() as log, models.lend("reader") as reader:
        assert reader.read("a.bin") == b"alpha"
    [use] = log.uses
    assert (use.calls, use.identity.model_id, use.identity.device) == (1, "m", "cpu")
    assert use.identity.runtime == "native"
    assert use.identity.sha256 == files.fingerprint("m")


def test_two_configurations_share_a_model(files, cache):
    with Models({"reader": ModelChoice("m")}, files, cache).lend("reader") as first:
        pass
    other = Models({"reader": ModelChoice("m", device="cpu", runtime="native")}, files, cache)
    with other.lend("reader") as second:
        assert first is second


def test_errors_say_what_there_is(files, cache):
    models = Models({"reader": ModelChoice("both"), "writer": ModelChoice("m")}, files, cache)
    with (
        pytest.raises(UnknownModel, match="role 'ocr'; there are reader, writer"),
        models.lend("ocr"),
    ):
        pass
    with pytest.raises(UnknownModel, match="serves reader, not writer"), models.lend("writer"):
        pass
    with pytest.raises(ModelMissing, match="models pull both"), models.lend("reader"):
        pass
    assert not any(s.loads for s in cache.stats())


def test_fingerprints_need_no_weights(files):
    models = Models({"reader": ModelChoice("both")}, files)
    assert models.fingerprints(["reader"]) == {"reader": f"both@{files.fingerprint('both')}"}


@pytest.mark.parametrize(
    ("there", "device", "chosen", "expected"),
    [
        (False, "auto", "auto", ("cpu", "openvino")),
        (True, "auto", "auto", ("cuda:0", "torch")),
        (True, "cuda", "auto", ("cuda:0", "torch")),
        (True, "cuda:1", "auto", ("cuda:1", "torch")),
        (True, "cpu", "auto", ("cpu", "openvino")),
        (True, "cpu", "torch", ("cpu", "torch")),
    ],
)
def test_device_and_runtime_are_settled(files, gpu, there, device, chosen, expected):
    gpu(there)
    identity = Models({"reader": ModelChoice("both", device, chosen)}, files).identity("reader")
    assert (identity.device, identity.runtime) == expected


@pytest.mark.parametrize(
    ("there", "model", "device", "chosen", "message"),
    [
        (False, "both", "cuda", "auto", "no NVIDIA GPU"),
        (True, "m", "cuda:0", "auto", "runs on cpu, not on cuda:0"),
        (True, "both", "cuda", "openvino", "no runtime openvino on cuda:0; it has torch"),
        (True, "both", "cpu", "tensorrt", "it has openvino, torch"),
    ],
)
def test_nothing_falls_back_silently(files, gpu, there, model, device, chosen, message):
    gpu(there)
    models = Models({"reader": ModelChoice(model, device, chosen)}, files)
    with pytest.raises(DeviceUnavailable, match=message):
        models.identity("reader")


def test_auto_stays_on_the_cpu_for_a_model_without_cuda(files, gpu):
    gpu(True)
    assert Models({"reader": ModelChoice("m")}, files).identity("reader").device == "cpu"


def test_the_embedded_profile_is_the_manifests_and_shares_one_cache():
    models = Models.embedded()
    assert models.cache is process_cache
    assert models.choices["detector"] == lending.ModelChoice("yolo26n")
    assert models.fingerprints(models.choices).keys() == models.choices.keys()
    with pytest.raises(UnknownModel, match=r"'none'.*embedded, full"):
        Models.of_profile("none")


def test_a_gpu_is_asked_for_what_a_model_needs_there(tmp_path, gpu):
    gpu(True)
    entries = {
        name: model_entry({"a.bin": file_entry(b"a")}, runtimes=ON_BOTH, memory_mb=10, vram_mb=60)
        for name in ("first", "second")
    }
    for name in entries:
        put(tmp_path, name, "a.bin", b"a")
    files, cache = ModelFiles(tmp_path, manifest(entries)), ModelCache(lambda device: 100.0)

    def lent(name, device):
        with Models({"reader": ModelChoice(name, device)}, files, cache).lend("reader") as model:
            return model

    first = lent("first", "cuda:0")
    lent("second", "cuda:0")
    assert first.closed  # 60 and 60 do not fit in 100 MB
    assert [s.memory_mb for s in cache.stats()] == [60, 60]
    on_cpu = lent("first", "cpu")
    lent("second", "cpu")
    assert not on_cpu.closed


def test_workers_that_share_memory_get_a_part_each(monkeypatch):
    monkeypatch.setattr("analyzers.memory.available_bytes", lambda: 10e9)
    assert default_budget_mb("cpu") == pytest.approx(6000)
    monkeypatch.setenv("TIKTOK_ASSETS_RAM_SHARERS", "3")
    assert default_budget_mb("cpu") == pytest.approx(2000)
