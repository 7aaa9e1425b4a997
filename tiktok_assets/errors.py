"""How an error of one asset and one video is told, and which errors are worth another try."""

from __future__ import annotations

import dagster as dg

from analyzers.models.weights import ModelFileError
from resources.media import MediaError

#: Another try of the same step; everything else fails at once.
RETRY = dg.RetryPolicy(
    max_retries=2, delay=2, backoff=dg.Backoff.EXPONENTIAL, jitter=dg.Jitter.FULL
)


class TransientError(RuntimeError):
    """An error of another process that was worth another try there."""


def is_transient(error: BaseException) -> bool:
    """Whether the same work may succeed in a moment: a lost connection, memory that was taken.

    A missing file or a full disk is not: it waits for a person.
    """
    if isinstance(error, ConnectionError | TimeoutError | MemoryError | TransientError):
        return True
    return type(error).__name__ == "OutOfMemoryError"  # torch.cuda's, without importing torch


def failure(asset: str, file: str, error: Exception, way_out: str) -> dg.Failure:
    """One sentence that names the file, the asset, the cause and the way out."""
    if isinstance(error, dg.Failure):
        return error
    cause = str(error).strip().rstrip(".") or type(error).__name__
    if isinstance(error, MediaError):
        told = f"{asset}: {cause}."  # it names the file and the way out itself
    elif isinstance(error, ModelFileError | OSError | LookupError | ValueError | TransientError):
        told = f"{asset} of {file}: {cause}. {way_out}"
    else:
        told = f"{asset} of {file}: {type(error).__name__}: {cause}. {way_out}"
    return dg.Failure(
        told,
        metadata={"file": file, "asset": asset, "error": type(error).__name__},
        allow_retries=is_transient(error),
    )
