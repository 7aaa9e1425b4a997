"""Where runs wait: each lane has a Celery queue and a worker of its own.

Downloads and housekeeping, the errands, hold up no analysis. dagster.yaml admits one run to each
lane at a time.
"""

from dagster_celery.tags import DAGSTER_CELERY_QUEUE_TAG as QUEUE_TAG

#: dagster-celery's own default, for every run that names no other.
ANALYSIS = "dagster"
ERRANDS = "errands"
#: Tag of a run that names its lane, for the limits in dagster.yaml.
LANE_TAG = "tiktok/lane"
#: Tag of a run that waits in no lane: the process that runs it, as the command line's.
PROCESS_TAG = "tiktok/process"

__all__ = ["ANALYSIS", "ERRANDS", "LANE_TAG", "PROCESS_TAG", "QUEUE_TAG"]
