"""Candidate pairs: which articles are worth comparing."""
