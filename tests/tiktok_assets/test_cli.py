import json

import pytest
from typer.testing import CliRunner

from resources.media_decoder import MediaDecoder
from tests.made_media import write_video
from tiktok_assets import cli


@pytest.fixture
def run(settings, instance, monkeypatch, tmp_path):
    monkeypatch.setenv("COLUMNS", "200")

    def call(*arguments):
        return CliRunner().invoke(cli.app, [str(a) for a in arguments])

    return call


def test_a_file_is_analyzed_and_the_failures_are_told(run, tmp_path):
    done = run("analyze", write_video(tmp_path / "clip.mp4"))
    assert done.exit_code == 1, done.output
    assert "brightness" in done.output
    assert "the lens cap is on" in done.output
    assert "not applicable" in done.output
    assert "production_document" in done.output


def test_a_folder_is_searched_and_a_bad_file_costs_only_itself(run, tmp_path):
    folder = tmp_path / "clips"
    folder.mkdir()
    write_video(folder / "good.mp4")
    (folder / "empty.mp4").touch()
    (folder / "notes.txt").write_text("not a video")
    (folder / ".hidden.mp4").touch()
    done = run("analyze", folder)
    assert done.exit_code == 1
    assert "2 files" in done.output
    assert "empty" in done.output
    report = json.loads(run("status", "--json").output)
    rows = {row["analyzer"]: row for row in report["analyzers"]}
    assert rows["brightness"]["results"] == 1
    (reason,) = rows["breaks"]["failures"].values()
    assert "the lens cap is on" in reason
    assert report["documents"] == 1


def test_one_analyzer_is_run_with_what_it_rests_on(run, tmp_path, settings):
    clip = write_video(tmp_path / "clip.mp4")
    done = run("analyze", "--analyzer", "brightness", clip)
    assert done.exit_code == 0, done.output
    assert "lens cap" not in done.output
    assert sorted(path.name for path in (settings.data_dir / "results").iterdir()) == [
        "brightness", "joins", "production_document",
    ]  # fmt: skip
    done = run("analyze", "--analyzer", "needs", clip)
    assert done.exit_code == 1
    assert "the lens cap is on" in done.output  # of `breaks`, which it requires
    assert "brightness" not in done.output


def test_an_analyzer_that_joins_others_is_run_alone(run, tmp_path, settings):
    done = run("analyze", "--analyzer", "joins", write_video(tmp_path / "clip.mp4"))
    assert done.exit_code == 0, done.output
    assert not (settings.data_dir / "results" / "brightness").exists()


def test_an_unknown_analyzer_is_one_sentence_before_anything_is_begun(run, tmp_path):
    done = run("analyze", "--analyzer", "sharpnes", write_video(tmp_path / "clip.mp4"))
    assert done.exit_code == 1
    assert "no such analyzer is switched on: sharpnes; there are" in str(done.exception)


@pytest.mark.parametrize(
    ("name", "says"), [("nothing.mp4", "is not there"), ("folder", "no videos in the folder")]
)
def test_a_wrong_path_is_one_sentence(run, tmp_path, monkeypatch, capsys, name, says):
    (tmp_path / "folder").mkdir()
    monkeypatch.setattr("sys.argv", ["tiktok-assets", "analyze", str(tmp_path / name)])
    with pytest.raises(SystemExit) as stop:
        cli.main()
    assert stop.value.code == 1
    told = capsys.readouterr().err
    assert says in told
    assert "Traceback" not in told


def test_doctor_names_a_missing_model_and_the_command(run, monkeypatch, tmp_path):
    monkeypatch.setenv("TIKTOK_ASSETS_MODELS_DIR", str(tmp_path / "none"))
    done = run("doctor")
    assert done.exit_code == 1
    assert "models pull yolo26n" in done.output


def test_status_as_a_table(run, settings):
    done = run("status")
    assert done.exit_code == 0
    assert "0 videos" in done.output


def test_an_unknown_setting_is_refused(run, monkeypatch, tmp_path):
    file = tmp_path / "settings.toml"
    file.write_text('dta_dir = "/somewhere"\n')
    monkeypatch.setenv("TIKTOK_ASSETS_CONFIG", str(file))
    done = run("status")
    assert done.exit_code == 1
    assert "dta_dir" in str(done.exception)


def test_a_resource_that_cannot_be_made_costs_only_the_video_in_hand(run, tmp_path, monkeypatch):
    folder = tmp_path / "clips"
    folder.mkdir()
    for number, name in enumerate(("first", "second")):
        write_video(folder / f"{name}.mp4", seed=number)
    made = []

    def set_up(self, context):
        made.append(self)
        if len(made) == 1:
            raise ConnectionRefusedError("the place of the frames is not reachable")

    monkeypatch.setattr(MediaDecoder, "setup_for_execution", set_up)
    done = run("analyze", folder)
    assert done.exit_code == 1
    assert "the place of the frames is not reachable" in done.output
    assert "2 files: 0 analyzed, 2 with failures, 0 refused" in done.output
    report = json.loads(run("status", "--json").output)
    assert {r["analyzer"]: r["results"] for r in report["analyzers"]}["brightness"] == 1
    assert report["documents"] == 1
