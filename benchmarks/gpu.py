"""What the full profile costs on a GPU, in one command, within `--minutes`; writes a JSON file.

    python -m benchmarks.gpu --out gpu.json [--video VIDEO] [--device cuda:0]

- Each network by batch size: items a second, peak memory, and the share of the card's published
  peak that the counted operations make. With the published weights where they were pulled, else
  with random ones of the full size (`weights` says which): time does not depend on their values.
- Qwen2-VL-7B's sizes with random weights: the vision tower on the frames of 50 s, the prefill of
  11,500 tokens, and a fixed number of new tokens, with the share of the card's bandwidth that
  reading the weights once a token takes. Then through the adapter, from frames to text: a video of
  50 s alone, and several whose shots share batches.
- Whisper, where it was pulled, by how many windows it hears at once: the sample's speech, in each.
- With `--video`, each analyzer on it in the profile `full`, warm, one after the other; for that
  every model has to be pulled. And its decoding, by the CPU and by NVDEC.

`--tiny` takes tiny networks and few items, to see that it runs: its figures mean nothing.
"""

from __future__ import annotations

import gc
import json
import platform
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from analyzers.models import runtime
from analyzers.models.cache import ModelLoadError, process_cache
from analyzers.models.halving import OutOfDeviceMemory
from analyzers.models.lending import ModelChoice, Models
from analyzers.models.weights import ModelFileError
from analyzers.run import run_analyzer
from benchmarks import random_networks, vlm_batches
from benchmarks.pipeline import in_order
from resources.media import LadderSettings, MediaError, open_video
from tiktok_assets.analysis import models_of
from tiktok_assets.settings import Settings

#: Dense half-precision TFLOPS without sparsity, and memory bandwidth in GB/s, by NVIDIA's data
#: sheets, for the part of the name that the driver gives.
PEAKS: dict[str, tuple[float, float]] = {
    "H200": (989, 4800), "H100": (989, 3350), "A100": (312, 2039), "L40S": (362, 864),
    "L4": (121, 300), "RTX 4090": (165, 1008),
}  # fmt: skip
_SAMPLE = Path(__file__).resolve().parents[1] / "sample" / "street_portrait.mp4"
_FRAME_PX = (640, 360)
_SOUND_HZ = 16000
_BATCHES = (1, 4, 16, 64)
#: Of the prompt that describes 50 s: ten shots, 1150 tokens each.
_SHOTS, _PROMPT_TOKENS, _NEW_TOKENS, _VIDEO_S = 10, 1150, 128, 50
#: Every network is measured for this long, after one call that is not timed.
_MEASURE_S = 2.0


@dataclass
class _Clock:
    """The end of the time that was given."""

    end: float

    def over(self) -> bool:
        return time.monotonic() > self.end


def _frames(count: int) -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    return [rng.integers(0, 255, (*_FRAME_PX, 3), dtype=np.uint8) for _ in range(count)]


def _calls(role: str, model: Any) -> Callable[[int], object]:
    """What one batch of a size is, for the adapter of a role."""
    if role == "detector":
        return lambda n: model.detect(_frames(n), 0.25)
    if role == "pose":
        return lambda n: model.estimate(_frames(n), 0.25)
    if role == "soundscape":
        sound = np.random.default_rng(0).normal(0, 0.1, _SOUND_HZ * 70).astype(np.float32)
        return lambda n: model.probabilities(sound, [i * _SOUND_HZ for i in range(n)])
    if role == "voice_emotion":
        said = np.random.default_rng(0).normal(0, 0.1, _SOUND_HZ * 4).astype(np.float32)
        return lambda n: model.judge([said] * n)
    ask = model.embed if role == "clip" else model.parse
    return lambda n: ask(_frames(n))


def _measured(call: Callable[[], object], device: str, seconds: float) -> dict[str, float]:
    """Seconds a call, and the peak of memory, after one call that is not timed."""
    call()
    _synchronize(device)
    _reset_peak(device)
    started, calls = time.perf_counter(), 0
    while calls == 0 or time.perf_counter() - started < seconds:
        call()
        calls += 1
    _synchronize(device)
    took = (time.perf_counter() - started) / calls
    return {"seconds": took, "calls": calls, "peak_mb": _peak_mb(device)}


def _flops(call: Callable[[], object]) -> int:
    from torch.utils.flop_counter import FlopCounterMode

    with FlopCounterMode(display=False) as counter:
        call()
    return int(counter.get_total_flops())


def _synchronize(device: str) -> None:
    if device.startswith("cuda"):
        import torch

        torch.cuda.synchronize(device)


def _reset_peak(device: str) -> None:
    if device.startswith("cuda"):
        import torch

        torch.cuda.reset_peak_memory_stats(device)


def _peak_mb(device: str) -> float:
    """Most memory of the GPU in use at a time, in MB; 0 on a CPU, where torch does not count it."""
    if not device.startswith("cuda"):
        return 0.0
    import torch

    return torch.cuda.max_memory_allocated(device) / 1e6


def _free(device: str) -> None:
    """Give back what a network held, so that the next one's peak is its own."""
    process_cache.clear()
    gc.collect()
    if device.startswith("cuda"):
        import torch

        torch.cuda.empty_cache()


def _network(
    role: str, device: str, tiny: bool, batches: Sequence[int], seconds: float
) -> dict[str, Any]:
    """One role's network at every batch size that fits."""
    model, weights = _model(role, device, tiny)
    call = _calls(role, model)
    flops = _flops(lambda: call(1))
    rows: list[dict[str, Any]] = []
    for size in batches:
        model.batch_size = size  # the adapter's own, which would cut it up
        try:
            row = _measured(lambda size=size: call(size), device, seconds)  # type: ignore[misc]
        except RuntimeError as error:  # out of memory is one
            rows.append({"batch": size, "error": str(error).splitlines()[0]})
            break
        per_s = size / row["seconds"]
        rows.append({"batch": size, **row, "items_per_s": per_s, "tflops": per_s * flops / 1e12})
    return {"weights": weights, "gflop_per_item": flops / 1e9, "batches": rows}


def _model(role: str, device: str, tiny: bool) -> tuple[Any, str]:
    """The adapter with the published weights where they are here, else with random ones."""
    made_id = {"voice_emotion": "wav2vec2_msp_dim"}.get(role)
    full = Models.of_profile("full")
    model_id = made_id or full.choices[role].model_id
    if not tiny:
        chosen = Models({role: ModelChoice(model_id, device)}, full.files)
        try:
            with chosen.lend(role) as model:
                return model, "published"
        except ModelFileError:
            pass
    return random_networks.MAKERS[role](device, tiny), "random"


def _qwen(device: str, tiny: bool, seconds: float) -> dict[str, Any]:
    """Vision tower, prefill and new tokens of Qwen2-VL-7B's sizes, by how many shots at once."""
    import torch

    network = random_networks.qwen2_vl(device, "tiny" if tiny else "full")
    config = network.config
    weight_bytes = sum(p.numel() * p.element_size() for p in network.parameters())
    prompt, new = (16, 4) if tiny else (_PROMPT_TOKENS, _NEW_TOKENS)
    rows = []
    for shots in (1, _SHOTS):
        ids = torch.randint(1, config.text_config.vocab_size - 1, (shots, prompt), device=device)

        def write(count: int, ids: Any = ids) -> None:
            with torch.inference_mode():
                network.generate(
                    input_ids=ids, attention_mask=torch.ones_like(ids), do_sample=False,
                    max_new_tokens=count, min_new_tokens=count,
                )  # fmt: skip

        prefill = _measured(lambda: write(1), device, seconds)
        whole = _measured(lambda: write(1 + new), device, seconds)
        flops = _flops(lambda: write(1))
        step_s = max(whole["seconds"] - prefill["seconds"], 1e-9) / new
        rows.append(
            {
                "shots": shots, "prompt_tokens": shots * prompt, "new_tokens_per_shot": new,
                "prefill_seconds": prefill["seconds"], "prefill_pflop": flops / 1e15,
                "prefill_tflops": flops / prefill["seconds"] / 1e12,
                "seconds_per_token_step": step_s,
                "weights_read_gb_per_s": weight_bytes / step_s / 1e9,
                "seconds": whole["seconds"], "peak_mb": whole["peak_mb"],
            }
        )  # fmt: skip
    return {"weights": "random", "weights_gb": weight_bytes / 1e9, "by_shots": rows,
            "vision": _vision(network, device, tiny, seconds),
            "in_batch": _in_batch(network, device, tiny)}  # fmt: skip


def _in_batch(network: Any, device: str, tiny: bool) -> dict[str, Any]:
    """Videos of 50 s, alone and several at once; `realtime_factor` is of this analyzer alone.

    Shots of five frames, with a question that makes them as long as `_PROMPT_TOKENS`.
    """
    load = vlm_batches.Load(_SHOTS, 5, _FRAME_PX, _PROMPT_TOKENS - 3 * 299, _NEW_TOKENS)
    if tiny:
        load = vlm_batches.Load(2, 2, (56, 56), 8, 2)
    model = random_networks.describer(network, device)
    _reset_peak(device)
    rows = vlm_batches.alone_and_together(
        model, 2 if tiny else 8, load, (16,) if tiny else (16, 40, 80)
    )
    told = [{**row, "realtime_factor": _VIDEO_S / row["seconds_per_video"]} for row in rows]
    return {"peak_mb": _peak_mb(device), "rows": told}


def _vision(network: Any, device: str, tiny: bool, seconds: float) -> dict[str, Any]:
    """The vision tower on 50 frames of 644x364, two of which make one step in time."""
    import torch

    vision = network.config.vision_config
    steps, rows, columns = (1, 4, 4) if tiny else (25, 46, 26)
    width = vision.in_channels * vision.temporal_patch_size * vision.patch_size**2
    dtype = next(network.parameters()).dtype
    patches = torch.randn(steps * rows * columns, width, device=device, dtype=dtype)
    grid = torch.tensor([[steps, rows, columns]], device=device)

    def look() -> None:
        with torch.inference_mode():
            network.model.visual(patches, grid_thw=grid)

    flops = _flops(look)
    return {"frames": 2 * steps, "pflop": flops / 1e15, **_measured(look, device, seconds)}


def _whisper(device: str, tiny: bool, seconds: float) -> dict[str, Any]:
    """Windows a second by how many are heard at once; torch does not count CTranslate2's memory."""
    full = Models.of_profile("full")
    model_id = "whisper_base_ct2" if tiny else full.choices["asr"].model_id
    with open_video(_SAMPLE) as video:
        assert video.audio_16k is not None
        said = np.array(video.audio_16k[: (2 if tiny else 19) * _SOUND_HZ])
    rows = []
    try:
        with Models({"asr": ModelChoice(model_id, device)}, full.files).lend("asr") as model:
            for size in (1, 2) if tiny else (1, 4, 8, 16):
                call = partial(model.hear, [said] * size, "en", batch_size=size)
                row = _measured(call, device, seconds)
                del row["peak_mb"]
                rows.append({"batch": size, **row, "windows_per_s": size / row["seconds"]})
    except (ModelFileError, ModelLoadError, OutOfDeviceMemory) as error:
        return {"model": model_id, "batches": rows, "error": str(error)}
    return {"model": model_id, "batches": rows}


def _decodes(path: Path) -> dict[str, Any]:
    """Wall-clock seconds from the file to the ladder, new each time."""
    took: dict[str, Any] = {}
    for decoder in ("cpu", "nvdec"):
        started = time.perf_counter()
        try:
            with open_video(path, settings=LadderSettings(decoder=decoder)) as video:
                spent = time.perf_counter() - started
                took[decoder] = {
                    "seconds": spent, "by": video.info.decoder,
                    "realtime_factor": video.info.end_s / spent,
                }  # fmt: skip
        except MediaError as error:
            took[decoder] = {"error": str(error)}
    return took


def _analyzers(path: Path, clock: _Clock) -> dict[str, Any]:
    """Seconds of each analyzer in the full profile, the second time it sees the video."""
    settings = Settings(profile="full")
    classes = settings.enabled()
    took: dict[str, Any] = {}
    with open_video(path) as video:
        results: dict[str, Any] = {}
        for name in in_order(classes):
            if clock.over():
                took[name] = {"skipped": "out of time"}
                continue
            cls = classes[name]
            analyzer = cls(models_of(cls, settings), settings.analyzer_settings(cls))
            upstream = {k: results[k] for k in {*cls.requires, *cls.optional} & results.keys()}
            try:
                results[name], _ = run_analyzer(analyzer, video, upstream)  # loads its models
                _, record = run_analyzer(analyzer, video, upstream)
            except (ModelFileError, LookupError) as error:
                took[name] = {"error": str(error)}
                continue
            took[name] = {
                "seconds": record.seconds,
                "seconds_per_50_s": record.seconds * 50 / video.info.end_s,
                "models": [f"{m.identity.model_id} on {m.identity.device}" for m in record.models],
            }
        return {"video_s": video.info.end_s, "analyzers": took}


def _machine(device: str) -> dict[str, Any]:
    import torch

    name = torch.cuda.get_device_name(device) if device.startswith("cuda") else platform.machine()
    peak = next((peak for part, peak in PEAKS.items() if part in name), (None, None))
    return {
        "device": device, "name": name, "torch": torch.__version__, "cuda": torch.version.cuda,
        "transformers": version("transformers"), "ultralytics": version("ultralytics"),
        "peak_tflops": peak[0], "peak_gb_per_s": peak[1],
        "deterministic": runtime.deterministic(),
    }  # fmt: skip


def main(
    out: Annotated[Path, typer.Option(help="The JSON file to write.")] = Path("gpu.json"),
    device: Annotated[str, typer.Option(help="cuda:N, or cpu for a test.")] = "cuda:0",
    video: Annotated[Path | None, typer.Option(help="Analyze this with the full profile.")] = None,
    minutes: Annotated[float, typer.Option(help="Nothing further is begun after so long.")] = 9.0,
    tiny: Annotated[bool, typer.Option(help="Tiny networks: only to see that it runs.")] = False,
) -> None:
    """Measure what there is time for, and write it."""
    runtime.prepare()
    if device.startswith("cuda") and not runtime.cuda_available():
        raise SystemExit(
            "torch sees no NVIDIA GPU here; --device cpu --tiny is a test of this file"
        )
    clock = _Clock(time.monotonic() + 60 * minutes)
    seconds, batches = (0.0, (1, 2)) if tiny else (_MEASURE_S, _BATCHES)
    told: dict[str, Any] = {"smoke_test": tiny, "machine": _machine(device), "networks": {}}
    works: dict[str, Callable[[], dict[str, Any]]] = {
        role: lambda role=role: _network(role, device, tiny, batches, seconds)  # type: ignore[misc]
        for role in random_networks.MAKERS
    }
    works["vlm"] = lambda: _qwen(device, tiny, seconds)
    works["asr"] = lambda: _whisper(device, tiny, seconds)
    for name, work in works.items():
        started = time.monotonic()
        told["networks"][name] = {"skipped": "out of time"} if clock.over() else work()
        _free(device)
        typer.echo(f"{name}: {time.monotonic() - started:.1f} s")
    if video is not None:
        told["decode"] = _decodes(video)
        told["full_profile"] = _analyzers(video, clock)
    out.write_text(json.dumps(told, indent=1))
    typer.echo(f"written to {out}")


if __name__ == "__main__":
    typer.run(main)
