"""Summarise: source text becomes facts in a small intermediate representation."""

from loopsafe.summary.summarise import FORMAT, summarise

__all__ = ["FORMAT", "summarise"]
