"""Corrections that people make about pairs of articles, and how stories follow them."""
