"""Conversions by a function of our own; those by Ultralytics are the detectors' tests."""

from pathlib import Path

import pytest

from resources.model_conversion import convert


def doubled(weights: Path) -> Path:
    folder = weights.with_name(f"{weights.stem}_openvino_model")
    folder.mkdir()
    (folder / "twice.bin").write_bytes(weights.read_bytes() * 2)
    return folder


def test_a_function_named_by_the_manifest_converts(tmp_path):
    weights = tmp_path / "net.pth"
    weights.write_bytes(b"ab")
    folder = convert(weights, "openvino", {"by": f"{__name__}:doubled"})
    assert folder == tmp_path / "net_openvino_model"
    assert (folder / "twice.bin").read_bytes() == b"abab"


def test_a_function_that_is_not_there_is_an_error(tmp_path):
    with pytest.raises(AttributeError, match="missing"):
        convert(tmp_path / "net.pth", "openvino", {"by": f"{__name__}:missing"})
