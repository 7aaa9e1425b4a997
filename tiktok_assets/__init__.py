"""The Dagster code location and the command line."""

import warnings

from dagster import BetaWarning

# Backfill policies are in beta; executor.py and the pinned version say what is relied on.
warnings.filterwarnings("ignore", category=BetaWarning)
