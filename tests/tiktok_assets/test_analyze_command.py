import os
import pty
import time
from pathlib import Path

from rich.console import Console

from tiktok_assets.analyze import StepState
from tiktok_assets.analyze_command import _StepBoard


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
        shown = os.read(reader, 100_000).decode()
    os.close(reader)
    assert "brightness" in shown
    assert "running" in shown
    assert "ended" in shown
    assert "failed" in shown


def test_without_a_terminal_there_is_no_board(capsys):
    with _StepBoard(Console(force_terminal=False)) as board:
        board.update(StepState("brightness", share=0.5))
    assert capsys.readouterr().out == ""
