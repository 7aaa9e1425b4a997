"""Voices, words, speakers and how they are said."""
