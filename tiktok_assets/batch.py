"""Steps of a run over several videos: each video succeeds or fails by itself.

Dagster's unit of failure is the step: a step that raises has materialized nothing and everything
downstream is skipped; a step that returns has materialized every partition of its run. So in a run
over several partitions (a backfill with `BackfillPolicy.multi_run`) a step

- reports each good partition itself, as soon as it is done;
- passes over a partition that a step upstream did not materialize in this run;
- yields a result for which Dagster writes no materialization, so that downstream steps run, with
  one evaluation of each check for all videos, since here Dagster knows none of one partition;
- then raises, naming the broken partitions, so that the step and the run are failed. In such a run
  the threaded executor lets steps start on the output of a failed step.

A broken partition was planned in a failed run and not materialized: the UI shows it as failed, in
the asset that broke and in all downstream, and "materialize missing and failed" takes it up again.
Re-executing the run from failure repeats the failed steps and all downstream of them, which fills
in what was passed over.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

import dagster as dg
from tenacity import Retrying, retry_if_exception, stop_after_attempt, wait_exponential_jitter

from tiktok_assets.errors import RETRY
from tiktok_assets.executor import (
    REPORTED_BY_STEP,
    optional_steps,
    partition_materialization,
)

_MAX_RECORDS = 1000  # newest first: more than any run's partitions


def each_partition(
    context: dg.AssetExecutionContext,
    work: Callable[[str], dg.MaterializeResult],
    prepare: Callable[[Sequence[str]], None] | None = None,
    at_once: int = 1,
) -> Iterator[dg.MaterializeResult]:
    """Do `work` for each partition of the run; the body of an asset: `yield from` it.

    The asset must have one output and the type Nothing or none, so that no IO manager is asked.
    In a run of one partition this is `work` itself: its error is the step's error, as it is.
    `prepare` is called first with every `at_once` partitions that come next, where it is more than
    one; it is to see to its own errors.

    Raises:
        dagster.Failure: after all partitions, naming those whose `work` raised, with the error.
    """
    if len(context.partition_keys) == 1:
        yield work(context.partition_key)
        return

    passed_over = _not_materialized_upstream(context, context.partition_keys)
    for key, failed in passed_over.items():
        context.log.warning(f"{key} is passed over: {failed} failed for it in this run.")
    errors: dict[str, Exception] = {}
    results: dict[str, dg.MaterializeResult] = {}
    keys = [key for key in context.partition_keys if key not in passed_over]
    for place, key in enumerate(keys):
        coming = keys[place : place + at_once]
        if prepare is not None and place % at_once == 0 and len(coming) > 1:
            prepare(coming)
        try:
            result = _retrying(work, key)
        except Exception as error:
            errors[key] = error
            context.log.exception(f"{key} failed; the run goes on with the other videos.")
        else:
            context.log_event(partition_materialization(context, key, result))
            results[key] = result

    if results or not errors:
        yield dg.MaterializeResult(
            metadata={
                **REPORTED_BY_STEP,
                "done": len(results),
                "passed_over": sorted(passed_over),
            },
            check_results=_checks(context, results),
        )
    if errors:
        broken = "; ".join(f"{key}: {_sentence(error)}" for key, error in errors.items())
        raise dg.Failure(
            f"{len(errors)} of {len(context.partition_keys)} videos failed: {broken}",
            metadata={"broken": list(errors)},
            allow_retries=False,
        )


_retrying = Retrying(
    # In a run of one video Dagster does the same by the step's RetryPolicy.
    retry=retry_if_exception(lambda error: isinstance(error, dg.Failure) and error.allow_retries),
    stop=stop_after_attempt(RETRY.max_retries + 1),
    wait=wait_exponential_jitter(multiplier=RETRY.delay or 0),
    reraise=True,
)


def _checks(
    context: dg.AssetExecutionContext, results: Mapping[str, dg.MaterializeResult]
) -> list[dg.AssetCheckResult]:
    """Each of the asset's checks, which passes where it did for all of these videos."""
    broken: dict[str | None, list[str]] = {key.name: [] for key in context.assets_def.check_keys}
    for video_id, result in results.items():
        for check in result.check_results or ():
            if not check.passed:
                broken[check.check_name].append(video_id)
    return [
        dg.AssetCheckResult(
            check_name=name, passed=not videos, metadata={"videos": len(results), "broken": videos}
        )
        for name, videos in broken.items()
    ]


def _sentence(error: Exception) -> str:
    return (error.description if isinstance(error, dg.Failure) else str(error)) or repr(error)


def _chain(context: dg.AssetExecutionContext) -> set[str]:
    """The run's id, and those of the runs that it re-executes, back to the first."""
    run_id: str | None = context.run_id
    chain: set[str] = set()
    while run_id:
        chain.add(run_id)
        run = context.instance.get_run_by_id(run_id)
        run_id = run.parent_run_id if run else None
    return chain


def _not_materialized_upstream(
    context: dg.AssetExecutionContext, keys: Sequence[str]
) -> dict[str, str]:
    """The partitions that a step upstream was to materialize in this run, and did not: its name.

    A run that re-executes another counts what that one, and those before it, materialized as its
    own.
    """
    runs = _chain(context)
    missing: dict[str, str] = {}
    in_run = context.job_def.asset_layer.selected_asset_keys
    optional = optional_steps(context.op_def.tags)
    for parent in context.assets_def.asset_deps[context.asset_key]:
        if parent not in in_run or parent.to_user_string() in optional:
            continue  # not made in this run, or not needed: `work` says what it misses
        records = context.instance.fetch_materializations(
            dg.AssetRecordsFilter(asset_key=parent, asset_partitions=list(keys)), limit=_MAX_RECORDS
        ).records
        made = {record.partition_key for record in records if record.run_id in runs}
        for key in keys:
            if key not in made:
                missing.setdefault(key, parent.to_user_string())
    return missing
