"""Loudness, spectrum, music, noise and rooms."""
