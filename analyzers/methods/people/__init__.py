"""Faces, eyes, mouths, bodies."""
