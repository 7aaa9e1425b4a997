"""Local vision-language models: tiny ones of the real classes, through loader and processor."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from itertools import groupby
from pathlib import Path
from threading import get_ident
from typing import Any

import numpy as np
import pytest

from analyzers import progress
from analyzers.models.base import ModelIdentity, usage_log
from analyzers.models.captioner import Captioner, load_blip2
from analyzers.models.halving import OutOfDeviceMemory
from analyzers.models.lending import ModelChoice
from analyzers.models.vlm import Ask
from analyzers.models.vlm_transformers import LocalVlm, load_vlm, squared
from analyzers.models.weights import ModelFiles
from tests.analyzers.models import tiny_vlm

SAYS = '{"description": "A red ball rolls over a table, and then it stops.", "actions": []}'


def identity(runtime: str = "torch") -> ModelIdentity:
    return ModelIdentity("vlm", "tiny", "0" * 64, "cpu", runtime)


def ask(
    frames: int, question: str, seed: int = 0, level: int | None = None,
    shape: tuple[int, int, int] = (128, 96, 3),
) -> Ask:  # fmt: skip
    rng = np.random.default_rng(seed)
    return Ask(
        [
            rng.integers(0, 256, shape, np.uint8)
            if level is None
            else np.full(shape, level, np.uint8)
            for _ in range(frames)
        ],
        [0.4 * i for i in range(frames)],
        question,
    )


@pytest.fixture(scope="module", params=tiny_vlm.CHATS)
def chat(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> LocalVlm:
    files = tiny_vlm.save(request.param, tmp_path_factory.mktemp("random"))
    return load_vlm(identity(), files, ModelChoice("tiny"))


@pytest.fixture(scope="module")
def captioner(tmp_path_factory: pytest.TempPathFactory) -> Captioner:
    files = tiny_vlm.save("blip-2", tmp_path_factory.mktemp("blip2"))
    return load_blip2(identity(), files, ModelChoice("tiny"))


def test_a_batch_answers_as_each_alone_does(chat: LocalVlm) -> None:
    """Padding is on the left and masked; questions of unlike length, videos of unlike shape, and
    text alone are mixed.
    """
    count = chat.frames_wanted
    asks = [
        ask(count or 5, "What is it?"),
        Ask((), (), "And so?"),
        ask(count or 2, "What is to be seen in this shot, and what happens?", seed=1),
        ask(count or 3, "What is it?", seed=2, shape=(72, 160, 3)),
    ]
    with usage_log() as log:
        together = chat.answer(asks, max_new_tokens=6, batch_size=4)
    assert [use.calls for use in log.uses] == [2]  # text alone goes apart
    assert together == [chat.answer([one], 6, 1)[0] for one in asks]
    assert len({answer.text for answer in together}) == 4
    assert not any(answer.complete for answer in together)  # random weights ramble on


def test_two_analyses_take_turns(chat: LocalVlm) -> None:
    """Qwen's networks keep places of the question they are at."""
    count = chat.frames_wanted
    asks = [ask(count or 2, "What?", seed=1), ask(count or 6, "What is to be seen here?", seed=2)]
    alone = [chat.answer([one], 8, 1) for one in asks]
    at_work: list[int] = []
    hook = chat._model.register_forward_pre_hook(lambda *_: at_work.append(get_ident()))
    with ThreadPoolExecutor() as pool:
        assert list(pool.map(lambda one: chat.answer([one], 8, 1), asks)) == alone
    hook.remove()
    assert len(list(groupby(at_work))) == 2


def test_what_the_frames_show_decides(chat: LocalVlm) -> None:
    count = chat.frames_wanted or 3
    black, white = chat.answer([ask(count, "What?", level=0), ask(count, "What?", level=255)], 6, 2)
    assert black.text != white.text


@pytest.mark.parametrize("kind", tiny_vlm.CHATS)
def test_text_that_a_model_writes_comes_back_whole(kind: str, tmp_path: Path) -> None:
    model = load_vlm(identity(), tiny_vlm.save(kind, tmp_path, SAYS), ModelChoice("tiny"))
    count = model.frames_wanted or 2
    [answer] = model.answer([ask(count, "What?")], 40, 1)
    assert (answer.text, answer.complete) == (SAYS, True)
    [short] = model.answer([ask(count, "What?")], 3, 1)
    assert not short.complete
    assert SAYS.startswith(short.text)


def test_times_reach_the_processors_that_take_them(tmp_path: Path) -> None:
    """Qwen3-VL writes the mean time of each two frames before them."""
    model = load_vlm(identity(), tiny_vlm.save("qwen3_vl", tmp_path), ModelChoice("tiny"))
    inputs = model._inputs([Ask(ask(4, "").frames, [2.0, 2.4, 5.0, 5.4], "What?")])
    text = model._processor.tokenizer.decode(inputs["input_ids"][0])
    assert "<2.2 seconds>" in text
    assert "<5.2 seconds>" in text


def test_seconds_per_pair_of_frames(tmp_path: Path) -> None:
    """Qwen2.5-VL counts time in them: frames 0.5 s apart make pairs of a second."""
    model = load_vlm(identity(), tiny_vlm.save("qwen2_5_vl", tmp_path), ModelChoice("tiny"))
    inputs = model._inputs([Ask(ask(4, "").frames, [3.0, 3.5, 4.0, 4.5], "What?")])
    assert inputs["second_per_grid_ts"].tolist() == [pytest.approx(1.0)]


def test_a_cancelled_analysis_stops_between_two_tokens(chat: LocalVlm) -> None:
    task = progress.Task("t")
    tokens = 0

    def cancel_at_the_third(*_: Any) -> None:
        nonlocal tokens
        tokens += 1
        if tokens == 3:
            task.cancel()

    hook = chat._model.register_forward_pre_hook(cancel_at_the_third)
    with progress.run_task(task), pytest.raises(progress.Cancelled):
        chat.answer([ask(chat.frames_wanted or 2, "What?")], 50, 1)
    hook.remove()
    assert tokens == 3


class OutOfMemoryAbove:
    """Raises as CUDA does for batches of more than so many."""

    def __init__(self, most: int) -> None:
        self.most, self.sizes = most, list[int]()

    def __call__(self, _module: Any, _args: Any, inputs: dict[str, Any]) -> None:
        import torch

        size = len(inputs["input_ids"])
        if inputs["past_key_values"].get_seq_length() == 0:  # the question, not a further token
            self.sizes.append(size)
        if size > self.most:
            raise torch.OutOfMemoryError("CUDA out of memory")


def test_a_batch_that_does_not_fit_is_halved(tmp_path: Path) -> None:
    files = tiny_vlm.save("qwen2_vl", tmp_path)
    model = load_vlm(identity(), files, ModelChoice("tiny"))
    asks = [ask(2, "What?", seed=i) for i in range(5)]
    expected = model.answer(asks, 2, 1)
    limit = OutOfMemoryAbove(2)
    hook = model._model.register_forward_pre_hook(limit, with_kwargs=True)
    assert model.answer(asks, 2, 8) == expected
    assert limit.sizes == [5, 2, 2, 1]
    limit.sizes.clear()
    assert model.answer(asks[:4], 2, 8) == expected[:4]
    assert limit.sizes == [2, 2]  # it is not tried again with more
    limit.most = 0
    with pytest.raises(OutOfDeviceMemory, match=r"tiny.*fewer or smaller frames"):
        model.answer(asks, 2, 8)
    hook.remove()


def test_a_caption_for_each_picture(captioner: Captioner) -> None:
    asks = [ask(1, "ignored", seed=i) for i in range(3)]
    together = captioner.answer(asks, 8, 3)
    assert together == [captioner.answer([one], 8, 1)[0] for one in asks]
    assert len({caption.text for caption in together}) > 1


def test_a_frame_is_squared_without_losing_any_of_it() -> None:
    frame = np.full((9, 4, 3), 7, np.uint8)
    whole = squared(frame)
    assert whole.shape == (9, 9, 3)
    assert (whole[:, 2:6] == 7).all()
    assert whole.sum() == frame.sum()
    assert squared(frame.transpose(1, 0, 2)).shape == (9, 9, 3)


def test_four_bit_needs_a_gpu(tmp_path: Path) -> None:
    files = tiny_vlm.save("llava_next_video", tmp_path)
    with pytest.raises(ValueError, match=r"4 bit .* needs an NVIDIA GPU"):
        load_vlm(identity("torch_4bit"), files, ModelChoice("tiny"))


def test_a_model_of_another_kind_is_refused(tmp_path: Path) -> None:
    files = tiny_vlm.save("blip-2", tmp_path)
    with pytest.raises(ValueError, match=r"tiny is a blip-2.*qwen2_vl"):
        load_vlm(identity(), files, ModelChoice("tiny"))


def test_a_folder_as_qwen2_vl_was_published_loads(tmp_path: Path) -> None:
    """Its config is flat and older than video processors; the files are those of the manifest."""
    new = tiny_vlm.save("qwen2_vl", tmp_path, SAYS)
    config = json.loads(new["config.json"].read_text())
    text = config.pop("text_config")
    rope = text.pop("rope_parameters")
    vision = config["vision_config"]
    vision |= {"in_chans": vision.pop("in_channels"), "spatial_patch_size": 14}
    flat = {
        **text,
        **config,
        "model_type": "qwen2_vl",
        "rope_theta": rope["rope_theta"],
        "rope_scaling": {"type": "mrope", "mrope_section": rope["mrope_section"]},
    }
    new["config.json"].write_text(json.dumps(flat))
    images = json.loads(new["processor_config.json"].read_text())["image_processor"]
    kept = {k: images[k] for k in ("image_mean", "image_std", "merge_size", "patch_size",
                                   "temporal_patch_size", "image_processor_type")}  # fmt: skip
    edges = {"min_pixels": 784, "max_pixels": 25088, "processor_class": "Qwen2VLProcessor"}
    (tmp_path / "preprocessor_config.json").write_text(json.dumps({**kept, **edges}))
    template = {"chat_template": new["chat_template.jinja"].read_text()}
    (tmp_path / "chat_template.json").write_text(json.dumps(template))
    words = json.loads(new["tokenizer_config.json"].read_text())
    words = {**words, "tokenizer_class": "Qwen2Tokenizer"}
    words.pop("backend")
    new["tokenizer_config.json"].write_text(json.dumps(words))
    for name in ("processor_config.json", "chat_template.jinja"):
        new[name].unlink()
    files = {path.name: path for path in tmp_path.iterdir()}
    listed = ModelFiles(tmp_path).spec("qwen2_vl_7b").files
    assert {n for n in listed if ".safetensors" not in n} == {*files} - {"model.safetensors"}
    model = load_vlm(identity(), files, ModelChoice("tiny"))
    inputs = model._inputs([ask(4, "What?")])
    # 128 x 96 pixels in squares of 28, of which 32 are allowed; a pair of frames is one of two.
    assert inputs["video_grid_thw"].tolist() == [[2, 10, 6]]
    assert model.answer([ask(4, "What?")], 40, 1)[0].text == SAYS
