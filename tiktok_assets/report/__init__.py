"""The report: one HTML page of a video that a person enjoys reading, and that asks for nothing."""

NAME = "report"
