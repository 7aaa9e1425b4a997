"""A code location without machine learning, for tests of the worker and of `up`.

What the assets do is told by files in the data folder's `toy` folder, and they leave files there.
"""

import ctypes
import json
import os
import time

import dagster as dg

from analyzers import progress
from tiktok_assets.crash_ledger import CrashLedger
from tiktok_assets.executor import threaded_executor
from tiktok_assets.settings import Settings
from tiktok_assets.watchdog import STALL_LIMIT_TAG

DATA_DIR = Settings().data_dir
TOY = DATA_DIR / "toy"
_loaded: list[float] = []  # stands in for the cache of models of a process


def note(step: str, **what: object) -> None:
    TOY.mkdir(parents=True, exist_ok=True)
    with (TOY / f"{step}.jsonl").open("a") as file:
        file.write(json.dumps({"pid": os.getpid(), "time": time.time(), **what}) + "\n")


def _first_time(name: str) -> bool:
    """True once for each name, in all processes together."""
    TOY.mkdir(parents=True, exist_ok=True)
    try:
        (TOY / f"{name}.once").touch(exist_ok=False)
    except FileExistsError:
        return False
    return True


@dg.asset
def model_user() -> None:
    if not _loaded:
        _loaded.append(time.time())
    note("model_user", loaded=_loaded[0])


@dg.asset(deps=[model_user])
def before() -> None:
    note("before")


@dg.asset(deps=[before], op_tags={STALL_LIMIT_TAG: "3"})
def trouble(context: dg.AssetExecutionContext) -> None:
    """Goes wrong in native code, the first time."""
    with CrashLedger(DATA_DIR / "state" / "crashes").attempt("trouble", "v") as attempt:
        note("trouble", attempt=attempt.number, run_id=context.run_id)
        kind = (TOY / "kind").read_text() if (TOY / "kind").exists() else ""
        if not _first_time(f"trouble-{kind}"):
            return
        if kind == "abort":
            os.abort()
        if kind == "hang":
            time.sleep(2)  # a hang in the first second is left to the watchdog's longer limit
            ctypes.PyDLL(None).sleep(600)  # holds the interpreter's lock, as a hung library may


@dg.asset(deps=[trouble])
def after() -> None:
    note("after")


@dg.asset(op_tags={STALL_LIMIT_TAG: "60"})
def long_one(context: dg.AssetExecutionContext) -> None:
    """Works until it is stopped, the first time."""
    with CrashLedger(DATA_DIR / "state" / "crashes").attempt("long_one", "v") as attempt:
        note("long_one", attempt=attempt.number)
        if _first_time(f"long-{context.run.root_run_id or context.run_id}"):
            while True:
                time.sleep(0.05)
                progress.checkpoint()


defs = dg.Definitions(
    assets=[model_user, before, trouble, after, long_one],
    jobs=[
        dg.define_asset_job("chain", selection=[model_user, before, trouble, after]),
        dg.define_asset_job("short", selection=[model_user]),
        dg.define_asset_job("long", selection=[long_one]),
    ],
    executor=threaded_executor,
)
