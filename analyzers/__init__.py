"""Analyzers of short videos: pure Python, no orchestration (see docs/analyzers.md)."""

from analyzers.base import AnalysisResult, Analyzer
from analyzers.registry import analyzer_classes, get_analyzer

__all__ = ["AnalysisResult", "Analyzer", "analyzer_classes", "get_analyzer"]
