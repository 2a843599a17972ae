"""Helpers that know nothing about news: compiled loops, hashing, threads, templates."""
