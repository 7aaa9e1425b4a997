"""The full profile's networks with random weights, at full size or tiny, behind the real adapters.

How long a network takes does not depend on its weights' values, so that speed and memory can be
measured where the published weights are not at hand. What it says is worth nothing.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from analyzers.models.base import Model, ModelIdentity
from analyzers.models.lending import ModelChoice
from analyzers.models.pretrained import precision_on

if TYPE_CHECKING:
    from analyzers.models.vlm_transformers import LocalVlm


@contextmanager
def _made_on(device: str) -> Iterator[None]:
    """Networks made here lie on a device in its precision from the start: 7 B twice may not fit."""
    import torch

    before = torch.get_default_dtype()
    torch.set_default_dtype(precision_on(device))
    try:
        with torch.device(device):
            yield
    finally:
        torch.set_default_dtype(before)


def _identity(role: str, model_id: str, device: str) -> ModelIdentity:
    return ModelIdentity(role, model_id, "random", device, "torch")


_SMALL: dict[str, Any] = {
    "hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2,
}  # fmt: skip


def clip(device: str, tiny: bool) -> Model:
    """openai/clip-vit-large-patch14's sizes."""
    from transformers import CLIPConfig, CLIPImageProcessor, CLIPModel

    from analyzers.models.clip import Clip

    vision = {
        "hidden_size": 1024, "intermediate_size": 4096, "num_hidden_layers": 24,
        "num_attention_heads": 16, "image_size": 224, "patch_size": 14,
    }  # fmt: skip
    text = {"hidden_size": 768, "intermediate_size": 3072, "num_attention_heads": 12}
    if tiny:
        vision, text = {**_SMALL, "image_size": 224, "patch_size": 32}, _SMALL
    config = CLIPConfig(text_config=text, vision_config=vision, projection_dim=768)
    with _made_on(device):
        network = CLIPModel(config).eval()
    return Clip(_identity("clip", "clip_vit_l14", device), network, CLIPImageProcessor())


def scene_parser(device: str, tiny: bool) -> Model:
    """nvidia/segformer-b5-finetuned-ade-640-640's sizes."""
    from transformers import (
        SegformerConfig,
        SegformerForSemanticSegmentation,
        SegformerImageProcessor,
    )

    from analyzers.models.scene_parser import SceneParser

    sizes: dict[str, Any] = {
        "depths": [3, 6, 40, 3], "hidden_sizes": [64, 128, 320, 512], "decoder_hidden_size": 768,
    }  # fmt: skip
    if tiny:
        sizes = {"depths": [1] * 4, "hidden_sizes": [8, 16, 40, 64], "decoder_hidden_size": 16}
    sizes["num_labels"] = 150
    with _made_on(device):
        network = SegformerForSemanticSegmentation(SegformerConfig(**sizes)).eval()
    side = 64 if tiny else 640
    processor = SegformerImageProcessor(size={"height": side, "width": side})
    return SceneParser(_identity("scene_parser", "segformer_b5_ade20k", device), network, processor)


def soundscape(device: str, tiny: bool) -> Model:
    """MIT/ast-finetuned-audioset-10-10-0.4593's sizes, which are the class's own."""
    from transformers import ASTConfig, ASTFeatureExtractor, ASTForAudioClassification

    from analyzers.models.spectrogram_sound import SpectrogramTransformer

    sizes: dict[str, Any] = {**_SMALL, "max_length": 128} if tiny else {"max_length": 1024}
    with _made_on(device):
        network = ASTForAudioClassification(
            ASTConfig(**sizes, id2label=dict(enumerate(map(str, range(527)))))
        ).eval()
    processor = ASTFeatureExtractor(max_length=sizes["max_length"])
    return SpectrogramTransformer(
        _identity("soundscape", "ast_audioset", device), network, processor
    )


def voice_emotion(device: str, tiny: bool) -> Model:
    """audeering/wav2vec2-large-robust-12-ft-emotion-msp-dim's sizes: 12 layers."""
    from transformers import Wav2Vec2Config, Wav2Vec2FeatureExtractor

    from analyzers.models.voice_emotion import VoiceEmotionModel, network_class, without_weight_norm

    sizes: dict[str, Any] = {
        "hidden_size": 1024, "num_hidden_layers": 12, "num_attention_heads": 16,
        "intermediate_size": 4096, "feat_extract_norm": "layer", "conv_bias": True,
        "do_stable_layer_norm": True,
    }  # fmt: skip
    if tiny:
        sizes = {**_SMALL, "conv_dim": (8,) * 7, "num_conv_pos_embedding_groups": 2}
    with _made_on(device):
        network = without_weight_norm(network_class()(Wav2Vec2Config(**sizes)).eval())
    identity = _identity("voice_emotion", "wav2vec2_msp_dim", device)
    return VoiceEmotionModel(identity, network, Wav2Vec2FeatureExtractor())


def detector(device: str, tiny: bool) -> Model:
    """YOLO26x, from Ultralytics's own description of it; tiny is YOLO26n."""
    from analyzers.models.detector import COCO_LABELS, load_yolo

    return _yolo("detector", "yolo26x", "yolo26{}.yaml", load_yolo, device, tiny, COCO_LABELS)


def pose(device: str, tiny: bool) -> Model:
    """YOLO26x-pose likewise."""
    from analyzers.models.pose import load_yolo_pose

    return _yolo("pose", "yolo26x_pose", "yolo26{}-pose.yaml", load_yolo_pose, device, tiny)


def _yolo(
    role: str,
    model_id: str,
    description: str,
    loader: Callable[..., Model],
    device: str,
    tiny: bool,
    labels: tuple[str, ...] = (),
) -> Model:
    from ultralytics import YOLO

    made: Any = YOLO(description.format("n" if tiny else "x"))
    if labels:
        made.model.names = dict(enumerate(labels))
    with tempfile.TemporaryDirectory() as folder:
        weights = Path(folder) / f"{model_id}.pt"
        made.save(weights)
        files = {weights.name: weights}
        return loader(_identity(role, model_id, device), files, ModelChoice(model_id))


QwenSize = Literal["full", "medium", "tiny"]

#: Sizes of the text part, of the vision tower, and how rotary embeddings are parted.
_QWEN_SIZES: Mapping[QwenSize, tuple[dict[str, Any], dict[str, Any], list[int]]] = {
    "full": (
        {"hidden_size": 3584, "num_hidden_layers": 28, "num_attention_heads": 28,
         "num_key_value_heads": 4, "intermediate_size": 18944, "vocab_size": 152064},
        {"depth": 32, "embed_dim": 1280, "num_heads": 16, "hidden_size": 3584},
        [16, 24, 24],
    ),
    "medium": (
        {"hidden_size": 768, "num_hidden_layers": 12, "num_attention_heads": 6,
         "num_key_value_heads": 2, "intermediate_size": 4096, "vocab_size": 8192},
        {"depth": 4, "embed_dim": 320, "num_heads": 4, "hidden_size": 768},
        [16, 24, 24],
    ),
    "tiny": (
        {**_SMALL, "hidden_size": 32, "num_key_value_heads": 1, "vocab_size": 300},
        {"depth": 1, "embed_dim": 32, "num_heads": 2, "hidden_size": 32},
        [2, 3, 3],
    ),
}  # fmt: skip
#: With the 256 bytes before them, all the tokens that a text of these networks has.
_QWEN_TOKENS = ("<|video_pad|>", "<|image_pad|>", "<|vision_start|>", "<|vision_end|>", "<|pad|>")


def qwen2_vl(device: str, size: QwenSize) -> Any:
    """Qwen/Qwen2-VL-7B-Instruct's sizes, or smaller ones: the bare network."""
    from transformers import Qwen2VLConfig, Qwen2VLForConditionalGeneration

    text, vision, sections = _QWEN_SIZES[size]
    rope = {"rope_type": "default", "rope_theta": 1e6, "mrope_section": sections}
    ids: dict[str, Any] = {"bos_token_id": 0, "eos_token_id": None, "pad_token_id": 0}
    places: dict[str, Any] = {
        name: 256 + _QWEN_TOKENS.index(f"<|{token}|>")
        for name, token in (
            ("image_token_id", "image_pad"), ("video_token_id", "video_pad"),
            ("vision_start_token_id", "vision_start"), ("vision_end_token_id", "vision_end"),
        )
    }  # fmt: skip
    with _made_on(device):
        config = Qwen2VLConfig(
            text_config={**text, **ids, "rope_parameters": rope},
            vision_config=vision, **ids, **places,
        )  # fmt: skip
        return Qwen2VLForConditionalGeneration(config).eval()


def describer(network: Any, device: str) -> LocalVlm:
    """A Qwen2-VL behind its adapter, with the real processor; a byte is a token.

    It never ends by itself: every answer is as long as it may be.
    """
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers
    from transformers import (
        PreTrainedTokenizerFast,
        Qwen2VLImageProcessor,
        Qwen2VLProcessor,
        Qwen2VLVideoProcessor,
    )

    from analyzers.models.vlm_transformers import LocalVlm

    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    bare = Tokenizer(models.BPE({letter: i for i, letter in enumerate(letters)}, []))
    bare.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    bare.decoder = decoders.ByteLevel()
    bare.add_special_tokens([AddedToken(token, special=True) for token in _QWEN_TOKENS])
    processor = Qwen2VLProcessor(
        image_processor=Qwen2VLImageProcessor(),
        tokenizer=PreTrainedTokenizerFast(tokenizer_object=bare, pad_token="<|pad|>"),
        video_processor=Qwen2VLVideoProcessor(cap_pixels_per_frame=True),
        chat_template=(
            "{% for message in messages %}{% for part in message.content %}{% if part.type == "
            "'video' %}<|vision_start|><|video_pad|><|vision_end|>{% else %}{{ part.text }}"
            "{% endif %}{% endfor %}{% endfor %}"
        ),
    )
    return LocalVlm(_identity("vlm", "qwen2_vl_7b", device), network, processor)


MAKERS: Mapping[str, Callable[[str, bool], Model]] = {
    "detector": detector,
    "pose": pose,
    "clip": clip,
    "scene_parser": scene_parser,
    "soundscape": soundscape,
    "voice_emotion": voice_emotion,
}
