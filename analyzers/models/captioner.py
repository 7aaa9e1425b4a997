"""BLIP-2 (Li et al. 2023, https://arxiv.org/abs/2301.12597): a caption for one picture.

It follows no instructions and sees one frame: no actions, no times. Only for where no chat model
fits.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from analyzers.models.base import ModelIdentity
from analyzers.models.halving import HalvingBatches
from analyzers.models.vlm import Answer, Ask, Kind, VisionLanguageModel, turn
from analyzers.models.vlm_transformers import alive, decoded, model_folder, open_weights, squared

if TYPE_CHECKING:
    from analyzers.models.lending import ModelChoice


class Captioner(VisionLanguageModel):
    """Says what a picture shows; the question is ignored."""

    kind: ClassVar[Kind] = "caption"
    frames_wanted = 1

    def __init__(self, identity: ModelIdentity, model: Any, processor: Any) -> None:
        super().__init__(identity)
        self._model, self._processor = model, processor
        self._batches = HalvingBatches(identity.model_id)
        self._lock = threading.Lock()

    def answer(
        self, asks: Sequence[Ask], max_new_tokens: int, batch_size: int, schema: dict | None = None
    ) -> list[Answer]:
        """A caption of each one's first frame, in plain words. Raises `OutOfDeviceMemory`."""
        return self._batches.run(
            asks, lambda batch: self._captions(batch, max_new_tokens), batch_size
        )

    def _captions(self, asks: Sequence[Ask], max_new_tokens: int) -> list[Answer]:
        import torch

        pictures = [squared(ask.frames[0]) for ask in asks]
        inputs = self._processor(images=pictures, text=[""] * len(asks), return_tensors="pt")
        with turn(self._lock), torch.inference_mode():
            written = self._model.generate(
                **inputs.to(self.identity.device, self._model.dtype),
                max_new_tokens=max_new_tokens,
                stopping_criteria=[alive],
                do_sample=False,
            )
        self.answered(asks)
        return decoded(self._processor.tokenizer, self._model, inputs["input_ids"], written)

    def close(self) -> None:
        """Free the weights, and hand the GPU what torch keeps."""
        import torch

        del self._model, self._processor
        if self.identity.device.startswith("cuda"):
            torch.cuda.empty_cache()


def load_blip2(
    identity: ModelIdentity, files: Mapping[str, Path], choice: ModelChoice
) -> Captioner:
    """Loader of BLIP-2 with a decoder (OPT). Raises `ValueError` for a model of another kind."""
    folder = model_folder(identity, files)
    from transformers import AutoConfig, AutoProcessor, Blip2ForConditionalGeneration

    config = AutoConfig.from_pretrained(folder, local_files_only=True)
    if config.model_type != "blip-2" or config.text_config.is_encoder_decoder:
        raise ValueError(
            f"{identity.model_id} is a {config.model_type} that this captioner does not know; "
            "it knows BLIP-2 with OPT"
        )
    processor = AutoProcessor.from_pretrained(folder, local_files_only=True)
    model = open_weights(Blip2ForConditionalGeneration.from_pretrained, identity, folder)
    return Captioner(identity, model, processor)
