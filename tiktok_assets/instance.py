"""Where Dagster keeps its own state: below the project's data folder, not beside the code.

`dagster.yaml` names this class, so that every Dagster command that runs with DAGSTER_HOME at the
folder of that file finds the same place, whatever its working directory is.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from dagster import DagsterInstance
from dagster._core.instance.ref import InstanceRef

from tiktok_assets.settings import Settings

# dagster.yaml switches telemetry off, but only this keeps the webserver from making the folders
# for it beside the code.
os.environ.setdefault("DAGSTER_DISABLE_TELEMETRY", "yes")


class ProjectInstance(DagsterInstance):
    """Dagster's instance with its defaults moved to `<data_dir>/dagster`."""

    @classmethod
    def config_schema(cls) -> Mapping[str, Any]:
        """No settings of its own in dagster.yaml."""
        return {}

    @staticmethod
    def config_defaults(_dagster_home: str) -> Mapping[str, Any]:
        """Storage, compute logs and artifacts, for what dagster.yaml leaves open."""
        folder = Settings().data_dir.resolve() / "dagster"
        folder.mkdir(parents=True, exist_ok=True)
        return InstanceRef.config_defaults(str(folder))
