"""Helpers that know nothing of news: compiled loops, hashing, threads, templates."""
