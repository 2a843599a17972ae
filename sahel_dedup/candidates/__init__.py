"""Candidate pairs: the articles that are worth comparing."""
