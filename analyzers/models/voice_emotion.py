"""Arousal, dominance and valence of a voice: wav2vec 2.0 with a regression head.

Wagner et al., "Dawn of the transformer era in speech emotion recognition" (2023, arXiv:2203.07378).
The weights may not be used commercially (CC BY-NC-SA 4.0): no profile takes them by itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from analyzers.models.base import Model, ModelIdentity
from analyzers.models.pretrained import folder_of, open_pretrained

if TYPE_CHECKING:
    from analyzers.models.lending import ModelChoice

SAMPLE_RATE_HZ = 16000
#: Longer ones are cut: attention grows with the square, and an utterance's tone is told by then.
_LONGEST_S = 20.0
#: What the convolutions need to give one frame (a field of 400 samples).
_FEWEST_SAMPLES = 400


@dataclass(frozen=True)
class VoiceEmotion:
    """Of one utterance, each about 0..1 with 0.5 in the middle, as its raters' scale had it."""

    arousal: float
    dominance: float
    valence: float


class VoiceEmotionModel(Model):
    """Tells how raised, how dominant and how pleasant a voice sounds."""

    def __init__(self, identity: ModelIdentity, network: Any, processor: Any) -> None:
        super().__init__(identity)
        self._network = network
        self._processor = processor

    def judge(self, utterances: Sequence[np.ndarray]) -> list[VoiceEmotion | None]:
        """Judge mono float32 sounds at 16 kHz, (n,) each; None for one under 25 ms.

        One at a time: padding would change the answer, since this family was trained without
        an attention mask.
        """
        import torch

        found: list[VoiceEmotion | None] = []
        for sound in utterances:
            if len(sound) < _FEWEST_SAMPLES:
                found.append(None)
                continue
            part = np.asarray(sound[: int(_LONGEST_S * SAMPLE_RATE_HZ)], np.float32)
            inputs = self._processor(part, sampling_rate=SAMPLE_RATE_HZ, return_tensors="pt")
            with torch.inference_mode():
                told = self._network(
                    inputs["input_values"].to(self.identity.device, self._network.dtype)
                )
            self.served()
            found.append(VoiceEmotion(*told[0].float().cpu().tolist()))
        return found


def network_class() -> Any:
    """The published weights' layout: wav2vec 2.0, mean over time, two dense layers, three outputs.

    Made on demand, since its bases are torch's and transformers'.
    """
    import torch
    from transformers.models.wav2vec2.modeling_wav2vec2 import (
        Wav2Vec2Model,
        Wav2Vec2PreTrainedModel,
    )

    class Head(torch.nn.Module):
        def __init__(self, config: Any) -> None:
            super().__init__()
            self.dense = torch.nn.Linear(config.hidden_size, config.hidden_size)
            self.out_proj = torch.nn.Linear(config.hidden_size, 3)

        def forward(self, features: torch.Tensor) -> torch.Tensor:
            return self.out_proj(torch.tanh(self.dense(features)))

    class VoiceEmotionNetwork(Wav2Vec2PreTrainedModel):
        def __init__(self, config: Any) -> None:
            super().__init__(config)
            self.wav2vec2 = Wav2Vec2Model(config)
            self.classifier = Head(config)
            self.post_init()

        def forward(self, sound: torch.Tensor) -> torch.Tensor:
            """(n, samples) to (n, 3): arousal, dominance, valence."""
            hidden = self.wav2vec2(sound).last_hidden_state
            return self.classifier(hidden.mean(dim=1))

    return VoiceEmotionNetwork


def without_weight_norm(network: Any) -> Any:
    """The same network with the one normalised weight worked out, which only training needs."""
    from torch.nn.utils import parametrize

    convolution = network.wav2vec2.encoder.pos_conv_embed.conv
    parametrize.remove_parametrizations(convolution, "weight")
    return network


def load_voice_emotion(
    identity: ModelIdentity, files: Mapping[str, Path], choice: ModelChoice
) -> VoiceEmotionModel:
    """Loader for the regression model's folder. Raises as `open_pretrained` does."""
    from transformers import Wav2Vec2FeatureExtractor

    processor = Wav2Vec2FeatureExtractor.from_pretrained(
        folder_of(identity, files), local_files_only=True
    )
    network = without_weight_norm(open_pretrained(network_class(), identity, files))
    return VoiceEmotionModel(identity, network, processor)
