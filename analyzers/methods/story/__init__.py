"""The joined timeline, its arc, and sentences about it."""
