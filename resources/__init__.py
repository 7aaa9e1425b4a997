"""Dagster resources, and the media, model and result stores behind them."""
