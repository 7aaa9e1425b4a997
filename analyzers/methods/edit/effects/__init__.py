"""Finds editing effects in a decoded video: one effect a file, all over the same `Signals`."""
