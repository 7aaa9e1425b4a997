"""Cuts and other transitions, camera motion, shots, scenes and effects."""
