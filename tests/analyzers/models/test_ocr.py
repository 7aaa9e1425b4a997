"""The OCR adapters on drawn text."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest

from analyzers.models.base import ModelIdentity
from analyzers.models.lending import ModelChoice, Models
from analyzers.models.ocr import RapidOcr, line_crop, load_easyocr, load_rapidocr
from tests.analyzers.made_texts import still_ground, write

PAGE = write(write(still_ground(0), "first line", (0.5, 0.3)), "Second 42", (0.5, 0.6))


@pytest.fixture(scope="module", params=["openvino", "onnxruntime"])
def reader(request: pytest.FixtureRequest) -> RapidOcr:
    models = Models({"ocr": ModelChoice("pp_ocr_v6", runtime=request.param)})
    with models.lend("ocr") as model:
        assert model.identity.runtime == request.param
        yield model


def test_lines_are_found_and_read(reader: RapidOcr):
    found = reader.find(PAGE)
    assert [r.text for r in reader.read(PAGE, found.quads)] == ["first line", "Second 42"]
    assert all(r.confidence > 0.9 for r in reader.read(PAGE, found.quads))
    assert found.quads.shape == (2, 4, 2)
    middles = found.quads.mean(axis=1)
    assert middles == pytest.approx(np.array([[0.5, 0.3], [0.5, 0.6]]), abs=0.02)


def test_a_smaller_look_gives_the_same_places(reader: RapidOcr):
    full, small = reader.find(PAGE), reader.find(PAGE, scale=0.7)
    assert small.quads == pytest.approx(full.quads, abs=0.03)


def test_no_lines(reader: RapidOcr):
    blank = np.full((640, 360, 3), 128, np.uint8)
    found = reader.find(blank)
    assert len(found) == 0
    assert reader.read(blank, found.quads) == []


def test_threads_do_not_mix_their_pictures(reader: RapidOcr):
    other = write(still_ground(0), "another page", (0.5, 0.5))
    wrong: list[str] = []

    def work(picture: np.ndarray, expected: list[str]) -> None:
        for _ in range(4):
            texts = [r.text for r in reader.read(picture, reader.find(picture).quads)]
            if texts != expected:
                wrong.append(repr(texts))

    threads = [
        threading.Thread(target=work, args=(PAGE, ["first line", "Second 42"])),
        threading.Thread(target=work, args=(other, ["another page"])),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_the_dictionary_is_what_the_docstring_says(reader: RapidOcr):
    signs = set(reader._engine.text_rec.postprocess_op.character)
    assert {"é", "ğ", "ő", "Ω", "中", "國", "ア", "の"} <= signs
    assert not {"Ж", "한", "ไ", "ह", "ạ"} & signs


def test_a_tall_line_is_read_turned():
    picture = np.zeros((200, 100, 3), np.uint8)
    quad = np.array([[0.2, 0.1], [0.4, 0.1], [0.4, 0.9], [0.2, 0.9]], np.float32)
    assert line_crop(picture, quad).shape == (20, 160, 3)


def test_where_it_cannot_run_it_says_so():
    identity = ModelIdentity("ocr", "pp_ocr_v6", "0" * 64, "cuda:0", "onnxruntime")
    with pytest.raises(ValueError, match="runs on the CPU in openvino or onnxruntime, not on cuda"):
        load_rapidocr(identity, {}, ModelChoice("pp_ocr_v6"))


def test_files_that_are_not_there_are_not_downloaded(tmp_path: Path):
    identity = ModelIdentity("ocr", "pp_ocr_v6", "0" * 64, "cpu", "openvino")
    with pytest.raises(ValueError, match=r"lists no \*_det_\*\.onnx"):
        load_rapidocr(identity, {}, ModelChoice("pp_ocr_v6"))
    identity = ModelIdentity("ocr", "easyocr_english", "0" * 64, "cpu", "torch")
    files = {name: tmp_path / name for name in ("craft_mlt_25k.pth", "english_g2.pth")}
    with pytest.raises(FileNotFoundError, match="downloads disabled"):
        load_easyocr(identity, files, ModelChoice("easyocr_english"))
