import os
import pty
import time
from contextlib import suppress
from pathlib import Path

from rich.console import Console

from analyzers.run import run_analyzer
from resources.result_store import ResultStore
from tests.analyzers.made import brightness, made_video
from tiktok_assets.analyze import Outcome, StepState
from tiktok_assets.analyze_command import _show, _StepBoard


def test_progress_shows_while_the_run_captures_the_output():
    reader, descriptor = pty.openpty()
    os.set_blocking(reader, False)
    with os.fdopen(descriptor, "w") as terminal, Path(os.devnull).open("w") as captured:
        console = Console(file=terminal, force_terminal=True, width=100)
        with _StepBoard(console) as board:
            os.dup2(captured.fileno(), descriptor)  # as the executor does with standard output
            board.update(StepState("brightness", share=0.5))
            time.sleep(0.3)
            board.update(StepState("brightness", share=1.0))
            time.sleep(0.3)
            board.update(StepState("brightness", success=False))
        # One read gives no more than the terminal's buffer holds in one piece.
        shown = b""
        with suppress(OSError):  # that there is no more
            while part := os.read(reader, 100_000):
                shown += part
    os.close(reader)
    for said in (b"brightness", b"running", b"ended", b"failed"):
        assert said in shown


def test_without_a_terminal_there_is_no_board(capsys):
    with _StepBoard(Console(force_terminal=False)) as board:
        board.update(StepState("brightness", share=0.5))
    assert capsys.readouterr().out == ""


def test_what_a_run_did_not_make_is_not_shown_as_its_own(settings, capsys):
    results = ResultStore(url=settings.results)
    video = made_video()
    results.write(brightness(), video, *run_analyzer(brightness(), video, {}))
    errors = {"production_document": "the disk is full"}
    _show(Outcome(video.id, errors), ["brightness"], settings, results, Console(width=200))
    told = capsys.readouterr().out
    (row,) = [line for line in told.splitlines() if "brightness" in line]
    assert "not run" in row
    assert "the disk is full" in told
    assert "Document:" not in told
    assert "Report:" not in told
