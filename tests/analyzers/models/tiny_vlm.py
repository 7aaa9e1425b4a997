"""Vision-language models of the real classes, a few thousand random weights each, made on the spot.

Tokenizer, chat template and processors are real ones as well and lie in the folder as a hub's
would. With `says`, the language model's weights are written so that it says just that: its text is
cut into pieces, a token each, and the head answers each piece with the next. All else is random.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

_PIECE = 12
_HIDDEN = 96
_SPECIAL = (
    "<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|vision_start|>", "<|vision_end|>",
    "<|image_pad|>", "<|video_pad|>", "<image>", "<video>",
)  # fmt: skip

_TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message.role }}\n"
    "{% for part in message.content %}{% if part.type == 'video' %}CLIP"
    "{% else %}{{ part.text }}{% endif %}{% endfor %}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


def save(kind: str, folder: Path, says: str | None = None) -> dict[str, Path]:
    """A model of a kind (its config's `model_type`) in a folder; its files by name."""
    import torch

    pieces = [says[i : i + _PIECE] for i in range(0, len(says), _PIECE)] if says else []
    tokenizer = _tokenizer(pieces)
    torch.manual_seed(0)
    model, processor = _MAKERS[kind](tokenizer)
    if says:
        chain = [tokenizer.encode("\n")[0], *(tokenizer.convert_tokens_to_ids(p) for p in pieces)]
        _teach(model, chain, tokenizer.eos_token_id)
    model.generation_config.eos_token_id = tokenizer.eos_token_id
    model.generation_config.pad_token_id = tokenizer.pad_token_id
    model.save_pretrained(folder)
    processor.save_pretrained(folder)
    return {path.name: path for path in sorted(folder.iterdir())}


def _tokenizer(pieces: list[str]) -> Any:
    """Bytes, the special tokens, and the pieces."""
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    bare = Tokenizer(models.BPE({letter: i for i, letter in enumerate(alphabet)}, []))
    bare.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    bare.decoder = decoders.ByteLevel()
    assert len(set(pieces)) == len(pieces), "two pieces are the same: change the text a little"
    bare.add_special_tokens([AddedToken(token, special=True) for token in _SPECIAL])
    bare.add_tokens([AddedToken(piece, normalized=False) for piece in pieces])
    return PreTrainedTokenizerFast(
        tokenizer_object=bare,
        pad_token="<|endoftext|>",
        bos_token="<|endoftext|>",
        eos_token="<|im_end|>",
        clean_up_tokenization_spaces=False,
    )


def _teach(model: Any, chain: list[int], end: int) -> None:
    """Each token of the chain has a direction of its own, to which the next one's head answers."""
    import torch

    assert len(chain) <= _HIDDEN
    with torch.no_grad():
        embedding = model.get_input_embeddings().weight
        head = model.get_output_embeddings().weight
        for place, token in enumerate(chain):
            embedding[token] = 0
            embedding[token, place] = 2000  # all that the layers add is little beside it
        for place, following in enumerate([*chain[1:], end]):
            head[following] = 0
            head[following, place] = 20


def _text(**more: Any) -> dict[str, Any]:
    return {
        "vocab_size": 400, "hidden_size": _HIDDEN, "intermediate_size": 64,
        "num_hidden_layers": 2, "num_attention_heads": 6, "num_key_value_heads": 2,
        "max_position_embeddings": 8192, "tie_word_embeddings": False,
        "initializer_range": 0.3, "bos_token_id": None, "eos_token_id": None, **more,
    }  # fmt: skip


def _qwen_text(**more: Any) -> dict[str, Any]:
    return _text(rope_parameters={"rope_type": "default", "rope_theta": 1e4,
                                  "mrope_section": [2, 3, 3]}, **more)  # fmt: skip


def _qwen(
    family: str, vision: Mapping[str, Any], patch: int, **text: Any
) -> Callable[[Any], tuple[Any, Any]]:
    def make(tokenizer: Any) -> tuple[Any, Any]:
        import transformers

        names = ("<|image_pad|>", "<|video_pad|>", "<|vision_start|>", "<|vision_end|>")
        image, video, start, end = tokenizer.convert_tokens_to_ids(list(names))
        config = getattr(transformers, f"{family}Config")(
            text_config=_qwen_text(**text),
            vision_config={"patch_size": patch, "initializer_range": 0.3, **vision},
            image_token_id=image,
            video_token_id=video,
            vision_start_token_id=start,
            vision_end_token_id=end,
            tie_word_embeddings=False,
        )
        size = {"shortest_edge": (2 * patch) ** 2, "longest_edge": 32 * (2 * patch) ** 2}
        newer = family == "Qwen3VL"
        videos = transformers.Qwen3VLVideoProcessor if newer else transformers.Qwen2VLVideoProcessor
        clip = "<|video_pad|>" if newer else "<|vision_start|><|video_pad|><|vision_end|>"
        processor = getattr(transformers, f"{family}Processor")(
            image_processor=transformers.Qwen2VLImageProcessor(patch_size=patch, size=size),
            tokenizer=tokenizer,
            video_processor=videos(patch_size=patch, size=size),
            chat_template=_TEMPLATE.replace("CLIP", clip),
        )
        return getattr(transformers, f"{family}ForConditionalGeneration")(config), processor

    return make


def _llava(tokenizer: Any) -> tuple[Any, Any]:
    import transformers as t

    picture = {"shortest_edge": 56}
    crop = {"height": 56, "width": 56}
    config = t.LlavaNextVideoConfig(
        vision_config=_clip_vision(),
        text_config={"model_type": "llama", **_text()},
        image_token_index=tokenizer.convert_tokens_to_ids("<image>"),
        video_token_index=tokenizer.convert_tokens_to_ids("<video>"),
        image_grid_pinpoints=[[56, 112], [112, 56]],
        tie_word_embeddings=False,
    )
    processor = t.LlavaNextVideoProcessor(
        video_processor=t.LlavaNextVideoVideoProcessor(size=picture, crop_size=crop),
        image_processor=t.LlavaNextImageProcessor(size=picture, crop_size=crop),
        tokenizer=tokenizer,
        patch_size=14,
        vision_feature_select_strategy="default",
        num_additional_image_tokens=1,
        chat_template=_TEMPLATE.replace("CLIP", "<video>"),
    )
    return t.LlavaNextVideoForConditionalGeneration(config), processor


def _clip_vision() -> dict[str, Any]:
    return {"model_type": "clip_vision_model", "hidden_size": 32, "intermediate_size": 64,
            "num_hidden_layers": 3, "num_attention_heads": 2, "image_size": 56, "patch_size": 14,
            "projection_dim": 32, "initializer_range": 0.3}  # fmt: skip


def _blip2(tokenizer: Any) -> tuple[Any, Any]:
    import transformers as t

    config = t.Blip2Config(
        vision_config={"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2,
                       "num_attention_heads": 2, "image_size": 56, "patch_size": 14,
                       "initializer_range": 0.3},
        qformer_config={"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2,
                        "num_attention_heads": 2, "encoder_hidden_size": 32, "vocab_size": 8,
                        "initializer_range": 0.3},
        text_config={"model_type": "opt", "vocab_size": 400, "hidden_size": _HIDDEN, "ffn_dim": 64,
                     "num_hidden_layers": 2, "num_attention_heads": 4, "word_embed_proj_dim":
                     _HIDDEN, "max_position_embeddings": 512, "init_std": 0.3,
                     "bos_token_id": tokenizer.bos_token_id,
                     "eos_token_id": tokenizer.eos_token_id,
                     "pad_token_id": tokenizer.pad_token_id},
        num_query_tokens=4,
        image_token_index=tokenizer.convert_tokens_to_ids("<image>"),
    )  # fmt: skip
    processor = t.Blip2Processor(
        t.BlipImageProcessor(size={"height": 56, "width": 56}), tokenizer, num_query_tokens=4
    )
    return t.Blip2ForConditionalGeneration(config), processor


_MAKERS: Mapping[str, Callable[[Any], tuple[Any, Any]]] = {
    "qwen2_vl": _qwen(
        "Qwen2VL", {"depth": 2, "embed_dim": 32, "hidden_size": _HIDDEN, "num_heads": 2}, 14
    ),
    "qwen2_5_vl": _qwen(
        "Qwen2_5_VL",
        {"depth": 2, "hidden_size": 32, "out_hidden_size": _HIDDEN, "num_heads": 2,
         "intermediate_size": 64, "fullatt_block_indexes": [1], "window_size": 56},
        14,
    ),
    "qwen3_vl": _qwen(
        "Qwen3VL",
        {"depth": 2, "hidden_size": 32, "out_hidden_size": _HIDDEN, "num_heads": 2,
         "intermediate_size": 64, "num_position_embeddings": 16, "deepstack_visual_indexes": [0]},
        16,
        head_dim=16,
    ),
    "llava_next_video": _llava,
    "blip-2": _blip2,
}  # fmt: skip
CHATS = tuple(kind for kind in _MAKERS if kind != "blip-2")
