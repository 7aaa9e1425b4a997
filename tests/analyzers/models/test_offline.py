import os
import subprocess
import sys

import pytest

from analyzers.models.lending import Models
from analyzers.models.runtime import environment
from analyzers.models.weights import ModelMissing

#: Prints what the process tries to reach while it loads each model of the embedded profile.
_LOAD_ALL = """
import sys
REACHING_OUT = ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "subprocess.Popen")
reached = []
def note(event, args):
    if event in REACHING_OUT:
        reached.append((event, args))
sys.addaudithook(note)
from analyzers.models.lending import Models
models = Models.embedded()
for role in models.choices:
    with models.lend(role) as model:
        print(role, model.identity.model_id)
for event, args in reached:
    print("REACHED", event, str(args)[:200])
"""


@pytest.mark.slow
def test_the_embedded_models_load_without_reaching_out(tmp_path):
    models = Models.embedded()
    try:
        for role, choice in models.choices.items():
            models.files.paths(choice.model_id, models.identity(role).runtime)
    except ModelMissing as error:
        pytest.skip(str(error))
    clean = {k: v for k, v in os.environ.items() if k not in environment()}
    home = tmp_path / "home"
    home.mkdir()
    done = subprocess.run(
        [sys.executable, "-c", _LOAD_ALL],
        env={**clean, "HOME": str(home), "TIKTOK_ASSETS_MODELS_DIR": str(models.files.root)},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert {line.split()[0] for line in lines} >= models.choices.keys()
    assert [line for line in lines if line.startswith("REACHED")] == []
    assert list(home.rglob("*")) == []
