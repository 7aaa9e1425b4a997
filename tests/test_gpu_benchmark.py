"""The GPU benchmark runs, here on the CPU with tiny networks; full size is what was published."""

import json
from pathlib import Path

import pytest

pytest.importorskip("transformers")

from benchmarks import gpu, random_networks
from tests.resources.clips import make_clip


@pytest.mark.slow
def test_it_runs_and_writes_what_it_measured(tmp_path: Path) -> None:
    out = tmp_path / "gpu.json"
    gpu.main(out=out, device="cpu", video=None, minutes=5.0, tiny=True)
    told = json.loads(out.read_text())
    assert told["smoke_test"] is True
    assert told["machine"]["device"] == "cpu"
    assert told["networks"].keys() == {*random_networks.MAKERS, "vlm", "asr"}
    for role in random_networks.MAKERS:
        network = told["networks"][role]
        assert network["weights"] == "random"
        assert network["gflop_per_item"] > 0
        assert [row["batch"] for row in network["batches"]] == [1, 2]
        assert all(row["items_per_s"] > 0 for row in network["batches"])
    vlm = told["networks"]["vlm"]
    assert [row["shots"] for row in vlm["by_shots"]] == [1, 10]
    one, ten = (row["prefill_pflop"] for row in vlm["by_shots"])
    assert ten == pytest.approx(10 * one, rel=0.01)
    assert vlm["vision"]["pflop"] > 0
    alone, together = vlm["in_batch"]["rows"]
    assert (alone["videos"], alone["generate_calls_per_video"]) == (1, 2)
    assert (together["videos"], together["generate_calls_per_video"]) == (2, 1)
    assert together["realtime_factor"] > 0
    asr = told["networks"]["asr"]
    assert asr["model"] == "whisper_base_ct2"
    if "error" not in asr:  # it was pulled
        assert [row["batch"] for row in asr["batches"]] == [1, 2]
        assert all(row["windows_per_s"] > 0 for row in asr["batches"])


def test_decoding_is_measured_by_cpu_and_gpu(tmp_path: Path) -> None:
    told = gpu._decodes(make_clip(tmp_path / "clip.mp4", count=10))
    assert (told["cpu"]["by"], told["cpu"]["realtime_factor"] > 0) == ("cpu", True)
    nvdec = told["nvdec"]
    assert nvdec.get("by") == "nvdec" or "no NVIDIA GPU decodes here" in nvdec["error"]


def test_nothing_is_begun_after_the_time_is_over(tmp_path: Path) -> None:
    out = tmp_path / "gpu.json"
    gpu.main(out=out, device="cpu", video=None, minutes=0.0, tiny=True)
    networks = json.loads(out.read_text())["networks"]
    assert {str(network) for network in networks.values()} == {"{'skipped': 'out of time'}"}


def test_without_a_gpu_it_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gpu.runtime, "cuda_available", lambda: False)
    with pytest.raises(SystemExit, match="no NVIDIA GPU here"):
        gpu.main(out=tmp_path / "x", device="cuda:0", video=None, minutes=1.0, tiny=False)


@pytest.mark.parametrize(
    ("role", "millions"),
    [("clip", 427.6), ("scene_parser", 84.7), ("soundscape", 86.6), ("voice_emotion", 165.3)],
)
def test_full_size_is_the_published_one(role: str, millions: float) -> None:
    """Without memory for the weights: on torch's device `meta`."""
    network = random_networks.MAKERS[role]("meta", False)._network  # type: ignore[attr-defined]
    assert sum(p.numel() for p in network.parameters()) / 1e6 == pytest.approx(millions, rel=0.01)


def test_qwen2_vl_has_the_published_size() -> None:
    network = random_networks.qwen2_vl("meta", "full")
    assert sum(p.numel() for p in network.parameters()) / 1e9 == pytest.approx(8.29, rel=0.01)
