"""Thin adapters over ML libraries, their weights, and the process-wide cache that lends them."""
