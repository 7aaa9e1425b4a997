"""Benchmarks: the naive script beside the pipeline, and the engine beside Dagster's own."""
