"""The full profile's networks, of the real classes with few random weights, made on the spot.

Their folders are as the hub's: configuration, processor files and safetensors. They stand in the
manifest's own entries, so that loader, roles and runtimes are those of the published weights.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from analyzers.models.lending import ModelChoice, Models
from analyzers.models.weights import Manifest, ModelFiles, models_dir
from tests.analyzers.methods.sound.test_sound_places import CLASSES

ADE_LABELS = ("wall", "building, edifice", "sky", "floor, flooring", "tree", "ceiling", "person")
SOUND_LABELS = (*CLASSES, "Speech", "Silence", "Music")
#: Of mean red, green and blue: the score for female, the one for male, and hundredths of the age.
AGE_GENDER_WEIGHTS = np.array([[0.02, 0.0, 0.001], [0.0, 0.01, 0.0005], [0.0, 0.0, 0.0025]])
_LETTERS = "abcdefghijklmnopqrstuvwxyz.,-"


def _clip(folder: Path) -> None:
    from transformers import CLIPConfig, CLIPImageProcessor, CLIPModel, CLIPProcessor, CLIPTokenizer

    tokens = [*_LETTERS, *(letter + "</w>" for letter in _LETTERS)]
    vocabulary = {t: i for i, t in enumerate([*tokens, "<|startoftext|>", "<|endoftext|>"])}
    small = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 1,
             "num_attention_heads": 2}  # fmt: skip
    text = {"vocab_size": len(vocabulary), "max_position_embeddings": 77,
            "eos_token_id": len(vocabulary) - 1, "bos_token_id": len(vocabulary) - 2}  # fmt: skip
    config = CLIPConfig(
        text_config={**small, **text},
        vision_config={**small, "image_size": 32, "patch_size": 8},
        projection_dim=12,
    )
    CLIPModel(config).save_pretrained(folder)
    sides = {"size": {"shortest_edge": 32}, "crop_size": {"height": 32, "width": 32}}
    tokenizer = CLIPTokenizer(vocab=vocabulary, merges=[], model_max_length=77)
    CLIPProcessor(CLIPImageProcessor(**sides), tokenizer).save_pretrained(folder)


def _scene_parser(folder: Path) -> None:
    from transformers import (
        SegformerConfig,
        SegformerForSemanticSegmentation,
        SegformerImageProcessor,
    )

    config = SegformerConfig(
        depths=[1] * 4, hidden_sizes=[8, 8, 16, 16], num_attention_heads=[1, 1, 2, 2],
        decoder_hidden_size=16, id2label=dict(enumerate(ADE_LABELS)),
    )  # fmt: skip
    SegformerForSemanticSegmentation(config).save_pretrained(folder)
    SegformerImageProcessor(size={"height": 64, "width": 64}).save_pretrained(folder)


def _sound(folder: Path) -> None:
    from transformers import ASTConfig, ASTFeatureExtractor, ASTForAudioClassification

    config = ASTConfig(
        hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=32,
        max_length=128, id2label=dict(enumerate(SOUND_LABELS)),
    )  # fmt: skip
    ASTForAudioClassification(config).save_pretrained(folder)
    ASTFeatureExtractor(max_length=128).save_pretrained(folder)


def _voice_emotion(folder: Path) -> None:
    from transformers import Wav2Vec2Config, Wav2Vec2FeatureExtractor

    from analyzers.models.voice_emotion import network_class

    config = Wav2Vec2Config(
        hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=32,
        conv_dim=(8, 8), conv_kernel=(10, 3), conv_stride=(5, 2), num_feat_extract_layers=2,
        num_conv_pos_embeddings=16, num_conv_pos_embedding_groups=2,
    )  # fmt: skip
    network_class()(config).save_pretrained(folder)
    Wav2Vec2FeatureExtractor().save_pretrained(folder)


def _emotion(folder: Path) -> None:
    weights = np.random.default_rng(0).normal(size=(3, 8))
    _colour_network(folder / "enet_b0_8_best_vgaf.onnx", 224, weights)


def _age_gender(folder: Path) -> None:
    _colour_network(folder / "genderage.onnx", 96, AGE_GENDER_WEIGHTS)


def _colour_network(path: Path, side_px: int, weights: np.ndarray) -> None:
    """An ONNX file written by hand: the mean colour times a matrix (3, n).

    No exporter is at hand (each wants the package onnx). Fields are numbered as in onnx.proto3.
    """

    def field(number: int, value: bytes | int) -> bytes:
        if isinstance(value, int):
            return _varint(number << 3) + _varint(value)
        return _varint(number << 3 | 2) + _varint(len(value)) + value

    def node(kind: bytes, inputs: list[bytes], output: bytes) -> bytes:
        return field(1, b"".join(field(1, i) for i in inputs) + field(2, output) + field(4, kind))

    def tensor(name: bytes, sides: list[int], code: int, raw: bytes) -> bytes:
        dims = b"".join(field(1, side) for side in sides)
        return field(5, dims + field(2, code) + field(8, name) + field(9, raw))

    def value(number: int, name: bytes, sides: list[int]) -> bytes:
        shape = b"".join(field(1, field(1, side)) for side in sides)
        return field(number, field(1, name) + field(2, field(1, field(1, 1) + field(2, shape))))

    count = weights.shape[1]
    graph = (
        node(b"GlobalAveragePool", [b"picture"], b"mean")
        + node(b"Reshape", [b"mean", b"flat"], b"row")
        + node(b"MatMul", [b"row", b"weights"], b"scores")
        + field(2, b"tiny")
        + tensor(b"flat", [2], 7, struct.pack("<2q", 1, 3))
        + tensor(b"weights", [3, count], 1, weights.astype("<f4").tobytes())
        + value(11, b"picture", [1, 3, side_px, side_px])
        + value(12, b"scores", [1, count])
    )
    model = field(1, 8) + field(7, graph) + field(8, field(2, 13))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(model)


def _varint(value: int) -> bytes:
    out = b""
    while value > 0x7F:
        out += bytes([value & 0x7F | 0x80])
        value >>= 7
    return out + bytes([value])


_MAKERS: Mapping[str, Callable[[Path], None]] = {
    "clip_vit_l14": _clip,
    "segformer_b5_ade20k": _scene_parser,
    "ast_audioset": _sound,
    "wav2vec2_msp_dim": _voice_emotion,
    "hsemotion_b0": _emotion,
    "insightface_genderage": _age_gender,
}


def tiny_manifest(root: Path) -> Manifest:
    """The manifest, with tiny networks below `root` in place of the published weights."""
    import torch

    real = Manifest.read()
    models: dict[str, Any] = dict(real.models)
    for model_id, make in _MAKERS.items():
        folder = root / model_id
        if not folder.exists():
            torch.manual_seed(0)
            make(folder)
        files = {
            path.name: {
                "size_bytes": path.stat().st_size,
                "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
                "sources": [{"kind": "url", "url": "http://127.0.0.1:9/none"}],
            }
            for path in sorted(folder.iterdir())
        }
        models[model_id] = {**models[model_id].model_dump(), "files": files}
    return Manifest.model_validate({"profiles": real.profiles, "models": models})


def tiny_models(root: Path, **roles: str) -> Models:
    """The embedded profile with tiny networks for some roles, by the ids in the manifest."""
    manifest = tiny_manifest(root)
    for real in models_dir().iterdir() if models_dir().is_dir() else ():
        if real.is_dir() and not (root / real.name).exists():
            (root / real.name).symlink_to(real)
    embedded = {role: ModelChoice(c.model) for role, c in manifest.profile("embedded").items()}
    chosen = {role: ModelChoice(model_id) for role, model_id in roles.items()}
    return Models({**embedded, **chosen}, ModelFiles(root, manifest))
