"""Starts runs through the webserver of Dagster, by its GraphQL API."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from urllib.parse import urlsplit

from dagster_graphql import DagsterGraphQLClient, DagsterGraphQLClientError

_TIMEOUT_S = 60


class NotLaunched(RuntimeError):
    """Dagster does not answer, or does not take the run; the message says why."""


def webserver(address: str) -> Callable[[], DagsterGraphQLClient]:
    """Connects to the webserver at an address such as http://127.0.0.1:3000."""
    url = urlsplit(address)
    return lambda: DagsterGraphQLClient(
        url.hostname or "",
        url.port,
        use_https=url.scheme == "https",
        timeout=_TIMEOUT_S,
        path_prefix=url.path.rstrip("/"),
    )


class Launcher:
    """Starts a job in a fresh connection each time, so that a webserver may come and go."""

    def __init__(self, connect: Callable[[], DagsterGraphQLClient]) -> None:
        self._connect = connect

    def __call__(
        self, job: str, tags: dict[str, str] | None = None, assets: Sequence[str] | None = None
    ) -> str:
        """Start a job, or some of its assets; returns the run's id. Raises `NotLaunched`."""
        try:
            return self._connect().submit_job_execution(job, tags=tags, asset_selection=assets)
        except (DagsterGraphQLClientError, OSError) as error:
            raise NotLaunched(
                f"Dagster did not start {job}: {error}. Is `tiktok-assets up` running?"
            ) from error
