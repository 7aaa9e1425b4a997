"""Vision-language models that run here, through transformers.

Qwen2-VL (Wang et al. 2024, https://arxiv.org/abs/2409.12191), Qwen2.5-VL
(https://arxiv.org/abs/2502.13923) and Qwen3-VL; LLaVA-NeXT-Video (Zhang et al. 2024,
https://llava-vl.github.io/blog/2024-04-30-llava-next-video). Which one it is, its config.json says.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from analyzers import progress
from analyzers.models.base import ModelIdentity
from analyzers.models.halving import HalvingBatches
from analyzers.models.vlm import Answer, Ask, VisionLanguageModel, turn

if TYPE_CHECKING:
    from analyzers.models.lending import ModelChoice

_logger = logging.getLogger(__name__)

_QWEN = ("qwen2_vl", "qwen2_5_vl", "qwen3_vl", "qwen3_vl_moe")
_LLAVA = ("llava_next_video",)
#: LLaVA-NeXT-Video takes stacks of one length. At 144 tokens a frame, 8 leave room for question and
#: answer in its context of 4096.
_LLAVA_FRAMES = 8
#: Times are handed over as places in a clip of 1000 pictures a second: whole milliseconds.
_CLIP_FPS = 1000


class LocalVlm(VisionLanguageModel):
    """A chat model that takes clips, with its processor; several questions go in one batch.

    Nothing is sampled. A batch is padded on the left, and how wide it is moves the last bits of
    the sums; so the same questions in batches of the same size are answered alike.
    """

    def __init__(
        self, identity: ModelIdentity, model: Any, processor: Any, frames_wanted: int | None = None
    ) -> None:
        super().__init__(identity)
        self._model, self._processor = model, processor
        self.frames_wanted = frames_wanted
        self._batches = HalvingBatches(identity.model_id)
        self._lock = threading.Lock()

    def answer(
        self, asks: Sequence[Ask], max_new_tokens: int, batch_size: int, schema: dict | None = None
    ) -> list[Answer]:
        """See the base; the schema is not enforced here. Raises `OutOfDeviceMemory`."""
        # Questions of like size beside each other need little padding; text alone cannot stand
        # beside clips in one batch.
        order = sorted(range(len(asks)), key=lambda i: len(asks[i].frames))
        answers: dict[int, Answer] = {}
        for with_frames in (False, True):
            places = [i for i in order if bool(asks[i].frames) == with_frames]
            found = self._batches.run(
                [asks[i] for i in places],
                lambda batch: self._generate(batch, max_new_tokens),
                batch_size,
            )
            answers.update(zip(places, found, strict=True))
        return [answers[i] for i in range(len(asks))]

    def _generate(self, asks: Sequence[Ask], max_new_tokens: int) -> list[Answer]:
        import torch

        inputs = self._inputs(asks)
        with turn(self._lock), torch.inference_mode():
            written = self._model.generate(
                **inputs.to(self.identity.device, self._model.dtype),
                max_new_tokens=max_new_tokens,
                stopping_criteria=[alive],
                do_sample=False,
                # Files of weights come with settings for sampling, which greedy search warns of.
                temperature=None,
                top_p=None,
                top_k=None,
            )
        self.answered(asks)
        return decoded(self._processor.tokenizer, self._model, inputs["input_ids"], written)

    def _inputs(self, asks: Sequence[Ask]) -> Any:
        texts = self._processor.apply_chat_template(
            [_messages(ask) for ask in asks], tokenize=False, add_generation_prompt=True
        )
        clips: dict[str, Any] = {}
        if asks[0].frames:
            clips = {
                "videos": [self._clip(ask.frames) for ask in asks],
                "video_metadata": [_timing(ask.times_s) for ask in asks],
                "do_sample_frames": False,
                # The pictures are scaled and cut into patches where the model is.
                "device": self.identity.device,
            }
        return self._processor(
            text=texts, **clips, padding=True, padding_side="left", return_tensors="pt"
        )

    def _clip(self, frames: Sequence[np.ndarray]) -> np.ndarray:
        """(frames, channels, height, width) uint8."""
        # LLaVA cuts the middle square out: what is above and below in an upright video would go.
        shaped = [squared(frame) for frame in frames] if self.frames_wanted else frames
        return np.ascontiguousarray(np.stack(list(shaped)).transpose(0, 3, 1, 2))

    def close(self) -> None:
        """Free the weights, and hand the GPU what torch keeps."""
        import torch

        del self._model, self._processor
        if self.identity.device.startswith("cuda"):
            torch.cuda.empty_cache()


def _messages(ask: Ask) -> list[dict[str, Any]]:
    """The conversation in the form that chat templates take."""

    def said(role: str, text: str) -> dict[str, Any]:
        return {"role": role, "content": [{"type": "text", "text": text}]}

    first = said("user", ask.question)
    if ask.frames:
        first["content"].insert(0, {"type": "video"})
    later = [
        said(role, text)
        for turn in ask.turns
        for role, text in zip(("assistant", "user"), turn, strict=True)
    ]
    return [first, *later]


def _timing(times_s: Sequence[float]) -> Any:
    """When the frames were taken. Qwen2.5-VL counts time by their mean distance, Qwen3-VL writes
    each pair's time before it; the others ignore it and have it from the question.
    """
    from transformers.video_utils import VideoMetadata

    places = [round(time_s * _CLIP_FPS) for time_s in times_s]
    step = (places[-1] - places[0]) / max(1, len(places) - 1) or _CLIP_FPS
    return VideoMetadata(
        total_num_frames=round(step * len(places)), fps=_CLIP_FPS, frames_indices=places
    )


def squared(frame: np.ndarray) -> np.ndarray:
    """The whole frame in a black square."""
    height, width = frame.shape[:2]
    down, right = max(0, width - height), max(0, height - width)
    return cv2.copyMakeBorder(
        frame, down // 2, down - down // 2, right // 2, right - right // 2, cv2.BORDER_CONSTANT
    )


def alive(tokens: Any, _scores: Any, **_: Any) -> Any:
    """Shows after each token that work goes on, and stops it where that is asked for; as a
    stopping criterion of transformers it lets all texts go on.
    """
    import torch

    progress.checkpoint()
    return tokens.new_zeros(len(tokens), dtype=torch.bool)


def decoded(tokenizer: Any, model: Any, asked: Any, written: Any) -> list[Answer]:
    """What was written after the questions, and whether it came to an end by itself."""
    ends = model.generation_config.eos_token_id
    ends = set(ends) if isinstance(ends, list) else {ends}
    new = written[:, asked.shape[1] :]
    texts = tokenizer.batch_decode(new, skip_special_tokens=True)
    return [
        Answer(text.strip(), not ends.isdisjoint(tokens))
        for text, tokens in zip(texts, new.tolist(), strict=True)
    ]


def load_vlm(identity: ModelIdentity, files: Mapping[str, Path], choice: ModelChoice) -> LocalVlm:
    """Loader of a chat model: the runtime `torch` (bfloat16 on a GPU), or `torch_4bit`.

    Raises `ValueError` for a model of another kind, and where 4 bit is asked for without a GPU or
    without bitsandbytes.
    """
    folder = model_folder(identity, files)
    from transformers import AutoConfig, AutoModelForImageTextToText, AutoProcessor

    kind = AutoConfig.from_pretrained(folder, local_files_only=True).model_type
    if kind not in (*_QWEN, *_LLAVA):
        raise ValueError(
            f"{identity.model_id} is a {kind}, which this describer does not know; it knows "
            f"{', '.join((*_QWEN, *_LLAVA))}"
        )
    processor = AutoProcessor.from_pretrained(folder, local_files_only=True)
    # As the reference does it; left unset, it depends on the release of transformers.
    if hasattr(processor.video_processor, "cap_pixels_per_frame"):
        processor.video_processor.cap_pixels_per_frame = True
    model = open_weights(AutoModelForImageTextToText.from_pretrained, identity, folder)
    return LocalVlm(identity, model, processor, _LLAVA_FRAMES if kind in _LLAVA else None)


def open_weights(opener: Callable[..., Any], identity: ModelIdentity, folder: Path) -> Any:
    """The network on its device, for inference: attention by FlashAttention-2 on a GPU that has it
    installed, by torch's own (SDPA) otherwise.
    """
    import torch
    from transformers.utils import is_flash_attn_2_available
    from transformers.utils.logging import disable_progress_bar

    disable_progress_bar()
    on_gpu = identity.device.startswith("cuda")
    options: dict[str, Any] = {
        "local_files_only": True,
        "use_safetensors": True,  # never a pickle
        "dtype": torch.bfloat16 if on_gpu else torch.float32,
        "attn_implementation": (
            "flash_attention_2" if on_gpu and is_flash_attn_2_available() else "sdpa"
        ),
    }
    _logger.info("%s: attention by %s", identity.model_id, options["attn_implementation"])
    if identity.runtime == "torch_4bit":
        options |= _four_bit(identity)
        return opener(folder, **options).eval()
    return opener(folder, **options).eval().to(identity.device)


def _four_bit(identity: ModelIdentity) -> dict[str, Any]:
    """Options for weights in 4-bit NormalFloat (Dettmers et al. 2023, QLoRA)."""
    from importlib.util import find_spec

    import torch
    from transformers import BitsAndBytesConfig

    if not identity.device.startswith("cuda"):
        raise ValueError(
            f"{identity.model_id}: 4 bit (bitsandbytes) needs an NVIDIA GPU, and it was to run on "
            f"{identity.device}; set its runtime to torch, or use a server"
        )
    if missing := [name for name in ("accelerate", "bitsandbytes") if find_spec(name) is None]:
        raise ValueError(
            f"{identity.model_id}: 4 bit needs {' and '.join(missing)}; run: "
            f"pip install {' '.join(missing)}"
        )
    return {
        "quantization_config": BitsAndBytesConfig(
            load_in_4bit=True,
            bnb_4bit_quant_type="nf4",
            bnb_4bit_compute_dtype=torch.bfloat16,
            bnb_4bit_use_double_quant=True,
        ),
        "device_map": {"": identity.device},
    }


def model_folder(identity: ModelIdentity, files: Mapping[str, Path]) -> Path:
    """The folder with all of a model's files, as transformers wants it."""
    if not files:
        raise ValueError(f"{identity.model_id} lists no files in the manifest")
    return Path(os.path.commonpath([path.parent for path in files.values()]))
