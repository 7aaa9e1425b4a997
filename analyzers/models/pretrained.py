"""What networks from the model hub have in common: a folder of files, a place on a device."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from analyzers.models.base import ModelIdentity

if TYPE_CHECKING:
    import torch


def folder_of(identity: ModelIdentity, files: Mapping[str, Path]) -> Path:
    """The one folder in which a model's files lie, as transformers wants it.

    Raises `ValueError` where they lie in several.
    """
    folders = {path.parent for path in files.values()}
    if len(folders) != 1:
        raise ValueError(f"{identity.model_id}: its files must lie in one folder")
    return folders.pop()


def precision_on(device: str) -> torch.dtype:
    """Half precision on a GPU, single on a CPU, whose arithmetic in halves is slower.

    bfloat16 has the range of single precision, so that nothing overflows; cards before Ampere have
    no arithmetic for it and get float16.
    """
    import torch

    if not device.startswith("cuda"):
        return torch.float32
    return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float16


def open_pretrained(kind: Any, identity: ModelIdentity, files: Mapping[str, Path]) -> Any:
    """A network of a transformers class from local files, ready to answer on its device.

    `kind`: the class, e.g. `CLIPModel`. Only safetensors are read, which cannot hold code. Raises
    `ValueError` where weights are missing: transformers would make them up at random.
    """
    model, report = kind.from_pretrained(
        folder_of(identity, files),
        dtype=precision_on(identity.device),
        local_files_only=True,
        use_safetensors=True,
        output_loading_info=True,
    )
    if missing := sorted(report["missing_keys"]):
        raise ValueError(
            f"{identity.model_id} lacks {len(missing)} weights of {kind.__name__}, "
            f"{missing[0]} among them"
        )
    return model.eval().to(identity.device)
