"""The rules of cross_analyzer_intelligence: each finds what only several analyzers tell together.

`registry.py` says what a rule is; `docs/rules.md` lists them all with their definitions.
"""
